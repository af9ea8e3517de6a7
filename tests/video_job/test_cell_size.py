"""Cells that are unlike those of the training in size lead to a doubt, and others do not."""

import dataclasses

import numpy as np
import pytest

import cosembed
from cosembed.networks.card import read_card
from cosembed.networks.catalogue import network_folder
from cosembed.video_job.cell_size import doubts_about_cell_size

CARD = read_card(network_folder("simulated"))
# The side of a cell of the training, in a network image of 96 pixels that stands for 192.
SIDE = (CARD.expects.cell_area[1] / 4) ** 0.5


def squares(side: int, frames: int = 2) -> np.ndarray:
    """Label maps with four square cells."""
    labels = np.zeros((frames, 96, 96), np.uint16)
    for index, (y, x) in enumerate([(2, 2), (2, 50), (50, 2), (50, 50)], start=1):
        labels[:, y : y + side, x : x + side] = index
    return labels


@pytest.mark.parametrize(
    ("times", "doubted"), [(0.5, True), (0.9, False), (1.0, False), (1.25, False), (1.45, True), (3, True)]
)
def test_the_area_decides(times, doubted):
    side = round(SIDE * times)
    said = list(doubts_about_cell_size(squares(side), CARD))
    assert bool(said) == doubted
    if said:
        assert f"{side**2 / SIDE**2:.2g} times as large in area" in said[0]


def test_nothing_is_said_of_what_is_not_known():
    labels = squares(40)
    unmeasured = dataclasses.replace(CARD.expects, cell_area=None)
    assert list(doubts_about_cell_size(labels, None)) == []
    assert list(doubts_about_cell_size(labels, dataclasses.replace(CARD, expects=unmeasured))) == []
    assert list(doubts_about_cell_size(np.zeros_like(labels), CARD)) == []


@pytest.mark.parametrize(("size", "cells", "doubted"), [(192, 20, False), (384, 80, True)])
def test_a_video_of_another_magnification_is_doubted(size, cells, doubted):
    """The same cells in frames of twice the side, scaled as a whole, look half as large to the network."""
    images = cosembed.simulate_video(3, size, cells, 1.0, 7).images
    video = cosembed.track(images, "simulated", settings={"inference.scale": 0.0}, progress=False)
    assert any("times as large in area" in warning for warning in video.warnings) == doubted
