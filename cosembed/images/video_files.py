"""Opens a video on disk, of whatever kind: frames of TIFF or PNG, OME-Zarr, ND2 or CZI. Knows no labels."""

from __future__ import annotations

from pathlib import Path

from cosembed.errors import InputError
from cosembed.images.array_frames import ArrayFrames, VideoFrames
from cosembed.images.calibration import Stated
from cosembed.images.frame_files import AS_NUMBERED, MICROSCOPE_FILES, FrameChoice
from cosembed.images.frames import Frames, open_frames
from cosembed.images.microscope_files import CziVideo, Nd2Video, open_microscope_file
from cosembed.images.png import is_png
from cosembed.images.tiff_metadata import read_stated
from cosembed.images.zarr_video import ZarrVideo, is_zarr, open_zarr


def open_video(path: Path, choice: FrameChoice = AS_NUMBERED) -> Frames | ArrayFrames:
    """Opens a video; no pixel is read.

    Args:
        path: A folder of TIFF or PNG frames, a multi-page TIFF, an OME-Zarr image, an ND2 or a CZI file.
        choice: Which files of a folder are frames; of another kind of video only `gaps` can be chosen.

    Raises:
        DataError: There is no video, or it cannot be used.
        InputError: A choice is for folders only, or a package is not installed.
    """
    array: ZarrVideo | Nd2Video | CziVideo
    if is_zarr(path):
        array = open_zarr(path)
    elif path.suffix.lower() in MICROSCOPE_FILES and path.is_file():
        array = open_microscope_file(path)
    else:
        return open_frames(path, choice)
    if choice.pattern or choice.order != AS_NUMBERED.order:
        flag = "pattern" if choice.pattern else "order"
        raise InputError(
            f"--{flag}: is for a folder of frames, whose files have names; {path} is none, leave it out"
        )
    return ArrayFrames(array, str(path), hold=choice.gaps == "hold")


def stated_by(frames: VideoFrames) -> Stated:
    """Reads what the files of a video state of pixel size and frame interval; nothing for an array.

    The first and the last file of a folder are read; all that lie between are taken to be like them.

    Raises:
        DataError: A file cannot be read.
    """
    if isinstance(frames, ArrayFrames):
        array = frames.array
        return array.stated() if isinstance(array, ZarrVideo | Nd2Video | CziVideo) else Stated()
    if not isinstance(frames, Frames):
        return Stated()
    files = dict.fromkeys([frames.paths[0], frames.paths[-1]])
    found = [read_stated(file) for file in files if not is_png(file)]
    sizes = [size for stated in found for size in stated.pixel_sizes]
    intervals = [interval for stated in found for interval in stated.frame_intervals]
    return Stated(tuple(sizes), tuple(intervals))
