"""Films are told apart from series of images, with the command that converts them."""

import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images.frames import open_frames


@pytest.mark.parametrize("ending", ["avi", "MP4", "mov", "gif", "mkv", "webm", "mpeg"])
def test_a_film_is_named_with_the_command_that_converts_it(tmp_path, ending):
    path = tmp_path / f"my cells.{ending}"
    path.write_bytes(b"RIFF")
    folder = tmp_path / "my cells"
    command = f"mkdir '{folder}' && ffmpeg -i '{path}' -pix_fmt gray '{folder}'/t%04d.png"
    with pytest.raises(DataError, match="is a film, not a series of images") as error:
        open_frames(path)
    assert command in str(error.value)
    with pytest.raises(DataError, match="holds no TIFF or PNG frames") as error:
        open_frames(tmp_path)
    assert command in str(error.value)


def test_a_microscopes_file_in_a_folder_is_to_be_given_itself(tmp_path):
    (tmp_path / "exp.nd2").touch()
    with pytest.raises(DataError, match=r"but exp\.nd2; give such a file itself, .*exp\.nd2"):
        open_frames(tmp_path)
    tifffile.imwrite(tmp_path / "t000.tif", np.arange(12, dtype=np.uint8).reshape(3, 4))
    assert [path.name for path in open_frames(tmp_path).left_out] == ["exp.nd2"]
