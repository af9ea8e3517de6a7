"""Keeps the instances of frame pairs in single tiles, packed, until they are merged. Knows no network."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.files.packed_arrays import Packed, PackedArrays


class PackedPair(NamedTuple):
    """Holds the labels int32 [F, h, w] of a frame pair in one tile, packed.

    Attributes:
        pair: Index of the frame pair.
        tile: Index of the tile.
        packed: The labels.
    """

    pair: int
    tile: int
    packed: Packed


class PieceLabels:
    """Keeps the labels of frame pairs in tiles, in any order."""

    def __init__(self) -> None:
        """Starts without any."""
        self._arrays = PackedArrays()
        self._places: dict[int, list[tuple[int, int]]] = defaultdict(list)

    def __len__(self) -> int:
        return len(self._arrays)

    def append(self, pair: int, tile: int, labels: NDArray[np.int32]) -> None:
        """Adds the labels int32 [F, h, w] of a frame pair in a tile."""
        self._places[pair].append((tile, len(self._arrays)))
        self._arrays.append(labels)

    def append_packed(self, one: PackedPair) -> None:
        """Adds what was packed elsewhere."""
        self._places[one.pair].append((one.tile, len(self._arrays)))
        self._arrays.append_packed(one.packed)

    def of_pair(self, pair: int) -> Iterator[tuple[int, NDArray[np.int32]]]:
        """Yields the index of every tile and its labels int32 [F, h, w] of a frame pair."""
        return ((tile, self._arrays[index]) for tile, index in self._places[pair])

    def packed(self) -> Iterator[PackedPair]:
        """Yields all of them, packed."""
        for pair, places in self._places.items():
            for tile, index in places:
                yield PackedPair(pair, tile, self._arrays.packed(index))
