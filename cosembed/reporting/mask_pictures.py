"""Draws a coloured picture of every 16-bit mask. It knows masks and frames, not whether they are valid."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import read_labels
from cosembed.errors import DataError
from cosembed.files.writing import atomic_folder, atomic_write_bytes
from cosembed.images.frames import Frames, open_frames
from cosembed.reporting.colours import label_colours
from cosembed.reporting.overlays import colour_labels, encode_png, overlay


def write_mask_pictures(folder: Path, masks: Sequence[tuple[int, Path]], frames_dir: Path | None) -> None:
    """Writes a folder with a PNG of every mask, complete or not at all.

    Args:
        folder: The folder to write; must not exist.
        masks: Frame number and file of every mask; those that cannot be read are left out. The masks of one
            folder are taken as one video, in which neighbours have different colours.
        frames_dir: The frames to draw them on; black is drawn on where there are none.

    Raises:
        OutputError: `folder` exists.
    """
    frames = _open(frames_dir) if frames_dir is not None else None
    videos: dict[Path, list[tuple[int, Path]]] = {}
    for number, path in masks:
        videos.setdefault(path.parent, []).append((number, path))
    with atomic_folder(folder) as pictures:
        for video in videos.values():
            colours = label_colours(labels for _, _, labels in _readable(video))
            for number, path, labels in _readable(video):
                picture = _picture(labels, number, frames, colours)
                atomic_write_bytes(pictures / f"{path.stem}.png", encode_png(picture))


def _readable(masks: Iterable[tuple[int, Path]]) -> Iterator[tuple[int, Path, NDArray[np.uint16]]]:
    for number, path in masks:
        try:
            labels = read_labels(path)
        except DataError:
            continue
        yield number, path, labels


def _open(frames_dir: Path) -> Frames | None:
    try:
        return open_frames(frames_dir)
    except DataError:
        return None


def _picture(
    labels: NDArray[np.uint16], number: int, frames: Frames | None, colours: Mapping[int, int]
) -> NDArray[np.uint8]:
    """Draws labels over their frame, or on black if that is absent, cannot be read, or has another size."""
    if frames is not None and number in frames.numbers and labels.shape == frames.shape:
        with suppress(DataError):
            return overlay(frames[frames.numbers.index(number)], labels, colours)
    return colour_labels(labels, colours)
