"""What is said of memory: with tiles, the network's share depends on the tile, not on the image."""

import pytest

from cosembed import specs
from cosembed.errors import InputError
from cosembed.files.packed_arrays import IN_MEMORY
from cosembed.video_job import memory
from tests.helpers.builders import small_spec

GIGABYTE = 10**9
SPEC = specs.override(small_spec("network.image_size=96"), {"inference.scale": 1.0})


def test_tiles_need_two_gigabytes_for_4096_pixels_a_side():
    parts = memory.estimate(3, (4096, 4096), SPEC)
    assert parts["label maps"] == 2 * int(0.1 * 4096**2 * 3)
    assert sum(parts.values()) < 2 * GIGABYTE


def test_a_video_of_5000_frames_of_2048_pixels_a_side_fits_into_two_gigabytes_with_the_program():
    """TensorFlow and the network itself take half a gigabyte."""
    spec = specs.resolve("DIC-C2DH-HeLa")
    for frames in (500, 5000):
        assert sum(memory.estimate(frames, (2048, 2048), spec).values()) < 1.4 * GIGABYTE
    parts = memory.estimate(10**6, (2048, 2048), spec)
    assert parts["label maps"] < 2.1 * IN_MEMORY
    assert max(parts, key=parts.get) == "tables"


def test_what_the_network_needs_does_not_depend_on_the_image():
    small, large = (memory.estimate(3, (side, side), SPEC) for side in (4096, 16384))
    assert small["network"] == large["network"] and small["clustering"] == large["clustering"]
    assert large["tiles"] < 0.6 * GIGABYTE
    assert large["one frame"] == 16 * small["one frame"]


def test_what_a_huge_image_needs_is_said_with_the_remedy():
    with pytest.raises(InputError, match=r"about 1\d,\d{3} MB needed .*but 2,000 MB available; cut the"):
        memory.check(memory.estimate(1, (16384, 16384), SPEC), 2 * GIGABYTE)
