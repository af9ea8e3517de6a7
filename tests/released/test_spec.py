"""A spec takes the form of a released network, and prepares frames as the released code does."""

import numpy as np
import pytest
from scipy import ndimage

from cosembed import released, specs
from cosembed.inference.stepper import prepare_frames
from tests.helpers.numpy_network import seeded_variables, write_checkpoint


def test_a_spec_takes_the_networks_form_and_the_released_values(tmp_path):
    model = released.load_released(
        write_checkpoint(tmp_path / "model-1", seeded_variables(1, levels=2, outputs=6))
    )
    spec = released.released_spec(model, "Fluo-C2DL-MSC")
    plain = specs.resolve("Fluo-C2DL-MSC", "released", "paper")
    assert (spec.recipe, spec.network.image_size, spec.network.levels, spec.network.outputs) == (
        "released",
        256,
        2,
        6,
    )
    assert (spec.preprocessing, spec.tracking, spec.upsampling) == (
        plain.preprocessing,
        plain.tracking,
        plain.upsampling,
    )


def test_a_network_of_the_follow_up_takes_its_recipe(tmp_path):
    model = released.load_released(
        write_checkpoint(tmp_path / "model-2", seeded_variables(1, outputs=6, follow_up=True))
    )
    spec = released.released_spec(model, "Fluo-C2DL-MSC", {"tracking.bandwidth": 0.2})
    plain = specs.resolve("Fluo-C2DL-MSC", "mia2019", "paper", {"tracking.bandwidth": 0.2})
    assert (spec.recipe, spec.profile, spec.network.variant) == ("mia2019", "paper", "mia2019")
    assert (spec.network.levels, spec.network.outputs, spec.network.image_size) == (3, 6, 256)
    for section in ("preprocessing", "inference", "tracking", "upsampling"):
        assert getattr(spec, section) == getattr(plain, section)
    # Transcribed by hand from the recovered facts.
    assert (spec.preprocessing.smoothing_sigma, spec.preprocessing.lower_percentile) == (1.0, 0.05)
    assert spec.preprocessing.upper_percentile == 99.95
    assert (spec.tracking.method, spec.tracking.background, spec.inference.window) == (
        "mean_shift",
        "fixed",
        8,
    )


# Transcribed by hand from the released test code: percentiles behind its consideration factors, and the extra
# zoom.
RELEASED_INPUT = {
    "DIC-C2DH-HeLa": (10, 95, 1.0),
    "Fluo-C2DL-MSC": (10, 99.5, 0.95),
    "Fluo-N2DH-GOWT1": (10, 95, 1.0),
    "Fluo-N2DH-SIM+": (10, 99.5, 1.0),
    "Fluo-N2DL-HeLa": (10, 95, 1.0),
    "PhC-C2DH-U373": (10, 95, 1.0),
}


@pytest.mark.parametrize("dataset", RELEASED_INPUT)
def test_frames_reach_a_released_network_as_the_released_code_prepares_them(dataset):
    """Gaussian of 2 pixels, robust range to -1..1, stretched to 256 x 256: once more with scipy alone."""
    lower, upper, zoom = RELEASED_INPUT[dataset]
    frame = np.random.default_rng(5).gamma(2, 50, (190, 310)).astype(np.uint16)
    smooth = ndimage.gaussian_filter(frame.astype(np.float64), 2, mode="nearest")
    ordered = np.sort(smooth, axis=None)
    low, high = (ordered[int(len(ordered) * percentile / 100)] for percentile in (lower, upper))
    normalised = (smooth - low) / (high - low) * 2 - 1
    # Pixel i of 256 covers the i-th part of the kept middle.
    axes = [(np.arange(256) + 0.5) / 256 * side * zoom + side * (1 - zoom) / 2 - 0.5 for side in frame.shape]
    expected = ndimage.map_coordinates(normalised, np.meshgrid(*axes, indexing="ij"), order=1, mode="nearest")
    (prepared,) = prepare_frames([frame], specs.resolve(dataset, "released", "paper"))
    assert prepared.shape == (256, 256, 1)
    np.testing.assert_allclose(prepared[..., 0], expected, atol=2e-4)
