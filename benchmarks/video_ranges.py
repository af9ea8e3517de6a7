"""Names the frames of a video that flags ask for. Knows no truth and no tracker."""

from __future__ import annotations

from pathlib import Path

from cosembed.errors import InputError
from cosembed.files.wording import counted
from cosembed.images.frames import open_frames
from cosembed.study.protocols import VideoRange, parse_range


def video_range(path: Path, text: str, flag: str) -> VideoRange:
    """Names the frames `text`, begin:end, of a video; all, if it is empty.

    Raises:
        InputError: It is no range, or the video is shorter; names the flag.
        DataError: The video cannot be opened.
    """
    count = len(open_frames(path))
    begin, end = parse_range(text, flag) or (0, count)
    if end > count:
        raise InputError(f"--{flag}={text}: {path} has {counted(count, 'frame')}; choose a smaller range")
    return VideoRange(path.parent, path.name, begin, end)
