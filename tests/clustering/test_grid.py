"""Pixels between those of the grid join its clusters as HDBSCAN defines clusters."""

import dataclasses

import numpy as np
import pytest

from cosembed import clustering
from cosembed.clustering import background_embedding, cluster_points
from cosembed.clustering.grid import NEIGHBOURS, cluster_on_grid
from tests.helpers.reference_clustering import join_by_all_distances
from tests.helpers.synthetic_embeddings import SPEC, embeddings_of, moving_discs


@pytest.mark.parametrize(("stride", "min_points"), [(2, 100), (3, 230)])
def test_fast_joins_pixels_to_the_clusters_of_the_grid_as_hdbscan_would(stride, min_points):
    pair = embeddings_of(moving_discs(frames=2), noise=0.1, blur=1.5)
    background = background_embedding(pair)
    spec = dataclasses.replace(SPEC, min_points=min_points, mode="fast")
    foreground, points = clustering.foreground_points(pair, background, spec)
    _, rows, columns = np.nonzero(foreground)
    np.testing.assert_array_equal(foreground, pair @ background < 0.95)
    np.testing.assert_allclose(points, np.column_stack([pair[foreground], 0.01 * rows, 0.01 * columns]))
    found = cluster_on_grid(points, foreground, stride, min_points)

    on_grid = (rows % stride == 0) & (columns % stride == 0)
    count = round(min_points / stride**2)
    sampled = cluster_points(points[on_grid], count)
    assert NEIGHBOURS == 8
    of_grid, between, nearest = join_by_all_distances(points[on_grid], sampled, points[~on_grid], count, 8)
    np.testing.assert_array_equal(found[~on_grid], between)
    np.testing.assert_array_equal(found[on_grid], of_grid)
    # The nearest grid pixel's label alone would be another outcome.
    assert not np.array_equal(between, nearest)


def test_the_example_of_the_module_goes_as_it_says():
    """A row of sixteen pixels: the even ones are the grid, and three of the others are foreground."""
    values = np.full(16, np.nan)
    values[::2] = [-3, 0, 1, 2, 7, 8, 9, 12]
    # 2.5 lies beside the grid's 2; where 4.5 and 16 lie does not matter.
    values[[5, 7, 15]] = [2.5, 4.5, 16]
    foreground = ~np.isnan(values)[None, None]
    points = values[foreground[0, 0]][:, None]
    without = cluster_on_grid(points[[0, 1, 2, 4, 6, 7, 8, 9]], foreground & (np.arange(16) % 2 == 0), 2, 8)
    np.testing.assert_array_equal(without, [0, 0, 0, 0, 1, 1, 1, 1])
    clusters = dict(
        zip(points[:, 0].tolist(), cluster_on_grid(points, foreground, 2, 8).tolist(), strict=True)
    )
    assert clusters.pop(4.5) in (0, 1)
    assert clusters == {-3: -1, 0: 0, 1: 0, 2: 0, 2.5: 0, 7: 1, 8: 1, 9: 1, 12: -1, 16: -1}
