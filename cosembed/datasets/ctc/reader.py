"""Reads a video in the Cell Tracking Challenge's layout into an `AnnotatedVideo`. Knows no network.

    ROOT/01/t000.tif ...                    frames
    ROOT/01_GT/TRA/man_track000.tif ...     tracking truth: markers, or full masks
    ROOT/01_GT/TRA/man_track.txt            its track table: label begin end parent
    ROOT/01_GT/SEG/man_seg000.tif ...       segmentation truth of some frames; each frame has ids of its own

TRA alone and SEG alone are enough.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.datasets.ctc.linking import link_masks
from cosembed.datasets.ctc.mask_files import TRUTH_PREFIXES, mask_files, misnamed_files, read_labels
from cosembed.datasets.ctc.merging import merge_markers_and_masks
from cosembed.datasets.ctc.track_table import Track, cut_tracks, read_tracks, write_tracks
from cosembed.errors import DataError
from cosembed.files.writing import atomic_folder
from cosembed.images.frames import Frames, open_frames
from cosembed.images.reading import image_shape
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.label_overlap import present_labels
from cosembed.specs import CellsDatasetSpec


@dataclass(frozen=True)
class _Truth:
    """Holds the fields of an `AnnotatedVideo` that come from the truth folder."""

    labels: NDArray[np.uint16]
    complete: NDArray[np.bool_]
    tracks: tuple[Track, ...]
    segments: tuple[tuple[int, int], ...]
    segmented: NDArray[np.bool_]


def read_annotated_video(
    root: Path, video: str, dataset: CellsDatasetSpec, truth: bool = True
) -> AnnotatedVideo:
    """Reads one video with its truth.

    Args:
        root: The data set's folder.
        video: The video's name, for example `01`.
        dataset: Says how the truth is to be read.
        truth: Whether to read the truth; without, all labels are 0 and no frame is complete.

    Raises:
        DataError: Frames or truth that are missing, damaged, or contradict each other; names the file.
    """
    frames = open_frames(root / video)
    loss_mask = _loss_mask(frames.shape, dataset.loss_border, root / video)
    if truth:
        found = _read_truth(root / f"{video}_GT", frames, video, dataset)
    else:
        length = len(frames)
        labels, unknown = np.zeros((length, *frames.shape), np.uint16), np.zeros(length, bool)
        found = _Truth(labels, unknown, (), ((0, length),), unknown)
    return AnnotatedVideo(
        video,
        frames,
        found.labels,
        found.complete,
        loss_mask,
        found.tracks,
        found.segments,
        found.segmented,
    )


def cut_video(video: AnnotatedVideo, begin: int, end: int) -> AnnotatedVideo:
    """Cuts a video and its truth down to frames `begin` to `end` (excluded), renumbered from 0."""
    segments = tuple(
        (max(first, begin) - begin, min(last, end) - begin)
        for first, last in video.segments
        if first < end and last > begin
    )
    return replace(
        video,
        frames=video.frames[begin:end],
        labels=video.labels[begin:end],
        complete=video.complete[begin:end],
        tracks=cut_tracks(video.tracks, begin, end),
        segments=segments,
        segmented=None if video.segmented is None else video.segmented[begin:end],
    )


def write_truth_cut(root: Path, video: str, begin: int, end: int, output: Path) -> None:
    """Writes the truth of frames `begin` to `end` (excluded), renumbered from 0, as a ground-truth folder.

    Raises:
        DataError: There is no truth in that range.
        OutputError: `output` exists.
    """
    source = root / f"{video}_GT"
    numbers = open_frames(root / video).numbers[begin:end]
    with atomic_folder(output) as partial:
        written = 0
        for kind, prefix in TRUTH_PREFIXES.items():
            chosen = {
                number: path for number, path in _truth_files(source, kind).items() if number in numbers
            }
            for number, path in chosen.items():
                digits = len(path.stem) - len(prefix)
                (partial / kind).mkdir(exist_ok=True)
                write_mask(
                    partial / kind / f"{prefix}{number - numbers[0]:0{digits}d}.tif", read_labels(path)
                )
            written += len(chosen)
            if kind == "TRA" and chosen:
                tracks = cut_tracks(
                    read_tracks(source / "TRA" / "man_track.txt"), numbers[0], numbers[-1] + 1
                )
                write_tracks(partial / "TRA" / "man_track.txt", tracks)
        if not written:
            raise DataError(f"{source}: holds no truth for frames {begin} to {end - 1}; choose other frames")


def _read_truth(folder: Path, frames: Frames, video: str, dataset: CellsDatasetSpec) -> _Truth:
    markers, masks = _truth_files(folder, "TRA"), _truth_files(folder, "SEG")
    if not markers and not masks:
        raise DataError(
            f"{folder}: holds neither TRA/man_track000.tif nor SEG/man_seg000.tif; put the truth there"
        )
    _check_files((markers, masks), frames)
    if not markers:
        return _read_masks(masks, frames)
    truth = _read_markers(folder, markers, masks, frames)
    if dataset.tra_masks == "full":
        return replace(truth, complete=np.ones(len(frames), bool))
    _compare_complete(truth.complete, dataset.complete_frames.get(video, ()), folder)
    return truth


def _read_masks(masks: dict[int, Path], frames: Frames) -> _Truth:
    """Reads a truth that is SEG alone: every annotated frame counts as completely segmented."""
    labels = np.zeros((len(frames), *frames.shape), np.uint16)
    complete = np.zeros(len(frames), bool)
    linked, segments = link_masks(
        {number - frames.numbers[0]: read_labels(path) for number, path in masks.items()}
    )
    for index, mask in linked.items():
        labels[index], complete[index] = mask, True
    return _Truth(labels, complete, (), tuple(segments), complete)


def _read_markers(folder: Path, markers: dict[int, Path], masks: dict[int, Path], frames: Frames) -> _Truth:
    """Reads a truth that has TRA, merged with SEG where there is any."""
    table = folder / "TRA" / "man_track.txt"
    tracks = cut_tracks(read_tracks(table), frames.numbers[0], frames.numbers[-1] + 1)
    labels = np.zeros((len(frames), *frames.shape), np.uint16)
    complete = np.zeros(len(frames), bool)
    present: set[int] = set()
    for index, number in enumerate(frames.numbers):
        if number not in markers:
            raise DataError(
                f"{folder / 'TRA'}: has no man_track file for frame {number}; every frame needs one"
            )
        labels[index] = read_labels(markers[number])
        found = present_labels(labels[index])
        _check_tracks(found, index, tracks, markers[number], table)
        present.update(found)
        if number in masks:
            labels[index], complete[index] = merge_markers_and_masks(
                labels[index], read_labels(masks[number]), str(masks[number])
            )
    for track in tracks:
        if track.label not in present:
            raise DataError(
                f"{table}: label {track.label} is in no mask of {folder / 'TRA'}; "
                "remove its line or add the masks"
            )
    return _Truth(labels, complete, tracks, ((0, len(frames)),), np.isin(frames.numbers, list(masks)))


def _truth_files(folder: Path, kind: str) -> dict[int, Path]:
    """Lists the files of TRA or SEG, frame number -> file; empty if there is no such folder.

    Raises:
        DataError: A file looks like one of them but is not named after its frame.
    """
    prefix = TRUTH_PREFIXES[kind]
    for path, problem in misnamed_files(folder / kind, prefix):
        raise DataError(f"{path}: {problem}; rename it or move it elsewhere")
    return mask_files(folder / kind, prefix)


def _check_files(kinds: tuple[dict[int, Path], ...], frames: Frames) -> None:
    """Raises `DataError` for truth that has no frame, or another size than it."""
    numbers = set(frames.numbers)
    for files in kinds:
        for number, path in files.items():
            if number not in numbers:
                raise DataError(f"{path}: there is no frame {number}; remove the file or add the frame")
            height, width = image_shape(path)
            if (height, width) != frames.shape:
                raise DataError(
                    f"{path}: is {width} x {height} pixels, "
                    f"its frame {frames.shape[1]} x {frames.shape[0]}; make them equal"
                )


def _check_tracks(labels: list[int], frame: int, tracks: tuple[Track, ...], image: Path, table: Path) -> None:
    """Raises `DataError` if a frame holds labels that the table does not list, or not for that frame."""
    alive = {track.label for track in tracks if track.begin <= frame <= track.end}
    for label in labels:
        if label not in alive:
            raise DataError(
                f"{image}: label {label} is not listed for this frame in {table.name}; correct one of them"
            )


def _loss_mask(shape: tuple[int, int], border: int, folder: Path) -> NDArray[np.bool_]:
    """Makes the mask that leaves out `border` pixels at each side."""
    if 2 * border >= min(shape):
        raise DataError(
            f"{folder}: frames of {shape[1]} x {shape[0]} pixels lie within dataset.loss_border={border}; "
            "lower it"
        )
    mask = np.zeros(shape, bool)
    mask[border : shape[0] - border, border : shape[1] - border] = True
    return mask


def _compare_complete(complete: NDArray[np.bool_], listed: tuple[int, ...], folder: Path) -> None:
    """Warns where completely segmented frames are not those that the spec lists."""
    known = {frame for frame in listed if frame < len(complete)}
    found = set(np.flatnonzero(complete).tolist())
    if listed and known != found:
        logging.warning(
            "%s: completely segmented frames found but not listed in the spec: %s; listed but not found: %s; "
            "those found count",
            folder, _few(found - known), _few(known - found),
        )  # fmt: skip


def _few(frames: set[int]) -> str:
    shown = " ".join(map(str, sorted(frames)[:10])) or "none"
    return shown + (f" and {len(frames) - 10} more" if len(frames) > 10 else "")
