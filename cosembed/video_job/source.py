"""Says where a video comes from: files with the choice among them, or an array. Knows no network."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

from cosembed.errors import InputError
from cosembed.images.array_frames import ArrayFrames, VideoFrames
from cosembed.images.calibration import Calibration, settle
from cosembed.images.frame_files import AS_NUMBERED, FrameChoice
from cosembed.images.frames import Frames
from cosembed.images.video_files import open_video as open_files
from cosembed.images.video_files import stated_by


class CalibratedVideo(NamedTuple):
    """Holds a video, what a pixel and a frame of it are, and doubts about that, a sentence each."""

    frames: VideoFrames
    calibration: Calibration
    doubts: list[str]


@dataclass(frozen=True)
class Source:
    """Names the files of a video, and which of them, in which order, are its frames.

    Attributes:
        path: A folder of TIFF or PNG frames, a multi-page TIFF, an OME-Zarr image, an ND2 or a CZI file.
        channel: The channel to track, counted from 1; none if frames have one, or all are tracked.
        choice: Which files are frames, and what becomes of missing ones.
    """

    path: str
    channel: int | None = None
    choice: FrameChoice = AS_NUMBERED

    def __str__(self) -> str:
        return self.path if self.channel is None else f"{self.path}, channel {self.channel}"

    def open(self) -> Frames | ArrayFrames:
        """Opens the video.

        Raises:
            DataError: There is no video, or it cannot be used.
            InputError: There is no such channel, a choice is for folders only, or a package is missing.
        """
        frames = open_files(Path(self.path), self.choice)
        return frames if self.channel is None else frames.only_channel(self.channel)

    def open_calibrated(self, given: Calibration) -> CalibratedVideo:
        """Opens the video and reads its units; raises as `open`, and for units that contradict each other.

        Args:
            given: What a person says of the units.
        """
        frames = self.open()
        return CalibratedVideo(frames, *settle(self.path, stated_by(frames), given))

    def as_mapping(self) -> dict[str, Any]:
        """Gives the source in plain values, from which `from_mapping` makes it again."""
        return asdict(self)

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> Source:
        """Makes a source of plain values; raises KeyError or TypeError for others."""
        return Source(str(values["path"]), values["channel"], FrameChoice(**values["choice"]))


def open_video(
    frames: Any, given: Calibration, channel: int | None = None, choice: FrameChoice = AS_NUMBERED
) -> tuple[CalibratedVideo, Source | None]:
    """Takes an array, or opens a path, as a video of one channel if one is chosen.

    Args:
        frames: What `cosembed.track` takes.
        given: What a person says of the units.
        channel: The channel to track, counted from 1.
        choice: Which files of a folder are frames; of an array only `gaps` can be chosen.

    Returns:
        The video, and where it comes from; None for an array.

    Raises:
        DataError: The frames cannot be used.
        InputError: There is no such channel, or a choice that is for folders only.
    """
    if isinstance(frames, str | os.PathLike):
        source = Source(str(frames), channel, choice)
        return source.open_calibrated(given), source
    if choice.pattern or choice.order != AS_NUMBERED.order:
        key = "pattern" if choice.pattern else "order"
        raise InputError(f"{key}: is for a folder of frames, whose files have names; leave it out")
    video = ArrayFrames(frames, hold=choice.gaps == "hold")
    return CalibratedVideo(video if channel is None else video.only_channel(channel), given, []), None
