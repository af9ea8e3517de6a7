"""Saves corrected labels as the truth of a training, in the challenge's layout. Knows no Qt and no napari."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.errors import InputError
from cosembed.files.writing import atomic_folder
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.label_values import LARGEST_LABEL


def parse_frames(text: str, count: int) -> list[int]:
    """Reads which frames are complete: `all`, or numbers and ranges such as `0-9, 12`, both ends included.

    Raises:
        InputError: It is neither, or names a frame that is not there.
    """
    if text.strip().lower() in ("", "all"):
        return list(range(count))
    chosen: set[int] = set()
    for part in text.split(","):
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d+)\s*)?", part)
        begin, end = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
        if not begin <= end < count:
            raise InputError(
                f"'{part.strip()}' names no frames from 0 to {count - 1}; write all, or for example 0-9, 12"
            )
        chosen.update(range(begin, end + 1))
    return sorted(chosen)


def write_truth(
    root: Path,
    frames: Sequence[NDArray],
    labels: NDArray,
    parents: Mapping[int, int],
    complete: Collection[int],
) -> None:
    """Writes a data set of one video, `root/01` and `root/01_GT`, complete or not at all.

    Outlines (SEG) are written for the complete frames. Tracks (TRA) are a truth only where nothing is missing
    in between, and are written if all frames are complete.

    Args:
        root: The folder to write, which must not exist.
        frames: The video, [H, W] or [H, W, C] each.
        labels: The corrected labels [T, H, W]; a cell keeps its label over time.
        parents: Label -> label of the cell that it came from.
        complete: Indices of the frames in which every cell is outlined.

    Raises:
        InputError: Frames and labels differ in number or size, no complete frame has a cell, or there are too
            many labels.
        OutputError: The folder exists, or cannot be written.
    """
    labels = np.asarray(labels)
    shape = (len(frames), *np.shape(frames[0])[:2]) if len(frames) else (0,)
    if shape != labels.shape:
        raise InputError(
            f"the frames have the shape {shape}, but the labels {labels.shape}; choose their own frames"
        )
    if not any(labels[frame].any() for frame in complete):
        raise InputError("no complete frame has a cell; outline cells, or name the frames that have some")
    numbered, tracks = unbroken_tracks(labels, parents)
    digits = max(3, len(str(len(labels) - 1)))
    with atomic_folder(root) as folder:
        (folder / "01").mkdir(parents=True)
        for index, frame in enumerate(frames):
            tifffile.imwrite(
                folder / "01" / f"t{index:0{digits}d}.tif", np.asarray(frame), compression="zlib"
            )
        for index in complete:
            write_mask(folder / "01_GT" / "SEG" / f"man_seg{index:0{digits}d}.tif", numbered[index])
        if len(set(complete)) == len(labels):
            for index, mask in enumerate(numbered):
                write_mask(folder / "01_GT" / "TRA" / f"man_track{index:0{digits}d}.tif", mask)
            write_tracks(folder / "01_GT" / "TRA" / "man_track.txt", tracks)


def unbroken_tracks(labels: NDArray, parents: Mapping[int, int]) -> tuple[NDArray[np.uint16], list[Track]]:
    """Finds the tracks of corrected labels, which have no gaps: after one, a cell goes on under a new label.

    Args:
        labels: [T, H, W].
        parents: Label -> label of the cell that it came from; a parent that has not ended before, or is no
            longer there, is none.

    Returns:
        The labels uint16 [T, H, W], and the tracks by label.

    Raises:
        InputError: A label is negative, or there are more than 65,535.
    """
    present: dict[int, list[int]] = {}
    for frame, mask in enumerate(labels):
        for label in np.unique(mask[mask != 0]).tolist():
            present.setdefault(label, []).append(frame)
    following = max(present, default=0)
    if min(present, default=0) < 0 or following > LARGEST_LABEL:
        raise InputError(f"labels must be from 1 to {LARGEST_LABEL}; renumber the cells")
    numbered = labels.astype(np.uint16)
    tracks: dict[int, Track] = {}
    parts: dict[int, list[int]] = {}
    for label, seen in sorted(present.items()):
        runs = np.split(seen, np.flatnonzero(np.diff(seen) > 1) + 1)
        for number, run in enumerate(runs):
            part, parent = label, 0
            if number:
                following, parent = following + 1, parts[label][-1]
                part = following
                if part > LARGEST_LABEL:
                    raise InputError(f"gaps make more than {LARGEST_LABEL} tracks of the cells; close some")
                here = numbered[run[0] : run[-1] + 1]
                here[labels[run[0] : run[-1] + 1] == label] = part
            parts.setdefault(label, []).append(part)
            tracks[part] = Track(part, int(run[0]), int(run[-1]), parent)
    for label, parent in parents.items():
        if label in tracks:
            before = [part for part in parts.get(parent, ()) if tracks[part].end < tracks[label].begin]
            tracks[label] = tracks[label]._replace(parent=before[-1] if before else 0)
    return numbered, sorted(tracks.values())
