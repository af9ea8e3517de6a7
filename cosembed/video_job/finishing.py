"""Makes report and pictures of a result folder whose masks are there: the last step, or a later one.

Knows result folders and frames; a network only by its fingerprint.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import mask_files
from cosembed.errors import DataError, OutputError
from cosembed.files.wording import counted
from cosembed.files.writing import locked_folder
from cosembed.images.array_frames import VideoFrames
from cosembed.images.calibration import Calibration
from cosembed.images.reading import image_shape
from cosembed.video_job.record import fingerprint_frames, read_record, refuse_another
from cosembed.video_job.source import Source
from cosembed.video_job.video_report import WrittenReport, write_video_report


def check_same(
    folder: Path, frames: VideoFrames, network: str, values: str, calibration: Calibration
) -> None:
    """Checks that a result whose report is missing was made from the same; reads every frame.

    Args:
        folder: The result folder, with the record of its making.
        frames: The video.
        network: The fingerprint of the network's weights.
        values: The spec as YAML.
        calibration: What a pixel and a frame are.

    Raises:
        OutputError: It was made from something else.
    """
    refuse_another(folder, fingerprint_frames(frames), network, values, calibration)


def make_report(folder: Path, frames: VideoFrames) -> WrittenReport:
    """Makes report and pictures of a result folder, in the place of those that are there.

    Args:
        folder: The result folder.
        frames: The video.

    Raises:
        DataError: Masks, tables or frames cannot be used, or do not belong together.
        OutputError: Another run writes to the folder, or it cannot be written.
    """
    _check_frames(folder, frames)
    try:
        with locked_folder(folder):
            return write_video_report(folder, folder.resolve().name, frames)
    except OSError as error:
        raise OutputError(
            f"{error.filename or folder}: cannot be written ({error.strerror}); masks and tables are "
            "complete: free space on the disk or make the folder writable, and the same command makes report "
            "and pictures"
        ) from error


def frames_of_result(folder: Path, source: Source | None) -> tuple[VideoFrames, str]:
    """Opens the video that a result was made from.

    Args:
        folder: The result folder.
        source: Where the video is; that of the result's record if not given.

    Returns:
        The video, and one sentence if there is none, so that the masks are shown alone; else an empty text.

    Raises:
        DataError: The folder holds no masks, or the video cannot be used.
    """
    masks = mask_files(folder, "mask")
    if not masks:
        raise DataError(
            f"{folder}: holds no masks (mask000.tif, ...); name a result folder of cosembed track"
        )
    record = read_record(folder)
    known = source or (record.source if record else None)
    if source is None and (known is None or not Path(known.path).exists()):
        lost = f"{known.path} is not there any more" if known else f"{folder} does not say where they are"
        return MasksAlone(masks), f"Cells are shown without the frames: {lost}; name them with --frames."
    assert known is not None
    return known.open(), ""


class MasksAlone:
    """Stands for the frames of a result whose video is not there: black ones.

    Args:
        masks: Frame number -> the file of its mask.
    """

    channels, dtype = 1, "uint8"

    def __init__(self, masks: Mapping[int, Path]) -> None:
        self.numbers = list(masks)
        self.held: list[int] = []
        self.shape = image_shape(next(iter(masks.values())))

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Iterator[NDArray]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int, /) -> NDArray:
        """Gives a black frame."""
        return np.zeros(self.shape, np.uint8)


def _check_frames(folder: Path, frames: VideoFrames) -> None:
    """Raises `DataError` unless frames have the numbers and the size of the masks."""
    masks = mask_files(folder, "mask")
    if list(masks) != frames.numbers:
        first, last = frames.numbers[0], frames.numbers[-1]
        raise DataError(
            f"{folder}: has {counted(len(masks), 'mask')}, from {min(masks, default=0)} to "
            f"{max(masks, default=0)}, the video {counted(len(frames), 'frame')}, from {first} to {last}; "
            "give the frames that belong to the result"
        )
    for path in masks.values():
        if (shape := image_shape(path)) != frames.shape:
            size, other = (f"{width} x {height}" for height, width in (shape, frames.shape))
            raise DataError(
                f"{path}: is of {size} pixels, the frames are of {other}; give the frames that belong to the "
                "result"
            )
