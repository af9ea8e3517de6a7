"""Oracles of clustering by all distances."""

import numpy as np
from scipy.spatial.distance import cdist


def mutual_reachability(points, min_samples):
    """Distances [n, n], core distances to the `min_samples`-th neighbour, the point itself not counted."""
    distances = cdist(points, points)
    core = np.sort(distances, axis=1)[:, min_samples]
    return np.maximum(distances, np.maximum.outer(core, core))
