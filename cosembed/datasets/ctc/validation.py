"""Checks result and ground-truth folders of the Cell Tracking Challenge; finds every fault, changes nothing.

py-ctcmetrics crashes on some of these faults and traccuracy misses others (duplicate labels, the last frame, end before
begin), so the checks are our own.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.annotated_video import Track
from cosembed.datasets.ctc.track_table import MAX_TABLE_BYTES
from cosembed.errors import DataError
from cosembed.files.reading import read_text, reason
from cosembed.images.frames import find_errors, open_frames
from cosembed.images.tiff import image_shape, read_headers, read_image
from cosembed.preprocessing.label_overlap import label_overlap, present_labels


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `file: sentence`. A warning does not make a folder invalid."""

    file: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {'warning: ' if self.warning else ''}{self.sentence}"


def mask_files(folder: Path, prefix: str) -> dict[int, Path]:
    """Frame number -> `<prefix>NNN.tif`, in order; empty if there is no folder. Files of other names are left out."""
    files = (
        (number, path) for path in _tiffs(folder, prefix) if (number := _number(path, prefix)) is not None
    )
    return dict(sorted(files))


def check_result(
    result_dir: Path, tracked: bool = True, frames_dir: Path | None = None, warnings: bool = True
) -> list[Fault]:
    """Checks masks and res_track.txt of a result folder.

    Args:
        result_dir: maskNNN.tif and res_track.txt.
        tracked: Whether there must be a res_track.txt; one that is there is checked in any case.
        frames_dir: The frames (or one multi-page TIFF), if masks are to be compared with them.
        warnings: Whether to look for what deserves a warning, too.

    Returns:
        Every fault; empty if the folder is valid.
    """
    masks = mask_files(result_dir, "mask")
    faults = _check_names(result_dir, "mask")
    if not masks:
        what = "holds no masks" if result_dir.is_dir() else "is not a folder"
        return [*faults, Fault(str(result_dir), f"{what}; a result needs mask000.tif, mask001.tif, ...")]
    found, present = _check_masks(masks, warnings)
    faults += found + _check_gaps([-1, *masks], "mask")
    table = result_dir / "res_track.txt"
    if tracked or table.exists():
        faults += _check_table(table, present, masks)
    if frames_dir is not None:
        faults += _compare_frames(masks, frames_dir, every_frame="mask")
    return faults


def check_truth(ground_truth_dir: Path, frames_dir: Path | None = None, warnings: bool = True) -> list[Fault]:
    """Checks a ground-truth folder with TRA, SEG or both, against the frames if they are given; otherwise as `check_result`."""
    tra, seg = ground_truth_dir / "TRA", ground_truth_dir / "SEG"
    markers, segmented = mask_files(tra, "man_track"), mask_files(seg, "man_seg")
    faults = _check_names(tra, "man_track") + _check_names(seg, "man_seg")
    if not markers and not segmented:
        what = (
            "holds neither TRA/man_track000.tif nor SEG/man_seg000.tif"
            if ground_truth_dir.is_dir()
            else "is not a folder"
        )
        return [*faults, Fault(str(ground_truth_dir), what)]
    if markers:
        found, present = _check_masks(markers, warnings)
        faults += (
            found
            + _check_gaps(list(markers), "man_track")
            + _check_table(tra / "man_track.txt", present, markers)
        )
    elif (tra / "man_track.txt").exists():
        tracks, found = _read_table(tra / "man_track.txt")
        faults += found + (
            [Fault("man_track.txt", "lists tracks, but there is no man_track000.tif")] if tracks else []
        )
    faults += _check_masks(segmented, warnings)[0]
    for number in sorted(set(segmented) & set(markers)):
        faults += _check_markers(markers[number], segmented[number], warnings)
    if frames_dir is not None:
        if markers:
            faults += _compare_frames(markers, frames_dir, every_frame="man_track")
        faults += _compare_frames(segmented, frames_dir)
    elif markers:
        unknown = [
            path.name for number, path in segmented.items() if not min(markers) <= number <= max(markers)
        ]
        faults += [Fault(name, "is of a frame that has no man_track file") for name in unknown]
    return faults


def check_frames(frames_dir: Path) -> list[Fault]:
    """Every fault of the frames (or of one multi-page TIFF) by themselves; each of them is read."""
    return [_unreadable(frames_dir, error) for error in find_errors(frames_dir)]


def require_valid(folder: Path, faults: Iterable[Fault]) -> None:
    """Raises `DataError` with the first fault of a folder and the number of the others, if there is one."""
    grave = [fault for fault in faults if not fault.warning]
    if grave:
        others = f" (and {len(grave) - 1} more)" if len(grave) > 1 else ""
        raise DataError(
            f"{folder}: {grave[0]}{others}; python -m cosembed.commands.validate lists every fault"
        )


def _tiffs(folder: Path, prefix: str) -> list[Path]:
    return sorted(folder.glob(f"{prefix}*.tif")) if folder.is_dir() else []


def _number(path: Path, prefix: str) -> int | None:
    match = re.fullmatch(rf"{prefix}(\d{{3,9}})", path.stem, re.ASCII)
    return int(match[1]) if match else None


def _check_names(folder: Path, prefix: str) -> list[Fault]:
    faults: list[Fault] = []
    seen: dict[int, Path] = {}
    for path in _tiffs(folder, prefix):
        number = _number(path, prefix)
        if number is None:
            faults.append(
                Fault(path.name, f"is not named {prefix}NNN.tif after its frame (at least three digits)")
            )
        elif number in seen:
            faults.append(Fault(path.name, f"has the same number as {seen[number].name}"))
        else:
            seen[number] = path
    return faults


def _check_gaps(numbers: Iterable[int], prefix: str) -> list[Fault]:
    faults = []
    for before, after in pairwise(numbers):
        if after > before + 1:
            others = f", and so are all up to {prefix}{after - 1:03d}.tif" if after > before + 2 else ""
            faults.append(Fault(f"{prefix}{before + 1:03d}.tif", f"is missing{others}"))
    return faults


def _check_masks(masks: Mapping[int, Path], warnings: bool) -> tuple[list[Fault], dict[int, set[int]]]:
    """Faults of the images, and the labels present per readable frame."""
    faults: list[Fault] = []
    present: dict[int, set[int]] = {}
    first: tuple[str, tuple[int, ...]] | None = None
    for number, path in masks.items():
        try:
            headers = read_headers(path)
            mask = read_image(path)
        except DataError as error:
            faults.append(_unreadable(path, error))
            continue
        if mask.ndim != 2 or len(headers) > 1:
            found = f"{len(headers)} images" if len(headers) > 1 else f"{mask.shape[-1]} channels"
            faults.append(Fault(path.name, f"holds {found}; a mask is one image of one channel"))
            continue
        first = first or (path.name, mask.shape)
        if mask.shape != first[1]:
            faults.append(Fault(path.name, f"is {_size(mask.shape)}, but {first[0]} is {_size(first[1])}"))
        if mask.dtype not in (np.uint8, np.uint16):
            faults.append(Fault(path.name, f"is of type {mask.dtype}; masks must be uint16"))
            if mask.dtype.kind not in "ui":
                continue
        elif warnings:
            if mask.dtype == np.uint8:
                faults.append(
                    Fault(path.name, "is of type uint8; the challenge asks for uint16", warning=True)
                )
            faults += _check_connected(mask, path.name)
        present[number] = set(present_labels(mask))
    return faults, present


def _check_connected(mask: NDArray, name: str) -> Iterator[Fault]:
    for label, box in enumerate(ndimage.find_objects(mask), start=1):
        if box is not None:
            count = ndimage.label(mask[box] == label, np.ones((3, 3)))[1]
            if count > 1:
                yield Fault(name, f"label {label} consists of {count} parts", warning=True)


def _read_table(path: Path) -> tuple[dict[int, Track] | None, list[Fault]]:
    """All lines that can be read, with a fault for every one that cannot or repeats a label; None without a table."""
    tracks: dict[int, Track] = {}
    faults: list[Fault] = []
    try:
        lines = read_text(path, MAX_TABLE_BYTES).splitlines()
    except FileNotFoundError:
        return None, [Fault(path.name, "is missing; a track table belongs there (label begin end parent)")]
    except (OSError, ValueError) as error:
        return None, [Fault(path.name, f"is not a track table (label begin end parent): {reason(error)}")]
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 4 or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
            faults.append(
                Fault(path.name, f"line {number} is not four whole numbers (label begin end parent)")
            )
            continue
        track = Track(*map(int, words))
        if not 1 <= track.label <= 65535:
            faults.append(Fault(path.name, f"line {number}: label {track.label} is not between 1 and 65535"))
        elif track.label in tracks:
            faults.append(Fault(path.name, f"line {number}: label {track.label} is listed twice"))
        else:
            tracks[track.label] = track
    return tracks, faults


def _check_table(path: Path, present: Mapping[int, set[int]], masks: Mapping[int, Path]) -> list[Fault]:
    """Faults of a track table and of the labels that do not agree with it, frame by frame."""
    tracks, faults = _read_table(path)
    if tracks is None:
        return faults
    names = {number: mask.name for number, mask in masks.items()}
    first, last, table = min(names), max(names), path.name
    for track in tracks.values():
        if track.begin > track.end:
            faults.append(
                Fault(
                    table,
                    f"label {track.label} ends in frame {track.end}, before it begins in frame {track.begin}",
                )
            )
        if track.begin < first:
            sentence = (
                f"label {track.label} begins in frame {track.begin}, but the first mask is {names[first]}"
            )
            faults.append(Fault(table, sentence))
        if track.end > last:
            faults.append(
                Fault(
                    table,
                    f"label {track.label} ends in frame {track.end}, but the last mask is {names[last]}",
                )
            )
        parent = tracks.get(track.parent)
        if track.parent == track.label:
            faults.append(Fault(table, f"label {track.label} is its own parent"))
        elif track.parent and parent is None:
            faults.append(
                Fault(table, f"label {track.label} has the parent {track.parent}, which is not listed")
            )
        elif parent is not None and parent.end >= track.begin:
            sentence = f"label {track.label} begins in frame {track.begin}, but its parent {parent.label} ends in {parent.end}"
            faults.append(Fault(table, sentence))
    for frame, labels in present.items():
        for label in sorted(labels):
            if label not in tracks:
                faults.append(Fault(names[frame], f"label {label} is not listed in {table}"))
            elif frame > tracks[label].end:
                faults.append(Fault(names[frame], f"label {label} is used after its end in {table}"))
            elif frame < tracks[label].begin:
                faults.append(Fault(names[frame], f"label {label} is used before its beginning in {table}"))
        for track in tracks.values():
            if track.begin <= frame <= track.end and track.label not in labels:
                faults.append(
                    Fault(names[frame], f"label {track.label} is missing, though {table} lists it there")
                )
    return faults


def _check_markers(marker_file: Path, seg_file: Path, warnings: bool) -> Iterator[Fault]:
    try:
        markers, masks = read_image(marker_file), read_image(seg_file)
    except DataError:
        return
    if not markers.ndim == masks.ndim == 2:
        return
    if markers.shape != masks.shape:
        yield Fault(
            seg_file.name, f"is {_size(masks.shape)}, but {marker_file.name} is {_size(markers.shape)}"
        )
        return
    if not warnings:
        return
    overlap = label_overlap(markers, masks)
    for label in present_labels(markers):
        inside = overlap.pick(overlap.first == label)
        if not len(inside.shared):
            yield Fault(seg_file.name, f"marker {label} of {marker_file.name} lies in no mask", warning=True)
        elif inside.shared.max() < inside.first_area[0] / 2:
            yield Fault(
                seg_file.name,
                f"marker {label} of {marker_file.name} lies mostly outside its mask",
                warning=True,
            )


def _compare_frames(masks: Mapping[int, Path], frames_dir: Path, every_frame: str = "") -> list[Fault]:
    """Faults of masks beside their frames; with `every_frame`, a prefix, also frames without a mask."""
    try:
        frames = open_frames(frames_dir)
    except DataError as error:
        return [_unreadable(frames_dir, error)]
    faults = []
    for number, path in masks.items():
        if number not in frames.numbers:
            faults.append(Fault(path.name, f"there is no frame {number} in {frames_dir.name}"))
            continue
        try:
            shape = image_shape(path)
        except DataError:
            continue
        if shape != frames.shape:
            faults.append(Fault(path.name, f"is {_size(shape)}, but the frames are {_size(frames.shape)}"))
    if every_frame:
        outside = sorted(number for number in frames.numbers if not min(masks) <= number <= max(masks))
        faults += [
            Fault(f"{every_frame}{number:03d}.tif", "is missing, though there is such a frame")
            for number in outside
        ]
    return faults


def _unreadable(path: Path, error: DataError) -> Fault:
    file, separator, sentence = str(error).partition(": ")
    return Fault(Path(file).name, sentence) if separator else Fault(path.name, str(error))


def _size(shape: tuple[int, ...]) -> str:
    return f"{shape[1]} x {shape[0]} pixels"
