"""Named lineages drawn frame by frame: what stitching gives on the left, what it stands for on the right."""

from typing import NamedTuple

import numpy as np

from tests.helpers.label_videos import video


class Case(NamedTuple):
    """A stitched video, spec values that differ, and the labels and table it must become."""

    stitched: np.ndarray
    changes: dict
    labels: np.ndarray
    table: list[tuple[int, int, int, int]]


def case(drawing: str, table: list[tuple[int, int, int, int]], **changes) -> Case:
    left, right = zip(*(line.split() for line in drawing.strip().splitlines()), strict=True)
    return Case(video(*left), changes, video(*right), table)


CASES = {
    # The left daughter keeps the mother's id; it is cut off and becomes a child.
    "division": case(
        """
        .111111.   .111111.
        .111111.   .111111.
        .111.22.   .333.22.
        .111.22.   .333.22.
        """,
        [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)],
    ),
    # The right daughter shows only one frame after the left one has gone on as 1: the mother lives until
    # then.
    "late division": case(
        """
        .111111.   .111111.
        .111111.   .111111.
        .111....   .111....
        .111..2.   .333..2.
        .111.22.   .333.22.
        """,
        [(1, 0, 2, 0), (2, 3, 4, 1), (3, 3, 4, 1)],
        parent_frames=4,
    ),
    "disappearing": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        """,
        [(1, 0, 2, 0), (2, 0, 0, 0)],
    ),
    # 2 comes back after three empty frames, too late for a parent two frames back.
    "re-appearing": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        .11.....   .11.....
        .11..33.   .11..33.
        """,
        [(1, 0, 4, 0), (2, 0, 0, 0), (3, 4, 4, 0)],
    ),
    # With eight frames of memory, what comes back is a child of what was there.
    "re-appearing, long memory": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        .11.....   .11.....
        .11..33.   .11..33.
        """,
        [(1, 0, 4, 0), (2, 0, 0, 0), (3, 4, 4, 2)],
        parent_frames=8,
    ),
    "merging": case(
        """
        .11..22.   .11..22.
        .11..22.   .11..22.
        .111111.   .111111.
        .111111.   .111111.
        """,
        [(1, 0, 3, 0), (2, 0, 1, 0)],
    ),
    # 1 divides in frame 1, and what goes on as 1 divides again in frame 3.
    "two divisions in a row": case(
        """
        11111111....   11111111....
        11111.222...   44444.222...
        11111.222...   44444.222...
        11.33.222...   55.33.222...
        11.33.222...   55.33.222...
        """,
        [(1, 0, 0, 0), (2, 1, 4, 1), (3, 3, 4, 4), (4, 1, 2, 1), (5, 3, 4, 4)],
    ),
    # The right daughter lies at the edge; within a border of two pixels it is erased and nothing divides.
    "division at the border": case(
        """
        ....111111   ....111111
        ....111111   ....111111
        ....111.22   ....111...
        ....111.22   ....111...
        """,
        [(1, 0, 3, 0)],
        border=(0, 2),
    ),
}  # fmt: skip
