"""The classical segmentation finds drawn cells whose masks are known."""

import numpy as np
import pytest

from cosembed.baselines.segmentation import segment_cells
from cosembed.baselines.values import BaselineValues
from cosembed.metrics.ctc import frame_seg

ROWS, COLUMNS = np.mgrid[:100, :120]


def disc(y: float, x: float, radius: float) -> np.ndarray:
    return (ROWS - y) ** 2 + (COLUMNS - x) ** 2 <= radius**2


def frame_of(labels: np.ndarray, noise: float = 5.0) -> np.ndarray:
    """Cells of grey 300 on a background of 100."""
    random = np.random.default_rng(3)
    return np.where(labels > 0, 300.0, 100.0) + random.normal(0, noise, labels.shape)


def two_touching() -> np.ndarray:
    """Two discs of radius 15 whose outlines overlap, cut at the line between them, and one alone."""
    left, right = disc(40, 35, 15), disc(40, 61, 15)
    labels = np.where(left & (COLUMNS <= 48), 1, 0) + np.where(right & (COLUMNS > 48), 2, 0)
    return labels + 3 * disc(80, 95, 12)


@pytest.mark.parametrize("seeds", ["distance", "both"])
def test_touching_discs_are_split_where_they_touch(seeds):
    truth = two_touching()
    found = segment_cells(frame_of(truth), BaselineValues(seeds=seeds, threshold=0.7))
    assert len(np.unique(found)) == 4
    assert frame_seg(found, truth) > 0.93


def test_seeds_of_a_large_scale_make_one_cell_of_two_and_lose_none():
    found = segment_cells(frame_of(two_touching()), BaselineValues(seed_scale=20.0, threshold=0.7))
    assert len(np.unique(found)) == 3


def test_seeds_of_brightness_split_a_body_that_has_no_waist():
    body = (abs(ROWS - 50) < 12) & (abs(COLUMNS - 60) < 40)
    frame = 100 + 300.0 * body * np.cos((COLUMNS - 60) / 40 * 1.5 * np.pi) ** 2
    values = {"seed_scale": 4.0, "threshold": 0.1, "smallest": 100}
    by_feature = segment_cells(frame, BaselineValues(seeds="feature", **values))
    assert len({by_feature[50, x] for x in (34, 60, 86)} - {0}) == 3
    assert abs(int((by_feature > 0).sum()) - int(body.sum())) < 0.4 * body.sum()


@pytest.mark.parametrize("feature", ["brightness", "darkness", "texture"])
def test_every_feature_finds_the_cells_that_it_is_for(feature):
    truth = 1 * disc(50, 40, 18) + 2 * disc(50, 90, 18)
    random = np.random.default_rng(1)
    frame = {
        "brightness": np.where(truth > 0, 300.0, 100.0),
        "darkness": np.where(truth > 0, 100.0, 300.0),
        "texture": 200 + random.normal(0, 1, truth.shape) * np.where(truth > 0, 60, 2),
    }[feature]
    values = BaselineValues(feature=feature, smoothing=2.0, threshold=0.8, seed_scale=6.0)
    assert frame_seg(segment_cells(frame, values), truth) > 0.8


def test_a_local_background_finds_cells_on_a_slope():
    truth = sum(number * disc(50, x, 8) for number, x in enumerate((20, 60, 100), start=1))
    frame = 20.0 * COLUMNS + 200 * (truth > 0)
    values = BaselineValues(smallest=30, seed_scale=3.0)
    assert frame_seg(segment_cells(frame, values), truth) < 0.5
    from_window = BaselineValues(smallest=30, seed_scale=3.0, window=41)
    assert frame_seg(segment_cells(frame, from_window), truth) > 0.8


def test_a_share_trims_a_bright_cells_halo_and_leaves_a_dim_cell_whole():
    bright, halo, dim = disc(30, 30, 10), disc(30, 30, 16), disc(70, 80, 10)
    frame = 100.0 + 60 * halo + 840 * bright + 80 * dim
    found = segment_cells(frame, BaselineValues(threshold=0.06, smoothing=0.5, share=0.5, seed_scale=5.0))
    assert frame_seg(found, 1 * bright + 2 * dim) > 0.9


def test_holes_and_specks_up_to_the_smallest_cell_vanish():
    frame = np.full((100, 120), 100.0)
    frame[20:60, 20:60] = 300
    frame[35:40, 35:40] = 100
    frame[80:84, 80:84] = 300
    found = segment_cells(frame, BaselineValues(smoothing=0.1, seed_scale=8.0, smallest=30))
    expected = np.zeros((100, 120), int)
    expected[20:60, 20:60] = 1
    np.testing.assert_array_equal(found, expected)
    kept = segment_cells(frame, BaselineValues(smoothing=0.1, seed_scale=8.0, smallest=10))
    assert (kept[35:40, 35:40] == 0).all() and (kept[80:84, 80:84] > 0).all()


@pytest.mark.parametrize("feature", ["brightness", "darkness", "texture"])
@pytest.mark.parametrize("window", [0, 11])
@pytest.mark.parametrize("grey", [0, 7, 65535])
def test_a_frame_of_one_grey_value_holds_no_cell(feature, window, grey):
    frame = np.full((40, 50), grey, np.uint16)
    found = segment_cells(frame, BaselineValues(feature=feature, window=window))
    assert found.shape == (40, 50) and not found.any()


def test_of_several_channels_the_first_counts():
    frame = frame_of(two_touching())
    stacked = np.stack([frame, np.zeros_like(frame)], axis=-1)
    np.testing.assert_array_equal(
        segment_cells(stacked, BaselineValues()), segment_cells(frame, BaselineValues())
    )
