"""Writes overlays in full resolution as tiles, which a viewer loads as far as they are in sight.

FOLDER/FRAME/LEVEL/ROW_COLUMN.jpg   a tile of 512 x 512 pixels or less; level 0 is the frame's own resolution,
                                    and each further level half of the one before, until one tile suffices

It knows frames, label images and where to write, not why these frames are shown.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cosembed.files.writing import atomic_write_bytes
from cosembed.reporting.overlays import stretch, tinted
from cosembed.reporting.player import pack_cells
from cosembed.reporting.report import Viewer

TILE = 512
JPEG_QUALITY = 85


class TiledFrames:
    """Writes frames with their cells, and makes the viewer that shows them.

    Args:
        folder: Where the tiles lie; it exists.
        colours: Label -> entry, of all labels of the video.
    """

    def __init__(self, folder: Path, colours: Mapping[int, int]) -> None:
        self._folder = folder
        self._colours = colours
        self._frames: list[dict[str, int | str]] = []
        self._sizes: list[list[int]] = []

    def add(self, number: int, frame: NDArray, labels: NDArray) -> None:
        """Writes the tiles of one frame; of its levels no more than one is in memory.

        Args:
            number: The frame's number.
            frame: [H, W] or [H, W, C] of any dtype; all frames are of one size.
            labels: uint16 [H, W].
        """
        cells = base64.b64encode(pack_cells(labels)).decode()
        self._frames.append({"number": number, "cells": cells})
        grey = stretch(frame)
        sizes: list[list[int]] = []
        while True:
            self._write_level(self._folder / f"{number}" / f"{len(sizes)}", grey, labels)
            sizes.append([labels.shape[1], labels.shape[0]])
            if max(labels.shape) <= TILE:
                break
            grey, labels = np.asarray(Image.fromarray(grey).reduce(2)), labels[::2, ::2]
        self._sizes = sizes

    def viewer(self, name: str, caption: str) -> Viewer:
        """Makes the viewer of all frames that were added.

        Args:
            name: The tiles' folder, as it is called from the page that shows them.
            caption: What is shown.
        """
        data = {"folder": name, "tile": TILE, "sizes": self._sizes, "frames": self._frames}
        return Viewer(caption, "tiles", data)

    def _write_level(self, folder: Path, grey: NDArray[np.uint8], labels: NDArray) -> None:
        for row, column in np.ndindex(*(-(-side // TILE) for side in labels.shape)):
            # One pixel more on each side, so that no outline ends at a seam.
            top, left = row * TILE, column * TILE
            above, before = min(top, 1), min(left, 1)
            part = np.s_[top - above : top + TILE + 1, left - before : left + TILE + 1]
            picture = tinted(grey[part], labels[part], self._colours)
            tile = picture[above : above + TILE, before : before + TILE]
            file = io.BytesIO()
            Image.fromarray(tile).save(file, "JPEG", quality=JPEG_QUALITY)
            atomic_write_bytes(folder / f"{row}_{column}.jpg", file.getvalue())
