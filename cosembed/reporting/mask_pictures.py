"""Draws a coloured picture of every 16-bit mask. It knows masks and frames, not whether they are valid."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.mask_files import read_labels
from cosembed.errors import DataError
from cosembed.files.writing import atomic_folder, atomic_write_bytes
from cosembed.images.frames import Frames, open_frames
from cosembed.reporting.overlays import colour_labels, encode_png, overlay


def write_mask_pictures(folder: Path, masks: Iterable[tuple[int, Path]], frames_dir: Path | None) -> None:
    """Writes a folder with a PNG of every mask, complete or not at all.

    Args:
        folder: The folder to write; must not exist.
        masks: Frame number and file of every mask; those that cannot be read are left out.
        frames_dir: The frames to draw them on; black is drawn on where there are none.

    Raises:
        OutputError: `folder` exists.
    """
    frames = _open(frames_dir) if frames_dir is not None else None
    with atomic_folder(folder) as pictures:
        for number, path in masks:
            try:
                labels = read_labels(path)
            except DataError:
                continue
            atomic_write_bytes(pictures / f"{path.stem}.png", encode_png(_picture(labels, number, frames)))


def _open(frames_dir: Path) -> Frames | None:
    try:
        return open_frames(frames_dir)
    except DataError:
        return None


def _picture(labels: NDArray[np.uint16], number: int, frames: Frames | None) -> NDArray[np.uint8]:
    """Draws labels over their frame, or on black if that is absent, cannot be read, or has another size."""
    if frames is not None and number in frames.numbers and labels.shape == frames.shape:
        with suppress(DataError):
            return overlay(frames[frames.numbers.index(number)], labels)
    return colour_labels(labels)
