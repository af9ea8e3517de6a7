"""Which frames train and which are tested. Knows no network and reads no images.

`crossval`: train on one annotated video, test on the other, both ways; with one annotated video, its first 70 % train and
the rest is tested, or the frame ranges asked for. `submission`: train on all annotated videos, track the challenge's
videos without truth, as the paper did. Frame ranges are half-open, in the video's own numbering. With networks of the
authors, which were trained on all annotated videos, nothing trains and every annotated video is tested.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cosembed.errors import InputError

PROTOCOLS = ("crossval", "submission")
TRAIN_SHARE = 0.7


@dataclass(frozen=True)
class Part:
    """Frames `begin` to `end` (excluded) of one video below `root`."""

    root: Path
    video: str
    begin: int
    end: int

    def __str__(self) -> str:
        return f"{self.video} [{self.begin}:{self.end}]"


@dataclass(frozen=True)
class Fold:
    """One training and what is tested with it; `scored` is False where the tested videos have no truth."""

    name: str
    train: tuple[Part, ...]
    test: tuple[Part, ...]
    scored: bool = True


def parse_range(text: str, flag: str) -> tuple[int, int] | None:
    """`0:45` as (0, 45); None for an empty text.

    Raises:
        InputError: Anything else, naming the flag.
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
) -> list[Fold]:
    """The folds of the protocol `crossval`.

    Args:
        root: The data set's folder.
        lengths: Number of frames per annotated video.
        train_frames: Asked for by flag; only with one annotated video.
        test_frames: Likewise; both or none.

    Raises:
        InputError: Ranges that do not fit the videos, or overlap.
    """
    if bool(train_frames) != bool(test_frames):
        raise InputError("--train_frames and --test_frames belong together: give both or none")
    if len(lengths) > 1:
        if train_frames:
            raise InputError(
                f"--train_frames: {root} has {len(lengths)} annotated videos, and folds are whole videos; "
                "choose one with --set 'dataset.videos=[\"01\"]'"
            )
        parts = {video: Part(root, video, 0, length) for video, length in lengths.items()}
        return [
            Fold(
                f"test_{video}", tuple(part for name, part in parts.items() if name != video), (parts[video],)
            )
            for video in reversed(parts)
        ]
    (video, length), *_ = lengths.items()
    if train_frames is None or test_frames is None:
        split = min(max(1, round(TRAIN_SHARE * length)), length - 1)
        train_frames, test_frames = (0, split), (split, length)
    for flag, (_, end) in (("train_frames", train_frames), ("test_frames", test_frames)):
        if end > length:
            raise InputError(
                f"--{flag}: ends at {end}, but {root / video} has {length} frames; choose a smaller range"
            )
    if length < 2 or max(train_frames[0], test_frames[0]) < min(train_frames[1], test_frames[1]):
        raise InputError(
            f"{root / video}: frames {train_frames[0]}:{train_frames[1]} train and {test_frames[0]}:{test_frames[1]} are "
            "tested; the ranges must not overlap"
        )
    train, test = (Part(root, video, *frames) for frames in (train_frames, test_frames))
    return [Fold(f"test_{video}_frames_{test.begin}_{test.end}", (train,), (test,))]


def submission_fold(
    root: Path, lengths: Mapping[str, int], test_root: Path, test_lengths: Mapping[str, int]
) -> Fold:
    """The single fold of the protocol `submission`: all annotated videos train, all unlabelled ones are tracked."""
    train = tuple(Part(root, video, 0, length) for video, length in lengths.items())
    test = tuple(Part(test_root, video, 0, length) for video, length in test_lengths.items())
    return Fold("submission", train, test, scored=False)


def released_folds(root: Path, lengths: Mapping[str, int]) -> list[Fold]:
    """Every annotated video tested with the authors' network."""
    return [Fold(f"test_{video}", (), (Part(root, video, 0, length),)) for video, length in lengths.items()]


def describe_split(folds: list[Fold], protocol: str) -> str:
    """One phrase for tables and reports."""
    if not folds[0].train:
        return "the authors' network, which was trained on all annotated videos" + (
            ", those scored here among them"
            if folds[0].scored
            else "; tracked the challenge's videos without public truth"
        )
    if protocol == "submission":
        return "trained on all annotated videos, tracked the challenge's videos without public truth"
    if len({part.video for fold in folds for part in (*fold.train, *fold.test)}) == 1:
        train, test = folds[0].train[0], folds[0].test[0]
        return (
            f"one annotated video: frames {train.begin}:{train.end} trained, {test.begin}:{test.end} tested"
        )
    return "trained on one annotated video, tested on the other" + (", both ways" if len(folds) > 1 else "")
