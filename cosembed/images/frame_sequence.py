"""Says what a video is to those who work on one, be it files or an array in memory. Knows no files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from numpy.typing import NDArray


class FrameSequence(Protocol):
    """Frames [H, W] or [H, W, C] in their own dtype and in the order of time, read and checked one by one."""

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""

    @property
    def dtype(self) -> str:
        """Type of the pixels, for example `uint16`."""

    @property
    def channels(self) -> int:
        """How many channels a frame has; with one, it is [H, W]."""

    @property
    def numbers(self) -> list[int]:
        """The number of every frame, for people."""

    def __len__(self) -> int: ...

    def __iter__(self) -> Iterator[NDArray]: ...

    def __getitem__(self, index: int, /) -> NDArray: ...
