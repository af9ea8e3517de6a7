"""Checks result and ground-truth folders of the Cell Tracking Challenge; finds every fault, changes nothing.

py-ctcmetrics crashes on some of these faults and traccuracy misses others (duplicate labels, the last frame, end before
begin), so the checks are our own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.data.frames import file_number
from cosembed.data.sequence import Track
from cosembed.data.tiff import check_header, read_image
from cosembed.errors import DataError


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: `file: sentence`. A warning does not make a folder invalid."""

    file: str
    sentence: str
    warning: bool = False

    def __str__(self) -> str:
        return f"{self.file}: {'warning: ' if self.warning else ''}{self.sentence}"


def mask_files(folder: Path, prefix: str) -> dict[int, Path]:
    """Frame number -> mask file, in order; empty if there is no folder."""
    files = sorted(folder.glob(f"{prefix}*.tif")) if folder.is_dir() else []
    return {number: path for path in files if (number := file_number(path)) is not None}


def check_result(result_dir: Path, tracked: bool = True) -> list[Fault]:
    """Checks masks and res_track.txt of a result folder; without `tracked` the table may be absent."""
    masks = mask_files(result_dir, "mask")
    if not masks:
        return [Fault(str(result_dir), "holds no masks; a result needs mask000.tif, mask001.tif, ...")]
    faults, present = _check_masks(masks)
    faults += [Fault(f"mask{number:03d}.tif", "is missing") for number in range(max(masks)) if number not in masks]
    table = result_dir / "res_track.txt"
    if tracked or table.exists():
        tracks, table_faults = _read_table(table)
        faults += table_faults + _check_table(tracks, present, {n: p.name for n, p in masks.items()}, table.name)
    return faults


def check_truth(ground_truth_dir: Path, frames_dir: Path | None = None) -> list[Fault]:
    """Checks a ground-truth folder with TRA, SEG or both, against the frames if they are given."""
    markers, segmented = mask_files(ground_truth_dir / "TRA", "man_track"), mask_files(ground_truth_dir / "SEG", "man_seg")
    if not markers and not segmented:
        return [Fault(str(ground_truth_dir), "holds neither TRA/man_track000.tif nor SEG/man_seg000.tif")]
    faults: list[Fault] = []
    if markers:
        found, present = _check_masks(markers)
        tracks, table_faults = _read_table(ground_truth_dir / "TRA" / "man_track.txt")
        names = {number: path.name for number, path in markers.items()}
        faults += found + table_faults + _check_table(tracks, present, names, "man_track.txt")
    if segmented:
        faults += _check_masks(segmented)[0]
        faults += [
            fault for number in segmented if number in markers for fault in _check_markers(markers[number], segmented[number])
        ]
    if frames_dir is not None:
        faults += _check_frames({**segmented, **markers}, segmented, frames_dir)
    return faults


def require_valid(result_dir: Path, tracked: bool) -> None:
    """Raises `DataError` with the first fault of a result folder and the number of the others."""
    faults = [fault for fault in check_result(result_dir, tracked) if not fault.warning]
    if faults:
        others = f" (and {len(faults) - 1} more faults)" if len(faults) > 1 else ""
        raise DataError(f"{result_dir}: {faults[0]}{others}; python -m cosembed.validate lists them all")


def _check_masks(masks: Mapping[int, Path]) -> tuple[list[Fault], dict[int, set[int]]]:
    """Faults of the images, and the labels present per readable frame."""
    faults: list[Fault] = []
    present: dict[int, set[int]] = {}
    size: tuple[int, int] | None = None
    for number, path in masks.items():
        try:
            height, width, dtype = check_header(path, 0)
            mask = read_image(path)
        except DataError as error:
            faults.append(Fault(path.name, str(error).removeprefix(f"{path}: ")))
            continue
        if size is not None and (height, width) != size:
            faults.append(Fault(path.name, f"is {width} x {height} pixels, the first mask {size[1]} x {size[0]}"))
        size = size or (height, width)
        if dtype != "uint16":
            faults.append(Fault(path.name, f"is of type {dtype}; masks must be uint16", warning=dtype == "uint8"))
        if mask.ndim != 2 or mask.dtype.kind not in "ui":
            faults.append(Fault(path.name, f"is not a label image (shape {mask.shape}, type {mask.dtype})"))
            continue
        present[number] = set(np.unique(mask).tolist()) - {0}
        faults += _check_connected(mask, path.name)
    return faults, present


def _check_connected(mask: NDArray, name: str) -> list[Fault]:
    parts = []
    for label, box in enumerate(ndimage.find_objects(mask), start=1):
        if box is not None:
            count = ndimage.label(mask[box] == label, np.ones((3, 3)))[1]
            if count > 1:
                parts.append(Fault(name, f"label {label} consists of {count} parts", warning=True))
    return parts


def _read_table(path: Path) -> tuple[dict[int, Track], list[Fault]]:
    """All lines that can be read, with a fault for every one that cannot or repeats a label."""
    tracks: dict[int, Track] = {}
    faults: list[Fault] = []
    try:
        lines = path.read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}, [Fault(path.name, "is missing or not a text file (label begin end parent)")]
    for number, line in enumerate(lines, start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 4 or not all(word.isdigit() and len(word) < 10 for word in words):
            faults.append(Fault(path.name, f"line {number} is not four whole numbers (label begin end parent)"))
            continue
        track = Track(*map(int, words))
        if not 1 <= track.label <= 65535:
            faults.append(Fault(path.name, f"line {number}: label {track.label} is not between 1 and 65535"))
        elif track.label in tracks:
            faults.append(Fault(path.name, f"line {number}: label {track.label} is listed twice"))
        else:
            tracks[track.label] = track
    return tracks, faults


def _check_table(
    tracks: Mapping[int, Track], present: Mapping[int, set[int]], names: Mapping[int, str], table: str
) -> list[Fault]:
    faults = []
    for track in tracks.values():
        if track.begin > track.end:
            faults.append(
                Fault(table, f"label {track.label} ends in frame {track.end}, before it begins in frame {track.begin}")
            )
        if track.end > max(names):
            faults.append(
                Fault(table, f"label {track.label} ends in frame {track.end}, but the last mask is {names[max(names)]}")
            )
        parent = tracks.get(track.parent)
        if track.parent and parent is None:
            faults.append(Fault(table, f"label {track.label} has the parent {track.parent}, which is not listed"))
        elif parent is not None and parent.end >= track.begin:
            faults.append(
                Fault(
                    table,
                    f"label {track.label} begins in frame {track.begin}, but its parent {parent.label} ends in {parent.end}",
                )
            )
        for frame in range(track.begin, min(track.end, max(names)) + 1):
            if frame in present and track.label not in present[frame]:
                faults.append(Fault(names[frame], f"label {track.label} is missing, though {table} lists it there"))
    for frame, labels in present.items():
        for label in sorted(labels):
            if label not in tracks:
                faults.append(Fault(names[frame], f"label {label} is not listed in {table}"))
            elif frame > tracks[label].end:
                faults.append(Fault(names[frame], f"label {label} is used after its end in {table}"))
            elif frame < tracks[label].begin:
                faults.append(Fault(names[frame], f"label {label} is used before its beginning in {table}"))
    return faults


def _check_markers(marker_file: Path, seg_file: Path) -> Iterable[Fault]:
    try:
        markers, masks = read_image(marker_file), read_image(seg_file)
    except DataError:
        return
    if markers.shape != masks.shape:
        yield Fault(seg_file.name, f"is of another size than {marker_file.name}")
        return
    for label in np.setdiff1d(markers, 0):
        covered = np.bincount(masks[markers == label].ravel())
        if len(covered) == 1:
            yield Fault(seg_file.name, f"marker {label} of {marker_file.name} lies in no mask", warning=True)
        elif covered[1:].max() < covered.sum() / 2:
            yield Fault(seg_file.name, f"marker {label} of {marker_file.name} lies mostly outside its mask", warning=True)


def _check_frames(truth: Mapping[int, Path], segmented: Mapping[int, Path], frames_dir: Path) -> list[Fault]:
    frames = mask_files(frames_dir, "")
    if not frames:
        return [Fault(str(frames_dir), "holds no TIFF frames")]
    faults = []
    for number, path in {**truth, **segmented}.items():
        if number not in frames:
            faults.append(Fault(path.name, f"there is no frame {number} in {frames_dir.name}"))
            continue
        try:
            if check_header(path, 0)[:2] != check_header(frames[number], 0)[:2]:
                faults.append(Fault(path.name, f"is of another size than {frames[number].name}"))
        except DataError as error:
            faults.append(Fault(path.name, str(error)))
    return faults
