"""What a microscope shows of the same cells: each look has the marks that tell it apart."""

import numpy as np
import pytest
from scipy import ndimage

from cosembed.errors import InputError
from cosembed.simulation import simulate_video
from cosembed.simulation.looks import LOOKS


@pytest.fixture(scope="module")
def videos():
    return {look: simulate_video(2, 160, 8, 0.1, 4, look) for look in LOOKS}


def regions(video):
    """Image, inside of cells, their rim's outside, and what is far from all cells."""
    image, cells = video.images[0].astype(float), video.labels[0] > 0
    inside = ndimage.binary_erosion(cells, iterations=4)
    near = ndimage.binary_dilation(cells, iterations=3) & ~ndimage.binary_dilation(cells, iterations=1)
    far = ~ndimage.binary_dilation(cells, iterations=20)
    return image, inside, near, far


def test_cells_and_truth_do_not_depend_on_the_look(videos):
    for video in videos.values():
        np.testing.assert_array_equal(video.labels, videos["standard"].labels)
        assert video.tracks == videos["standard"].tracks


def test_nuclei_are_bright_and_surrounded_by_haze(videos):
    image, inside, near, far = regions(videos["nuclei"])
    assert image[inside].mean() > 3 * image[far].mean()
    assert image[near].mean() > 1.2 * image[far].mean()


def test_phase_contrast_shows_dark_cells_with_bright_halos(videos):
    image, inside, near, far = regions(videos["phase"])
    assert image[inside].mean() < 0.95 * image[far].mean()
    assert image[near].mean() > 1.05 * image[far].mean()


def test_dic_shows_reliefs_as_grey_as_their_surroundings(videos):
    image, inside, _, far = regions(videos["dic"])
    assert image[inside].mean() == pytest.approx(image[far].mean(), rel=0.05)
    # Lit from one side: the upper left flank is brighter than the lower right one.
    cells = videos["dic"].labels[0] > 0
    slope_y, slope_x = np.gradient(ndimage.gaussian_filter(cells.astype(float), 2))
    flank = slope_y + slope_x
    assert image[flank > 0.1].mean() > 1.1 * image[flank < -0.1].mean()


def test_an_unknown_look_is_refused():
    with pytest.raises(InputError, match="--look=x-ray: is unknown; choose one of standard, nuclei"):
        simulate_video(2, 64, 2, 0, 1, "x-ray")
