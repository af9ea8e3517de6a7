"""ND2 and CZI are read frame by frame, where the optional packages are installed.

Nothing writes ND2; a class of the same face as that of the package nd2 stands for it.
"""

import sys
import types
from pathlib import Path

import numpy as np
import pytest

from cosembed.errors import DataError, InputError
from cosembed.images.calibration import settle
from cosembed.images.video_files import open_video, stated_by

PIXELS = np.random.default_rng(0).integers(1, 60000, (5, 2, 10, 12)).astype(np.uint16)


def fake_nd2(monkeypatch, pixels: np.ndarray, sizes: dict[str, int], calibrated: bool = True) -> list[int]:
    """Puts a package nd2 in place, and gives the list of the frames that are read."""
    read: list[int] = []

    class ND2File:
        def __init__(self, path: Path) -> None:
            if Path(path).read_bytes() != b"nd2":
                raise ValueError("not an ND2 file")
            self.sizes, self.dtype = sizes, pixels.dtype
            volume = types.SimpleNamespace(
                axesCalibrated=(calibrated,) * 3, axesCalibration=(0.325, 0.325, 1.0)
            )
            self.metadata = types.SimpleNamespace(channels=[types.SimpleNamespace(volume=volume)])
            self.experiment = [
                types.SimpleNamespace(type="TimeLoop", parameters=types.SimpleNamespace(periodMs=120000.0))
            ]

        def read_frame(self, index: int) -> np.ndarray:
            read.append(index)
            return pixels[index].squeeze()

        def close(self) -> None:
            pass

    module = types.ModuleType("nd2")
    module.ND2File = ND2File
    monkeypatch.setitem(sys.modules, "nd2", module)
    return read


def test_frames_of_an_nd2_are_read_one_at_a_time(tmp_path, monkeypatch):
    read = fake_nd2(monkeypatch, PIXELS, {"T": 5, "C": 2, "Y": 10, "X": 12})
    (tmp_path / "a.nd2").write_bytes(b"nd2")
    frames = open_video(tmp_path / "a.nd2")
    assert (len(frames), frames.shape, frames.channels, read) == (5, (10, 12), 2, [])
    np.testing.assert_array_equal(frames[3], np.moveaxis(PIXELS[3], 0, -1))
    np.testing.assert_array_equal(frames.only_channel(2)[1], PIXELS[1, 1])
    assert read == [3, 1]
    assert settle("a", stated_by(frames)) == ((0.325, 2.0), [])


def test_an_nd2_that_is_no_video_is_named(tmp_path, monkeypatch):
    (tmp_path / "a.nd2").write_bytes(b"nd2")
    fake_nd2(monkeypatch, PIXELS, {"P": 3, "T": 5, "C": 2, "Y": 10, "X": 12})
    with pytest.raises(DataError, match=r"a\.nd2: holds 3 positions"):
        open_video(tmp_path / "a.nd2")
    fake_nd2(monkeypatch, PIXELS, {"T": 5, "C": 2, "Y": 10, "X": 12}, calibrated=False)
    assert settle("a", stated_by(open_video(tmp_path / "a.nd2")))[0] == (None, 2.0)
    (tmp_path / "a.nd2").write_bytes(b"other")
    with pytest.raises(DataError, match=r"a\.nd2: cannot be read \(not an ND2 file\)"):
        open_video(tmp_path / "a.nd2")


@pytest.mark.parametrize(("name", "package"), [("a.nd2", "nd2"), ("a.CZI", "pylibCZIrw")])
def test_a_missing_package_is_named_with_the_command_that_installs_it(tmp_path, monkeypatch, name, package):
    monkeypatch.setitem(sys.modules, "nd2", None)
    monkeypatch.setitem(sys.modules, "pylibCZIrw", None)
    (tmp_path / name).write_bytes(b"x")
    remedy = rf"need the package {package}, .*pip install 'cosembed\[microscopes\]'"
    with pytest.raises(InputError, match=remedy):
        open_video(tmp_path / name)


def test_frames_of_a_czi_are_read_one_at_a_time(tmp_path):
    czi = pytest.importorskip("pylibCZIrw.czi", reason="needs pylibCZIrw")
    with czi.create_czi(str(tmp_path / "a.czi")) as file:
        for time, channel in np.ndindex(5, 2):
            file.write(PIXELS[time, channel], plane={"T": time, "C": channel})
        file.write_metadata("a", scale_x=0.65e-6, scale_y=0.65e-6)
    frames = open_video(tmp_path / "a.czi")
    assert (len(frames), frames.shape, frames.channels, frames.dtype) == (5, (10, 12), 2, "uint16")
    for time, frame in enumerate(frames):
        np.testing.assert_array_equal(frame, np.moveaxis(PIXELS[time], 0, -1))
    assert settle("a", stated_by(frames))[0].pixel_size == pytest.approx(0.65)
    (tmp_path / "b.czi").write_bytes((tmp_path / "a.czi").read_bytes()[:300])
    with pytest.raises(DataError, match=r"b\.czi: cannot be read"):
        open_video(tmp_path / "b.czi")


def test_the_stand_in_has_the_face_of_the_real_package():
    nd2 = pytest.importorskip("nd2", reason="needs nd2")
    from nd2.structures import TimeLoop, TimeLoopParams, Volume

    for name in ("sizes", "dtype", "metadata", "experiment", "read_frame", "close"):
        assert hasattr(nd2.ND2File, name), name
    assert {"axesCalibrated", "axesCalibration"} <= set(Volume.__annotations__)
    assert "periodMs" in TimeLoopParams.__annotations__ and TimeLoop.type == "TimeLoop"
