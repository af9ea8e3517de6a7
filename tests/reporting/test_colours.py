"""Cells that ever come close have different colours, and everybody can tell the colours apart."""

import hypothesis
import hypothesis.extra.numpy
import imagecodecs
import numpy as np
import pytest
import tifffile
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from skimage.color import deltaE_ciede2000, rgb2lab

from cosembed.reporting.colours import ENTRIES, PALETTE, choose_entries, label_colours
from cosembed.reporting.mask_pictures import write_mask_pictures
from cosembed.reporting.neighbours import GRID_SIDE, REACH, NeighbourGraph
from cosembed.reporting.overlays import colour_labels, training_picture
from cosembed.simulation import simulate_video

# What a colour of linear RGB looks like without the cones of long, middle and short waves: Machado, Oliveira
# and Fernandes (2009), "A physiologically-based model for simulation of color vision deficiency", severity 1.
VISIONS = {
    "normal": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}


def seen_in_lab(colours: np.ndarray, vision: str) -> np.ndarray:
    """Colours uint8 [N, 3] as CIELAB [N, 3] of what somebody with this vision sees."""
    encoded = colours / 255
    linear = np.where(encoded <= 0.04045, encoded / 12.92, ((encoded + 0.055) / 1.055) ** 2.4)
    seen = np.clip(linear @ np.array(VISIONS[vision]).T, 0, 1)
    again = np.where(seen <= 0.0031308, 12.92 * seen, 1.055 * seen ** (1 / 2.4) - 0.055)
    return rgb2lab(again[None])[0]


def closest(colours: np.ndarray, vision: str) -> tuple[float, float]:
    """The least distance of two of the colours: in CIELAB, and by CIEDE2000."""
    lab = seen_in_lab(colours, vision)
    first, second = np.triu_indices(len(lab), 1)
    return (
        np.linalg.norm(lab[first] - lab[second], axis=-1).min(),
        deltaE_ciede2000(lab[first], lab[second]).min(),
    )


@pytest.mark.parametrize("vision", VISIONS)
def test_item_16_everybody_can_tell_the_palette_apart(vision):
    distance, difference = closest(PALETTE, vision)
    assert distance >= 20 and difference >= 17
    assert (np.linalg.norm(seen_in_lab(PALETTE, vision), axis=-1) > 40).all(), "seen on black"


def test_the_measure_finds_the_colours_of_the_former_palette_too_alike():
    """Its entries 2 and 12, blue and lighter blue, and a red and a green that are one without red cones."""
    assert closest(np.array([[86, 180, 233], [115, 177, 211]]), "normal")[0] < 20
    assert closest(np.array([[200, 80, 0], [110, 120, 0]]), "deuteranopia")[1] < 17
    np.testing.assert_allclose(seen_in_lab(np.array([[255] * 3]), "protanopia"), [[100, 0, 0]], atol=0.1)


def crowd(frame: int, cells: int = 60, size: int = 120) -> np.ndarray:
    """A frame full of cells without gaps, each moving on a circle of its own."""
    random = np.random.default_rng(7)
    centres, radii, phases = (
        random.uniform(0, size, (cells, 2)),
        random.uniform(0, 12, cells),
        random.uniform(0, 6, cells),
    )
    turns = phases + frame / 12
    centres = centres + radii[:, None] * np.stack([np.sin(turns), np.cos(turns)], axis=-1)
    pixels = np.stack(np.indices((size, size)), axis=-1).reshape(-1, 2)
    return (cKDTree(centres).query(pixels)[1] + 1).reshape(size, size).astype(np.uint16)


def touching_pairs(labels: np.ndarray) -> set[tuple[int, int]]:
    """Pairs of labels with pixels side by side, found pixel by pixel."""
    found = set()
    for row, column in np.argwhere(labels > 0).tolist():
        for down, across in ((0, 1), (1, 0), (1, 1), (1, -1)):
            other = (row + down, column + across)
            if other[0] < labels.shape[0] and 0 <= other[1] < labels.shape[1]:
                pair = sorted((int(labels[row, column]), int(labels[other])))
                if pair[0] not in (0, pair[1]):
                    found.add(tuple(pair))
    return found


def test_item_16_touching_cells_never_share_a_colour():
    """Also not cells that touch in another frame only: a cell has one colour in the whole video."""
    frames = [crowd(frame) for frame in range(0, 40, 4)]
    colours = label_colours(iter(frames))
    pairs = set().union(*(touching_pairs(labels) for labels in frames))
    assert len(pairs) > len(touching_pairs(frames[0])) > 100
    assert not [pair for pair in pairs if colours[pair[0]] == colours[pair[1]]]
    assert set(colours.values()) == set(range(len(PALETTE))), "all colours are used"
    assert colours == label_colours(frames)


def close_pairs(labels: np.ndarray, reach: float) -> set[tuple[int, int]]:
    """Pairs of labels with pixels at most so far apart, found in a tree of all pixels."""
    places = np.argwhere(labels > 0)
    names = labels[labels > 0]
    pairs = (
        cKDTree(places).query_pairs(reach, output_type="ndarray") if len(places) else np.empty((0, 2), int)
    )
    both = np.sort(names[pairs], axis=-1)
    return {(int(low), int(high)) for low, high in both[both[:, 0] < both[:, 1]]}


label_videos = hypothesis.extra.numpy.arrays(
    np.uint16,
    st.tuples(st.integers(1, 4), st.integers(1, 9), st.integers(1, 9)),
    elements=st.integers(0, 12) | st.sampled_from([0, 0, 0, 40_000, 65_535]),
    fill=st.just(0),
)


@hypothesis.settings(deadline=None, max_examples=150)
@hypothesis.given(label_videos)
def test_cells_that_ever_come_close_never_share_a_colour(video):
    """Whatever the video: also where more of them meet than there are colours without stripes."""
    pairs = set().union(*(close_pairs(labels, REACH) for labels in video))
    graph = NeighbourGraph()
    for labels in video:
        graph.add(labels)
    found = {
        (label, other)
        for label in np.unique(video[video > 0]).tolist()
        for other in graph.frames_shared(label)
    }
    assert {pair for pair in found if pair[0] < pair[1]} == pairs
    colours = label_colours(video)
    assert colours.keys() == set(np.unique(video[video > 0]).tolist())
    assert not [pair for pair in pairs if colours[pair[0]] == colours[pair[1]]]
    assert colours == label_colours(iter(video))


def test_few_colours_suffice_for_a_dense_simulated_video():
    """All cells that come close differ, and none needs stripes."""
    video = simulate_video(frames=20, size=200, cells=40, difficulty=1, seed=4).labels
    colours = label_colours(video)
    pairs = set().union(*(close_pairs(labels, REACH) for labels in video))
    assert len(pairs) > 100
    assert not [pair for pair in pairs if colours[pair[0]] == colours[pair[1]]]
    assert max(colours.values()) < len(PALETTE)


def test_cells_close_to_each_other_are_neighbours_in_pictures_of_any_size():
    for side, gap, near in ((100, 2, True), (100, 5, False), (4 * GRID_SIDE, 7, True)):
        labels = np.zeros((side, side), np.uint16)
        labels[:20, :20], labels[:20, 20 + gap : 60] = 1, 2
        graph = NeighbourGraph()
        graph.add(labels)
        assert graph.conflicts({1: 0, 2: 0}) == near


def all_meet(count: int, seldom: tuple[int, int] = (0, 0)) -> NeighbourGraph:
    """Labels of which all pairs meet in two frames, one pair in one only."""
    graph = NeighbourGraph()
    for first in range(1, count + 1):
        for second in range(first + 1, count + 1):
            for _ in range(1 if (first, second) == seldom else 2):
                graph.add(np.array([[first, second]]))
    return graph


def test_more_neighbours_than_colours_have_stripes_which_are_drawn():
    graph = all_meet(len(PALETTE) + 1)
    colours = choose_entries(graph)
    assert graph.conflicts(colours) == 0
    (striped,) = [label for label, entry in colours.items() if entry >= len(PALETTE)]
    (alike,) = [label for label, entry in colours.items() if entry == colours[striped] - len(PALETTE)]
    plain, other = (colour_labels(np.full((32, 32), label), colours) for label in (alike, striped))
    assert len(np.unique(plain.reshape(-1, 3), axis=0)) == 1
    assert len(np.unique(other.reshape(-1, 3), axis=0)) == 2
    assert 0.4 < (other == plain).all(axis=-1).mean() < 0.6


def test_more_neighbours_than_entries_share_where_it_is_seen_least():
    """The last one of too many cells shares the entry of the one that it meets in the fewest frames."""
    count = ENTRIES + 1
    graph = all_meet(count, seldom=(1, 3))
    colours = choose_entries(graph)
    assert graph.conflicts(colours) == 1 and colours[1] == colours[3]


def test_item_16_pictures_of_masks_have_the_colours_of_the_whole_video(tmp_path):
    """Also those of a video in which two cells that would have one colour by their labels alone touch."""
    first, second = np.zeros((2, 40, 40), np.uint16)
    first[:20, :10], second[:20, :10], second[:20, 10:20] = 1, 1, 1 + len(PALETTE)
    first[30:, 30:] = 1 + len(PALETTE)
    np.testing.assert_array_equal(colour_labels(first)[0, 0], colour_labels(first)[35, 35])
    masks = []
    for number, labels in enumerate((first, second)):
        masks.append((number, tmp_path / f"mask{number:03d}.tif"))
        tifffile.imwrite(masks[-1][1], labels)
    write_mask_pictures(tmp_path / "pictures", masks, None)
    seen = [imagecodecs.imread(tmp_path / "pictures" / f"mask{number:03d}.png") for number in range(2)]
    assert seen[0][0, 0].tolist() == seen[1][0, 0].tolist() != seen[1][0, 15].tolist()
    assert seen[1][0, 15].tolist() == seen[0][35, 35].tolist()
    sheet = training_picture(np.zeros((2, 40, 40, 1)), np.ones((2, 40, 40, 3)), np.stack([first, second]))
    assert sheet[80, 40].tolist() != sheet[80, 55].tolist()
