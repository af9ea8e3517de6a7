"""Cells are measured as numpy loops and the formulas of geometry say."""

import math

import numpy as np
import pytest
from scipy import ndimage

from cosembed.errors import DataError
from cosembed.tracking.regions import (
    Region,
    Shape,
    image_or_none,
    measure_regions,
    region_columns,
    shape_columns,
)
from tests.helpers.label_videos import disc_labels


def measure_shapes(mask, image=None):
    columns = shape_columns(mask, image)
    labels, _ = region_columns(mask)
    return {label: Shape(*values) for label, values in zip(labels.tolist(), columns.tolist(), strict=True)}


def test_regions_are_centroids_and_areas():
    mask = disc_labels()
    regions = measure_regions(mask)
    for label in (1, 2):
        y, x = ndimage.center_of_mass(mask == label)
        assert regions[label] == pytest.approx(Region(y, x, np.count_nonzero(mask == label)))
    assert measure_regions(np.zeros((4, 4), np.uint16)) == {}


def test_shapes_are_those_of_known_figures():
    mask = np.zeros((80, 120), np.uint16)
    rows, columns = np.mgrid[:80, :120]
    mask[((rows - 25) / 10) ** 2 + ((columns - 30) / 20) ** 2 <= 1] = 3
    mask[(rows - 55) ** 2 + (columns - 90) ** 2 <= 15**2] = 9
    mask[70, 2] = 5
    shapes = measure_shapes(mask)
    assert shapes[3].eccentricity == pytest.approx(math.sqrt(1 - 0.5**2), abs=0.01)
    assert shapes[9].eccentricity == pytest.approx(0, abs=0.02)
    assert shapes[9].perimeter == pytest.approx(2 * math.pi * 15, rel=0.05)
    # Ramanujan's approximation of an ellipse's perimeter.
    ellipse = math.pi * (3 * 30 - math.sqrt((3 * 20 + 10) * (20 + 3 * 10)))
    assert shapes[3].perimeter == pytest.approx(ellipse, rel=0.05)
    assert shapes[5][:2] == (0, 0) and all(math.isnan(shape.mean_intensity) for shape in shapes.values())
    assert measure_shapes(np.zeros((4, 4), np.uint16)) == {}


@pytest.mark.parametrize("channels", [(), (3,)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_intensities_are_means_over_the_cells_pixels(channels, dtype):
    mask = disc_labels()
    image = np.random.default_rng(0).integers(0, 250, (*mask.shape, *channels)).astype(dtype)
    shapes = measure_shapes(mask, image)
    for label in (1, 2):
        assert shapes[label].mean_intensity == pytest.approx(image[mask == label].mean(dtype=np.float64))


def test_a_frame_that_is_gone_has_no_image():
    class Images:
        def __getitem__(self, index):
            if index == 1:
                raise DataError("t001.tif: does not exist")
            return np.full((2, 2), 7 + index)

    assert image_or_none(Images(), 1) is None and image_or_none(None, 0) is None
    np.testing.assert_array_equal(image_or_none(Images(), 2), [[9, 9], [9, 9]])
