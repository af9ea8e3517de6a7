"""Synthetic embeddings whose instances are known."""

import numpy as np
from scipy.ndimage import gaussian_filter

from cosembed.specs import TrackingSpec

SPEC = TrackingSpec(min_points=30, coordinate_factor=0.01, border=(0, 0), parent_dilation=0, parent_frames=2)


def embeddings_of(labels: np.ndarray, dimensions: int = 8, noise: float = 0.05, seed: int = 0) -> np.ndarray:
    """Unit vectors: axis 0 for background, another axis per label, with noise."""
    axes = np.where(labels > 0, 1 + labels % (dimensions - 1), 0)
    vectors = np.eye(dimensions)[axes] + np.random.default_rng(seed).normal(0, noise, (*labels.shape, dimensions))
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def blurred(embeddings: np.ndarray, sigma: float = 1.5) -> np.ndarray:
    """Unit vectors that go over into each other at borders, as a network's do."""
    vectors = gaussian_filter(embeddings, (0, sigma, sigma, 0))
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


def moving_discs(frames=5, side=64):
    rows, columns = np.mgrid[:side, :side]
    labels = np.zeros((frames, side, side), np.int64)
    for frame in range(frames):
        for label, (y, x, dy, dx) in enumerate([(14, 14, 1, 1), (14, 40, 0, -1), (45, 20, -1, 0), (46, 46, 0, 1)], start=1):
            labels[frame][(rows - y - dy * frame) ** 2 + (columns - x - dx * frame) ** 2 <= 64] = label
    return labels
