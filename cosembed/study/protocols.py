"""Decides which frames of videos train and which are tested. Knows no network and reads no images.

`crossval`: train on one annotated video, test on the other, both ways; with one annotated video, its first
70 % train and the rest is tested, or the frame ranges asked for. `submission`: train on all annotated videos,
track the challenge's videos without truth, as the paper did. Frame ranges are half-open, in the video's own
numbering. With networks of the authors, which were trained on all annotated videos, nothing trains and every
annotated video is tested.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosembed.errors import InputError
from cosembed.files.wording import counted
from cosembed.study.folds import Fold

PROTOCOLS = ("crossval", "submission")
TRAIN_SHARE = 0.7


@dataclass(frozen=True)
class VideoRange:
    """Names the frames `begin` to `end` (excluded) of one video below `root`."""

    root: Path
    video: str
    begin: int
    end: int

    def __str__(self) -> str:
        return f"{self.video} [{self.begin}:{self.end}]"


def parse_range(text: str, flag: str) -> tuple[int, int] | None:
    """Reads `0:45` as (0, 45), and an empty text as None.

    Raises:
        InputError: It is anything else; names the flag.
    """
    if not text:
        return None
    match = re.fullmatch(r"(\d+):(\d+)", text)
    if not match or int(match[1]) >= int(match[2]):
        raise InputError(
            f"--{flag}={text}: write begin:end with begin < end, for example 0:45 for frames 0 to 44"
        )
    return int(match[1]), int(match[2])


def crossval_folds(
    root: Path,
    lengths: Mapping[str, int],
    train_frames: tuple[int, int] | None,
    test_frames: tuple[int, int] | None,
) -> list[Fold[VideoRange]]:
    """Makes the folds of the protocol `crossval`.

    Args:
        root: The data set's folder.
        lengths: The number of frames of every annotated video.
        train_frames: The range asked for by flag, which is possible with one annotated video only.
        test_frames: Likewise; both are given or none.

    Raises:
        InputError: The ranges do not fit the videos, or overlap.
    """
    if bool(train_frames) != bool(test_frames):
        raise InputError("--train_frames and --test_frames belong together: give both or none")
    if len(lengths) > 1:
        if train_frames:
            raise InputError(
                f"--train_frames: {root} has {counted(len(lengths), 'annotated video')}, and folds are whole "
                "videos; choose one with --set 'dataset.videos=[\"01\"]'"
            )
        whole = {video: VideoRange(root, video, 0, length) for video, length in lengths.items()}
        return [
            Fold(
                f"test_{tested}",
                number,
                tuple(frames for video, frames in whole.items() if video != tested),
                (whole[tested],),
            )
            for number, tested in enumerate(reversed(whole))
        ]
    (video, length), *_ = lengths.items()
    if train_frames is None or test_frames is None:
        split = min(max(1, round(TRAIN_SHARE * length)), length - 1)
        train_frames, test_frames = (0, split), (split, length)
    for flag, (_, end) in (("train_frames", train_frames), ("test_frames", test_frames)):
        if end > length:
            raise InputError(
                f"--{flag}: ends at {end}, but {root / video} has {counted(length, 'frame')}; "
                "choose a smaller range"
            )
    if length < 2 or max(train_frames[0], test_frames[0]) < min(train_frames[1], test_frames[1]):
        raise InputError(
            f"{root / video}: frames {train_frames[0]}:{train_frames[1]} train and "
            f"{test_frames[0]}:{test_frames[1]} are tested; the ranges must not overlap"
        )
    train, test = (VideoRange(root, video, *frames) for frames in (train_frames, test_frames))
    return [Fold(f"test_{video}_frames_{test.begin}_{test.end}", 0, (train,), (test,))]


def submission_fold(
    root: Path, lengths: Mapping[str, int], test_root: Path, test_lengths: Mapping[str, int]
) -> Fold[VideoRange]:
    """Makes the fold of `submission`: all annotated videos train, all unlabelled ones are tracked."""
    train = tuple(VideoRange(root, video, 0, length) for video, length in lengths.items())
    test = tuple(VideoRange(test_root, video, 0, length) for video, length in test_lengths.items())
    return Fold("submission", 0, train, test, scored=False)


def released_folds(root: Path, lengths: Mapping[str, int]) -> list[Fold[VideoRange]]:
    """Makes a fold of every annotated video, which the authors' network is tested on."""
    return [
        Fold(f"test_{video}", number, (), (VideoRange(root, video, 0, length),))
        for number, (video, length) in enumerate(lengths.items())
    ]


def describe_split(folds: Sequence[Fold[VideoRange]], protocol: str) -> str:
    """Says in a phrase, for tables and reports, what trains and what is tested."""
    if not folds[0].train:
        return "the authors' network, which was trained on all annotated videos" + (
            ", those scored here among them"
            if folds[0].scored
            else "; tracked the challenge's videos without public truth"
        )
    if protocol == "submission":
        return "trained on all annotated videos, tracked the challenge's videos without public truth"
    if len({frames.video for fold in folds for frames in (*fold.train, *fold.test)}) == 1:
        train, test = folds[0].train[0], folds[0].test[0]
        return (
            f"one annotated video: frames {train.begin}:{train.end} trained, {test.begin}:{test.end} tested"
        )
    return "trained on one annotated video, tested on the other" + (", both ways" if len(folds) > 1 else "")
