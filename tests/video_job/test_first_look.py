"""A first look at a video chooses tiles for a larger field of view, and not for larger cells."""

from dataclasses import replace

import numpy as np
import pytest

from cosembed import load_network, simulate_video, track
from cosembed.images.array_frames import ArrayFrames
from cosembed.video_job.first_look import choose_scale


@pytest.fixture(scope="module")
def network():
    """It was trained on images of 192 x 192 pixels, which it sees at 96 x 96."""
    return load_network("simulated")


@pytest.fixture(scope="module")
def wide() -> np.ndarray:
    """A field of view of four times the area, at the magnification of the training."""
    return simulate_video(3, 384, 60, 0.5, 11).images


def test_a_larger_field_of_view_is_seen_in_tiles(network, wide):
    choice = choose_scale(ArrayFrames(wide), network, network.spec)
    assert choice.settings == {"inference.scale": 0.5}
    assert "2.0 times larger than those that the network was trained on" in choice.reason
    assert "They are tracked in tiles (--scale=whole: as a whole)." in choice.reason


def test_without_a_card_equal_magnification_is_assumed(network, wide):
    choice = choose_scale(ArrayFrames(wide), replace(network, card=None), network.spec)
    assert choice.settings == {"inference.scale": 0.5}


def test_larger_cells_are_scaled_as_a_whole(network):
    frames = simulate_video(2, 192, 15, 0.5, 12).images
    choice = choose_scale(ArrayFrames(frames.repeat(2, axis=1).repeat(2, axis=2)), network, network.spec)
    assert choice.settings == {}
    assert "They are scaled as a whole (--scale=0.5: in tiles)." in choice.reason


def test_frames_like_those_of_the_training_need_no_look(network):
    frames = np.random.default_rng(0).integers(0, 9, (2, 250, 192)).astype(np.uint8)
    assert choose_scale(ArrayFrames(frames), network, network.spec) == ({}, "")


def test_tracking_follows_the_first_look_unless_told_otherwise(network, wide):
    chosen = track(wide, network, progress=False)
    told = track(wide, network, settings={"inference.scale": 0.5}, progress=False)
    np.testing.assert_array_equal(chosen.labels, told.labels)
    whole = track(wide, network, settings={"inference.scale": 0.0}, progress=False)
    assert len(whole.tracks) != len(chosen.tracks)
