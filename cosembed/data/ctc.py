"""Reads a video in the Cell Tracking Challenge's layout into a `Sequence`. Knows no network.

    ROOT/01/t000.tif ...                       frames
    ROOT/01_GT/TRA/man_track000.tif ...        tracking truth: markers, or full masks; man_track.txt: label begin end parent
    ROOT/01_GT/SEG/man_seg000.tif ...          segmentation truth of some frames; ids of each frame on their own

TRA alone and SEG alone are enough.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.data.frames import Frames, file_number, open_frames
from cosembed.data.link import link_masks
from cosembed.data.merge import merge_frame
from cosembed.data.sequence import Sequence, Track
from cosembed.data.tiff import image_shape, read_image, write_mask
from cosembed.data.tracks import cut_tracks, read_tracks, write_tracks
from cosembed.errors import DataError
from cosembed.files import atomic_folder
from cosembed.specs import DatasetSpec


def read_sequence(root: Path, video: str, dataset: DatasetSpec, truth: bool = True) -> Sequence:
    """Reads one video with its truth.

    Args:
        root: The data set's folder.
        video: For example `01`.
        dataset: Says how the truth is to be read.
        truth: Whether to read the truth; without, all labels are 0 and no frame is complete.

    Raises:
        DataError: Frames or truth that are missing, damaged, or contradict each other; names the file.
    """
    frames = open_frames(root / video)
    shape = (len(frames), *frames.shape)
    if truth:
        labels, complete, tracks, segments = _read_truth(root / f"{video}_GT", frames, video, dataset)
    else:
        labels, complete, tracks, segments = np.zeros(shape, np.uint16), np.zeros(shape[0], bool), (), ((0, shape[0]),)
    return Sequence(video, frames, labels, complete, _loss_mask(frames.shape, dataset.loss_border), tracks, segments)


def cut(sequence: Sequence, begin: int, end: int) -> Sequence:
    """Frames `begin` to `end` (excluded) of a sequence, renumbered from 0."""
    segments = tuple(
        (max(first, begin) - begin, min(last, end) - begin) for first, last in sequence.segments if first < end and last > begin
    )
    return replace(
        sequence,
        frames=sequence.frames[begin:end],
        labels=sequence.labels[begin:end],
        complete=sequence.complete[begin:end],
        tracks=cut_tracks(sequence.tracks, begin, end),
        segments=segments,
    )


def write_truth_cut(root: Path, video: str, begin: int, end: int, output: Path) -> None:
    """Writes the truth of frames `begin` to `end` (excluded), renumbered from 0, as a ground-truth folder.

    Raises:
        DataError: There is no truth in that range.
        OutputError: `output` exists.
    """
    source = root / f"{video}_GT"
    with atomic_folder(output) as partial:
        written = 0
        for kind, prefix in (("TRA", "man_track"), ("SEG", "man_seg")):
            chosen = {number: path for number, path in _truth_files(source / kind).items() if begin <= number < end}
            for number, path in chosen.items():
                digits = len(path.stem) - len(prefix)
                (partial / kind).mkdir(exist_ok=True)
                write_mask(partial / kind / f"{prefix}{number - begin:0{digits}d}.tif", read_image(path).astype(np.uint16))
            written += len(chosen)
            if kind == "TRA" and chosen:
                tracks = cut_tracks(read_tracks(source / "TRA" / "man_track.txt"), begin, end)
                write_tracks(partial / "TRA" / "man_track.txt", tracks)
        if not written:
            raise DataError(f"{source}: holds no truth for frames {begin} to {end - 1}; test other frames")


def _read_truth(
    folder: Path, frames: Frames, video: str, dataset: DatasetSpec
) -> tuple[NDArray[np.uint16], NDArray[np.bool_], tuple[Track, ...], tuple[tuple[int, int], ...]]:
    markers, masks = _truth_files(folder / "TRA"), _truth_files(folder / "SEG")
    numbers = [file_number(path) for path in frames.paths]
    # Frames of a multi-page TIFF share one file: they count from 0.
    positions = {
        number: index for index, number in enumerate(numbers if len(set(numbers)) == len(numbers) else range(len(frames)))
    }
    if not markers and not masks:
        raise DataError(f"{folder}: holds neither TRA/man_track000.tif nor SEG/man_seg000.tif; put the truth there")
    for path in (*markers.values(), *masks.values()):
        if file_number(path) not in positions:
            raise DataError(f"{path}: there is no frame of that number; remove the file or add the frame")
        if image_shape(path) != frames.shape:
            height, width = image_shape(path)
            raise DataError(
                f"{path}: is {width} x {height} pixels, its frame {frames.shape[1]} x {frames.shape[0]}; make them equal"
            )
    labels = np.zeros((len(frames), *frames.shape), np.uint16)
    complete = np.zeros(len(frames), bool)
    if not markers:
        linked, segments = link_masks({positions[number]: read_labels(path) for number, path in masks.items()})
        for index, mask in linked.items():
            labels[index], complete[index] = mask, True
        return labels, complete, (), tuple(segments)
    for number, index in positions.items():
        if number not in markers:
            raise DataError(f"{folder / 'TRA'}: has no man_track file for frame {number}; every frame needs one")
        labels[index] = read_labels(markers[number])
        if number in masks:
            labels[index], complete[index] = merge_frame(labels[index], read_labels(masks[number]), str(masks[number]))
    if dataset.tra_masks == "full":
        complete[:] = True
    else:
        _compare_complete(complete, dataset, video, folder)
    tracks = read_tracks(folder / "TRA" / "man_track.txt")
    _check_tracks(tracks, labels, folder / "TRA" / "man_track.txt")
    return labels, complete, tracks, ((0, len(frames)),)


def read_labels(path: Path) -> NDArray[np.uint16]:
    """A label image as uint16 [H, W].

    Raises:
        DataError: Not an image of whole numbers between 0 and 65535.
    """
    labels = read_image(path)
    if labels.ndim != 2 or labels.dtype.kind not in "ui" or labels.min() < 0 or labels.max() > 65535:
        raise DataError(f"{path}: is not a label image (16-bit whole numbers, one channel); convert it")
    return labels.astype(np.uint16)


def _truth_files(folder: Path) -> dict[int, Path]:
    files = sorted(folder.glob("man_*.tif")) if folder.is_dir() else []
    numbered = {file_number(path): path for path in files}
    return {number: path for number, path in numbered.items() if number is not None}


def _loss_mask(shape: tuple[int, int], border: int) -> NDArray[np.bool_]:
    mask = np.zeros(shape, bool)
    mask[border : shape[0] - border, border : shape[1] - border] = True
    return mask


def _compare_complete(complete: NDArray[np.bool_], dataset: DatasetSpec, video: str, folder: Path) -> None:
    known = {frame for frame in dataset.complete_frames.get(video, ()) if frame < len(complete)}
    found = set(np.flatnonzero(complete).tolist())
    if dataset.complete_frames.get(video) and known != found:
        logging.warning(
            "%s: completely segmented frames found %s, listed in the spec %s; those found are used",
            folder, _few(found - known, "+") or "none more", _few(known - found, "-") or "none less",
        )  # fmt: skip


def _few(frames: set[int], sign: str) -> str:
    shown = " ".join(f"{sign}{frame}" for frame in sorted(frames)[:10])
    return shown + (f" and {len(frames) - 10} more" if len(frames) > 10 else "")


def _check_tracks(tracks: tuple[Track, ...], labels: NDArray[np.uint16], path: Path) -> None:
    """Raises `DataError` if masks hold labels that the table does not list, or in frames where it does not."""
    table = {track.label: track for track in tracks}
    for frame, mask in enumerate(labels):
        for label in np.unique(mask[mask > 0]).tolist():
            track = table.get(label)
            if track is None:
                raise DataError(f"{path}: does not list label {label}, which is in frame {frame}; add its line")
            if not track.begin <= frame <= track.end:
                span = f"{track.begin} to {track.end}"
                raise DataError(f"{path}: label {label} is in frame {frame}, but its line says {span}; correct one of them")
