"""Checks result and ground-truth folders of the Cell Tracking Challenge; finds every fault, changes nothing.

py-ctcmetrics crashes on some of these faults and traccuracy misses others (duplicate labels, the last frame,
end before begin), so the checks are our own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from cosembed.datasets.ctc.faults import Fault, fault_of
from cosembed.datasets.ctc.mask_checks import (
    check_gaps,
    check_markers,
    check_names,
    check_pixels,
    compare_with_frames,
)
from cosembed.datasets.ctc.mask_files import TRUTH_PREFIXES, mask_files
from cosembed.datasets.ctc.track_table import Track, TrackTable, read_table
from cosembed.files.reading import reason
from cosembed.images.frames import find_errors, find_left_out


def check_result(
    result_dir: Path, tracked: bool = True, frames_dir: Path | None = None, warnings: bool = True
) -> list[Fault]:
    """Checks masks and res_track.txt of a result folder.

    Args:
        result_dir: The folder of maskNNN.tif and res_track.txt.
        tracked: Whether there must be a res_track.txt; one that is there is checked in any case.
        frames_dir: The frames (or one multi-page TIFF), if masks are to be compared with them.
        warnings: Whether to look for what deserves a warning, too.

    Returns:
        Every fault; empty if the folder is valid.
    """
    masks = mask_files(result_dir, "mask")
    faults = check_names(result_dir, "mask")
    if not masks:
        what = "holds no masks" if result_dir.is_dir() else "is not a folder"
        return [*faults, Fault(str(result_dir), f"{what}; a result needs mask000.tif, mask001.tif, ...")]
    found, present = check_pixels(masks, warnings)
    faults += found + check_gaps(masks, "mask")
    table = result_dir / "res_track.txt"
    if tracked or table.exists():
        faults += _check_table(table, present, masks)
    if frames_dir is not None:
        faults += compare_with_frames(masks, frames_dir, every_frame="mask")
    return faults


def check_truth(ground_truth_dir: Path, frames_dir: Path | None = None, warnings: bool = True) -> list[Fault]:
    """Checks a ground-truth folder with TRA, SEG or both, by itself or against its frames.

    Args:
        ground_truth_dir: The folder of TRA and SEG.
        frames_dir: The frames (or one multi-page TIFF), if masks are to be compared with them.
        warnings: Whether to look for what deserves a warning, too.

    Returns:
        Every fault; empty if the folder is valid.
    """
    tra, seg = (ground_truth_dir / kind for kind in TRUTH_PREFIXES)
    markers, segmented = (
        mask_files(ground_truth_dir / kind, prefix) for kind, prefix in TRUTH_PREFIXES.items()
    )
    faults = check_names(tra, "man_track") + check_names(seg, "man_seg")
    if not markers and not segmented:
        what = (
            "holds neither TRA/man_track000.tif nor SEG/man_seg000.tif"
            if ground_truth_dir.is_dir()
            else "is not a folder"
        )
        return [*faults, Fault(str(ground_truth_dir), what)]
    if seg.is_dir() and not segmented:
        faults.append(Fault("SEG", "holds no man_segNNN.tif; add the masks, or remove the folder"))
    table = tra / "man_track.txt"
    if markers:
        found, present = check_pixels(markers, warnings)
        faults += found + check_gaps(markers, "man_track") + _check_table(table, present, markers)
    elif table.exists():
        listed, found = _read_table(table)
        faults += found
        if listed is not None and listed.tracks:
            faults.append(Fault(table.name, "lists tracks, but there is no man_track000.tif"))
    faults += check_pixels(segmented, warnings)[0]
    for number in sorted(set(segmented) & set(markers)):
        faults += check_markers(markers[number], segmented[number], warnings)
    if frames_dir is not None:
        if markers:
            faults += compare_with_frames(markers, frames_dir, every_frame="man_track")
        faults += compare_with_frames(segmented, frames_dir)
    elif markers:
        unknown = [
            path.name for number, path in segmented.items() if not min(markers) <= number <= max(markers)
        ]
        faults += [Fault(name, "is of a frame that has no man_track file") for name in unknown]
    return faults


def check_frames(frames_dir: Path) -> list[Fault]:
    """Reads all frames of a folder (or of one multi-page TIFF) and finds every fault of theirs."""
    left_out = [
        Fault(path.name, "is no frame, being neither TIFF nor PNG, and is left out", warning=True)
        for path in find_left_out(frames_dir)
    ]
    return [fault_of(frames_dir, error) for error in find_errors(frames_dir)] + left_out


def _read_table(path: Path) -> tuple[TrackTable | None, list[Fault]]:
    """Reads a track table and the faults of its lines; None if there is no table to be read."""
    try:
        table = read_table(path)
    except FileNotFoundError:
        return None, [Fault(path.name, "is missing; a track table belongs there (label begin end parent)")]
    except (OSError, ValueError) as error:
        return None, [Fault(path.name, f"is not a track table (label begin end parent): {reason(error)}")]
    return table, [Fault(path.name, f"line {fault.line}: {fault.problem}") for fault in table.faults]


def _check_table(path: Path, present: Mapping[int, set[int]], masks: Mapping[int, Path]) -> list[Fault]:
    """Finds faults of a track table, and of the labels present per frame that do not agree with it."""
    table, faults = _read_table(path)
    if table is None:
        return faults
    names = {number: mask.name for number, mask in masks.items()}
    for track in table.tracks.values():
        faults += [Fault(path.name, sentence) for sentence in _faults_of(track, table.tracks, names)]
    for frame, labels in present.items():
        for sentence in _disagreements(frame, labels, table.tracks, path.name):
            faults.append(Fault(names[frame], sentence))
    return faults


def _faults_of(track: Track, tracks: Mapping[int, Track], names: Mapping[int, str]) -> Iterator[str]:
    """Finds what is wrong with a track beyond its line: frames without mask, a parent that lives too long."""
    first, last = min(names), max(names)
    if track.begin < first:
        yield f"label {track.label} begins in frame {track.begin}, but the first mask is {names[first]}"
    if track.end > last:
        yield f"label {track.label} ends in frame {track.end}, but the last mask is {names[last]}"
    parent = tracks.get(track.parent)
    if parent is not None and parent is not track and parent.end >= track.begin:
        beginning = f"label {track.label} begins in frame {track.begin}"
        yield f"{beginning}, but its parent {parent.label} ends in {parent.end}"


def _disagreements(frame: int, labels: set[int], tracks: Mapping[int, Track], table: str) -> Iterator[str]:
    """Compares the labels of one mask with the tracks that a table lists for its frame."""
    for label in sorted(labels):
        if label not in tracks:
            yield f"label {label} is not listed in {table}"
        elif frame > tracks[label].end:
            yield f"label {label} is used after its end in {table}"
        elif frame < tracks[label].begin:
            yield f"label {label} is used before its beginning in {table}"
    for track in tracks.values():
        if track.begin <= frame <= track.end and track.label not in labels:
            yield f"label {track.label} is missing, though {table} lists it there"
