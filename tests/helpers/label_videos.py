"""Videos of labels, drawn or arbitrary, and what must hold for tracks made of them."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.specs import TrackingSpec

# The labels of one to five frame pairs, whatever a clustering may have found.
pair_videos = st.integers(1, 5).flatmap(
    lambda pairs: hnp.arrays(np.int32, (pairs, 2, 5, 6), elements=st.integers(0, 4))
)


def tracking_spec(**changes):
    values = {
        "min_points": 10,
        "coordinate_factor": 0.01,
        "border": (0, 0),
        "parent_dilation": 0,
        "parent_frames": 2,
    }
    return TrackingSpec(**{**values, **changes})


def video(*frames: str) -> np.ndarray:
    """One row of pixels per frame; digits are labels, dots background. Every row is made four pixels high."""
    rows = [[0 if character == "." else int(character) for character in frame] for frame in frames]
    return np.repeat(np.array(rows, np.int32)[:, None], 4, axis=1)


# A cell that lies wholly within two columns of the border in its second frame and in its last one.
INTO_THE_BORDER = video(
    "..11..",
    "11....",
    "..11..",
    ".1....",
)  # fmt: skip


def disc_labels(side=32):
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((side, side), np.uint16)
    labels[(rows - 10) ** 2 + (columns - 9) ** 2 < 36] = 1
    labels[(rows - 20) ** 2 + (columns - 22) ** 2 < 49] = 2
    return labels


def assert_consistent(labels, tracks):
    table = {track.label: track for track in tracks}
    assert len(table) == len(tracks)
    assert set(np.unique(labels)) - {0} == set(table)
    for track in tracks:
        present = np.flatnonzero((labels == track.label).any(axis=(1, 2)))
        assert (track.begin, track.end) == (present[0], present[-1])
        assert track.begin <= track.end
        if track.parent:
            assert table[track.parent].end < track.begin


def in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    values, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.zeros(len(values), int)
    rank[np.argsort(np.where(values == 0, -1, first))] = np.arange(len(values)) + (0 if 0 in values else 1)
    return rank[inverse].reshape(labels.shape)
