"""Labels are upsampled by the inverse of the test transform, and smoothly."""

import numpy as np
import pytest
from scipy import ndimage

from cosembed import specs
from cosembed.preprocessing.geometry import Grid, frame_grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking.upsample import upsample_labels
from tests.helpers.label_videos import disc_labels

PREPROCESSING = specs.resolve("simulated").preprocessing
NEAREST = UpsamplingSpec(method="nearest_gaussian", sigma=0.0)
SMOOTH = UpsamplingSpec(method="nearest_gaussian", sigma=2.0)
GAUSSIAN = UpsamplingSpec(method="label_gaussian", sigma=1.0)


def test_a_whole_factor_repeats_pixels():
    labels = disc_labels()
    grid = frame_grid((96, 64), PREPROCESSING, (32, 32))
    np.testing.assert_array_equal(
        upsample_labels(labels, grid, (96, 64), NEAREST), labels.repeat(3, axis=0).repeat(2, axis=1)
    )


@pytest.mark.parametrize("upsampling", [SMOOTH, GAUSSIAN])
def test_smooth_upsampling_keeps_labels_and_rounds_corners(upsampling):
    labels = disc_labels()
    grid = frame_grid((128, 128), PREPROCESSING, (32, 32))
    smooth, blocky = (upsample_labels(labels, grid, (128, 128), spec) for spec in (upsampling, NEAREST))
    assert set(np.unique(smooth)) == {0, 1, 2}
    for label in (1, 2):
        both = np.count_nonzero((smooth == label) & (blocky == label))
        assert both / np.count_nonzero((smooth == label) | (blocky == label)) > 0.93
        rows, columns = np.mgrid[:128, :128]
        centre, radius = {1: ((41.5, 37.5), 24), 2: ((81.5, 89.5), 28)}[label]
        ideal = (rows - centre[0]) ** 2 + (columns - centre[1]) ** 2 < radius**2
        assert np.count_nonzero(ideal ^ (smooth == label)) < np.count_nonzero(ideal ^ (blocky == label))


def test_smoothing_is_the_arg_max_of_every_labels_gaussian_and_the_backgrounds():
    labels = np.random.default_rng(3).integers(0, 6, (12, 14)).astype(np.uint16)
    grid = Grid(47 / 12, 47 / 24 - 0.5, 61 / 14, 61 / 28 - 0.5)
    blocky, smooth = (upsample_labels(labels, grid, (47, 61), spec) for spec in (NEAREST, SMOOTH))
    weights = np.stack(
        [ndimage.gaussian_filter((blocky == k).astype(float), 2.0, mode="nearest") for k in range(6)]
    )
    ordered = np.sort(weights, axis=0)
    clear = ordered[-1] - ordered[-2] > 1e-5
    assert clear.mean() > 0.99
    np.testing.assert_array_equal(smooth[clear], weights.argmax(axis=0)[clear])
    assert np.count_nonzero(smooth != blocky) > 100


@pytest.mark.parametrize("dataset", ["DIC-C2DH-HeLa", "Fluo-C2DL-MSC", "Fluo-N2DL-HeLa", "Fluo-N2DH-GOWT1"])
@pytest.mark.parametrize("upsampling", [NEAREST, GAUSSIAN])
def test_upsampling_inverts_the_test_transform(dataset, upsampling):
    """The pixel in the middle of every network pixel gets that pixel's label."""
    spec = specs.resolve(dataset).preprocessing
    shape = (301, 437)
    grid = frame_grid(shape, spec, (24, 24))
    labels = np.zeros((24, 24), np.uint16)
    labels[2:9, 3:12], labels[9:20, 3:12], labels[5:22, 12:21] = 1, 2, 3
    image = upsample_labels(labels, grid, shape, upsampling)
    rows = np.rint(grid.offset_y + grid.scale_y * np.arange(24)).astype(int)
    columns = np.rint(grid.offset_x + grid.scale_x * np.arange(24)).astype(int)
    np.testing.assert_array_equal(image[rows][:, columns], labels)


def test_where_the_zoom_looked_away_there_is_background():
    spec = specs.resolve("Fluo-C2DL-MSC").preprocessing
    assert spec.test_zoom == 0.95
    grid = frame_grid((200, 400), spec, (32, 32))
    full = upsample_labels(np.full((32, 32), 7, np.uint16), grid, (200, 400), NEAREST)
    assert (full[5:195, 10:390] == 7).all()
    assert full.sum() == 7 * 190 * 380
