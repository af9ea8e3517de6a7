"""Single images by their names: which formats are read, and what is said of other files."""

from pathlib import Path

import imagecodecs
import numpy as np
import pytest
import tifffile

from cosembed.errors import DataError
from cosembed.images.reading import image_shape, read_headers, read_image

IMAGE = np.arange(42, dtype=np.uint8).reshape(6, 7)


@pytest.mark.parametrize("name", ["a.tif", "a.TIFF", "a.png", "a.PNG"])
def test_the_name_decides_the_format(tmp_path: Path, name: str) -> None:
    if name.lower().endswith("png"):
        (tmp_path / name).write_bytes(imagecodecs.png_encode(IMAGE))
    else:
        tifffile.imwrite(tmp_path / name, IMAGE)
    np.testing.assert_array_equal(read_image(tmp_path / name), IMAGE)
    assert image_shape(tmp_path / name) == (6, 7)
    assert [header.pixels for header in read_headers(tmp_path / name)] == ["uint8"]


@pytest.mark.parametrize("suffix", [".tif", ".png"])
def test_a_folder_or_a_pipe_is_not_opened(tmp_path: Path, suffix: str) -> None:
    (tmp_path / f"folder{suffix}").mkdir()
    with pytest.raises(DataError, match=r"cannot be read \(it is a folder, a pipe or a device, not a file\)"):
        read_image(tmp_path / f"folder{suffix}")


def test_what_is_no_image_is_named(tmp_path: Path) -> None:
    (tmp_path / "t000.tif").write_text("a web page instead of an image")
    with pytest.raises(DataError, match=r"t000\.tif: cannot be read"):
        read_image(tmp_path / "t000.tif")
    with pytest.raises(DataError, match=r"t001\.tif: does not exist"):
        read_image(tmp_path / "t001.tif")
    with pytest.raises(DataError, match=r"a\.jpg: is neither TIFF nor PNG"):
        read_image(tmp_path / "a.jpg")
