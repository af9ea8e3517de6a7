"""Synthetic embeddings whose instances are known."""

import numpy as np

from benchmarks.embeddings import embeddings_of as embeddings_of
from cosembed.specs import TrackingSpec

SPEC = TrackingSpec(min_points=30, coordinate_factor=0.01, border=(0, 0), parent_dilation=0, parent_frames=2)


def moving_discs(frames=5, side=64):
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((frames, side, side), np.int64)
    for frame in range(frames):
        for label, (y, x, dy, dx) in enumerate(
            [(14, 14, 1, 1), (14, 40, 0, -1), (45, 20, -1, 0), (46, 46, 0, 1)], start=1
        ):
            labels[frame][(rows - y - dy * frame) ** 2 + (columns - x - dx * frame) ** 2 <= 64] = label
    return labels
