"""Simulated rosettes keep their promises for many seeds, and are read back as written."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from cosembed.datasets.leaves import find_plants
from cosembed.errors import InputError, OutputError
from cosembed.simulation.leaves import simulate_plant, write_plants


@pytest.fixture(scope="module")
def plants():
    return [simulate_plant(128, seed) for seed in range(60)]


def neighbours(labels):
    """Pairs of leaves with adjacent pixels, found by comparing an image with itself moved by one pixel."""
    pairs = set()
    for first, second in ((labels[1:], labels[:-1]), (labels[:, 1:], labels[:, :-1])):
        meet = (first != second) & (first > 0) & (second > 0)
        pairs |= {
            tuple(sorted(pair)) for pair in zip(first[meet].tolist(), second[meet].tolist(), strict=True)
        }
    return pairs


def test_shapes_and_types(plants):
    for image, labels in plants:
        assert (image.shape, image.dtype) == ((128, 128, 3), np.uint8)
        assert (labels.shape, labels.dtype) == ((128, 128), np.uint8)


def test_four_to_24_leaves_14_on_average(plants):
    counts = [int(labels.max()) for _, labels in plants]
    assert 4 <= min(counts) < 8
    assert 20 < max(counts) <= 24
    assert 13 <= np.mean(counts) <= 15


def test_labels_have_no_gaps_and_every_leaf_can_be_seen(plants):
    for _, labels in plants:
        areas = np.bincount(labels.ravel())
        assert areas.min() >= 20
        for label in range(1, len(areas)):
            parts, _ = ndimage.label(labels == label)
            assert np.bincount(parts.ravel())[1:].min() >= 4


def test_every_leaf_touches_another(plants):
    for _, labels in plants:
        touching = {label for pair in neighbours(labels) for label in pair}
        assert touching == set(range(1, labels.max() + 1))


def test_leaves_differ_in_size_and_the_oldest_half_reaches_farther_out():
    for seed in range(8):
        _, labels = simulate_plant(256, seed)
        last = int(labels.max())
        centre = np.mean(np.nonzero(labels == last), axis=1)
        reach = [np.hypot(*(np.argwhere(labels == label) - centre).T).max() for label in range(1, last + 1)]
        assert np.median(reach[: last // 2]) > 1.4 * np.median(reach[-(last // 3) :])


def test_the_plant_is_greener_than_the_ground_but_not_than_its_moss(plants):
    leaves, ground, moss = [], [], []
    for image, labels in plants[:20]:
        green = image[..., 1] - image[..., [0, 2]].mean(axis=-1)
        leaves.append(np.median(green[labels > 0]))
        ground.append(np.median(green[labels == 0]))
        moss.append(np.mean(green[labels == 0] > 20))
    assert np.min(leaves) > np.max(ground) + 15
    assert np.mean(moss) > 0.01


def test_neither_colour_nor_connection_tells_leaves_apart():
    for seed in range(8):
        image, labels = simulate_plant(256, seed)
        colours = {label: image[labels == label].astype(float) for label in range(1, labels.max() + 1)}
        spread = np.mean([colour.std(axis=0) for colour in colours.values()])
        means = {label: colour.mean(axis=0) for label, colour in colours.items()}
        apart = [np.abs(means[first] - means[second]).mean() for first, second in neighbours(labels)]
        assert np.median(apart) < spread
        assert ndimage.label(labels > 0)[1] == 1


def test_the_seam_between_leaves_can_be_seen():
    for seed in range(8):
        image, labels = simulate_plant(256, seed)
        green = image[..., 1].astype(float)
        slope = ndimage.gaussian_gradient_magnitude(green, 1)
        seam = (ndimage.minimum_filter(labels, 3) > 0) & (ndimage.maximum_filter(labels, 3) != labels)
        inside = (labels > 0) & (ndimage.minimum_filter(labels, 9) == ndimage.maximum_filter(labels, 9))
        assert slope[seam].mean() > 1.5 * slope[inside].mean()


def test_a_seed_decides_every_pixel(plants):
    again, other = simulate_plant(128, 3), plants[4]
    np.testing.assert_array_equal(again[0], plants[3][0])
    np.testing.assert_array_equal(again[1], plants[3][1])
    assert not np.array_equal(again[1], other[1])


@pytest.mark.parametrize("size", [64, 65, 400])
def test_other_sizes_keep_the_promise(size):
    image, labels = simulate_plant(size, 2)
    assert image.shape == (size, size, 3)
    assert len(np.unique(labels)) == labels.max() + 1 >= 5
    assert 0.05 < np.mean(labels > 0) < 0.6


def test_written_plants_read_back_and_the_same_seed_writes_the_same_files(tmp_path):
    write_plants(tmp_path / "one", 3, 64, seed=5)
    write_plants(tmp_path / "two", 2, 64, seed=5)
    files = sorted(path.name for path in (tmp_path / "one" / "A1").iterdir())
    assert files == [f"plant00{number}_{part}.png" for number in (1, 2, 3) for part in ("fg", "label", "rgb")]
    for path in (tmp_path / "two" / "A1").iterdir():
        assert path.read_bytes() == (tmp_path / "one" / "A1" / path.name).read_bytes()
    plants = find_plants(tmp_path / "one")
    assert [plant.name for plant in plants] == ["plant001", "plant002", "plant003"]
    assert not np.array_equal(plants[0].labels(), plants[1].labels())
    folder = tmp_path / "one" / "A1"
    for plant in plants:
        labels = plant.labels()
        with Image.open(folder / f"{plant.name}_label.png") as picture:
            assert picture.mode == "P"
            np.testing.assert_array_equal(np.asarray(picture), labels)
        with Image.open(folder / f"{plant.name}_fg.png") as picture:
            np.testing.assert_array_equal(np.asarray(picture) > 0, labels > 0)
        assert set(np.unique(labels)) == set(range(labels.max() + 1))
        assert plant.image().shape == (64, 64, 3)


def test_existing_plants_are_not_overwritten(tmp_path):
    write_plants(tmp_path, 1, 64, seed=1)
    before = (tmp_path / "A1" / "plant001_rgb.png").read_bytes()
    with pytest.raises(OutputError, match="exists already"):
        write_plants(tmp_path, 1, 64, seed=2)
    assert (tmp_path / "A1" / "plant001_rgb.png").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["A1"]


@pytest.mark.parametrize(
    "changes", [{"plants": 0}, {"plants": 1000}, {"size": 63}, {"size": 4096}, {"seed": -1}]
)
def test_values_out_of_range_are_refused_by_flag_and_leave_nothing(changes, tmp_path):
    name = next(iter(changes)).replace("plants", "frames")
    with pytest.raises(InputError, match=f"--{name}="):
        write_plants(tmp_path / "out", **({"plants": 1, "size": 64, "seed": 1} | changes))
    assert not list(tmp_path.iterdir())


def test_the_program_writes_plants_once_and_knows_no_other_kind(tmp_path):
    arguments = [f"--output={tmp_path}", "--frames=2", "--size=64", "--seed=7"]
    done = run_program("--kind=leaves", *arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 plants" in done.stdout
    write_plants(tmp_path / "expected", 2, 64, 7)
    for written, expected in zip(find_plants(tmp_path), find_plants(tmp_path / "expected"), strict=True):
        np.testing.assert_array_equal(written.image(), expected.image())
        np.testing.assert_array_equal(written.labels(), expected.labels())
    for kind, reason in (("leaves", "exists already"), ("roots", "--kind=roots")):
        refused = run_program(f"--kind={kind}", *arguments)
        assert refused.returncode == 2
        assert reason in refused.stderr and refused.stderr.count("\n") == 1


def run_program(*arguments):
    command = [sys.executable, "-m", "cosembed", "simulate", *arguments]
    return subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
