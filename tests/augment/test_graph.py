"""Augmentation as a TensorFlow graph: what SimpleITK gives from the same draws, only where asked for."""

import warnings

import numpy as np
import pytest
import tensorflow as tf
from scipy.interpolate import BSpline

from cosembed.augment import RawClip, make_augmenter
from cosembed.augment.graph import cubic_spline, gaussian_filter, sample_linearly
from cosembed.augment.parameters import draw_intensity, draw_spatial
from cosembed.batches.clips import ClipSource
from cosembed.batches.heart_clips import HeartClipSource
from cosembed.batches.pipeline import batch_dataset
from cosembed.errors import InputError, OutputError
from cosembed.study.fold_training import run_identity
from cosembed.study.folds import Fold
from cosembed.training.loop import train
from cosembed.training.run_folder import RunFolder
from tests.batches.test_heart_clips import beating
from tests.batches.test_heart_clips import spec_of as cine_spec
from tests.helpers.builders import ROOT, make_sequence, moving_squares, small_spec
from tests.helpers.studies import make_settings

STILL = ("augmentation.shift=0.0", "augmentation.scale=0.0")
MOVING = ("augmentation.drift=9.0", "augmentation.jiggle=3.0", "augmentation.translation=12.0")
FRAMES = 3


def draw(spec, shape, seed):
    """A clip of random frames and blocky labels, and what is drawn for it."""
    generator = np.random.default_rng(seed)
    labels = np.kron(generator.integers(0, 7, (FRAMES, 5, 6)), np.ones((1, 11, 11)))[
        :, : shape[0], : shape[1]
    ]
    mask = np.ones(shape, bool)
    mask[:4] = False
    return RawClip(
        frames=list(generator.normal(0, 1, (FRAMES, *shape, spec.network.channels)).astype(np.float32)),
        labels=labels.astype(np.uint16),
        loss_mask=mask,
        spatial=draw_spatial(generator, spec.augmentation, FRAMES),
        intensity=draw_intensity(generator, spec.augmentation, FRAMES),
    )


def both(spec, clips):
    """The clips as either augmenter gives them."""
    return zip(make_augmenter("simpleitk", spec)(clips), make_augmenter("graph", spec)(clips), strict=True)


@pytest.mark.parametrize("grid", [8, 4, 0])
def test_the_field_is_that_of_simpleitk(grid):
    # Linear interpolation of a ramp is the place it was sampled at.
    spec = small_spec(
        *STILL, f"augmentation.elastic_grid={grid}", "network.channels=2", "preprocessing.padding=constant"
    )
    rows, columns = np.mgrid[:41, :54].astype(np.float32)
    ramp = np.stack([rows, columns], axis=-1)
    clips = [draw(spec, (41, 54), seed)._replace(frames=[ramp] * FRAMES) for seed in range(6)]
    if grid:
        assert all(np.abs(clip.spatial.elastic).max() > 1 for clip in clips)
    for ours, graph in both(spec, clips):
        np.testing.assert_allclose(graph.image, ours.image, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ("padding", "shape", "recipe", "changes"),
    [
        ("mirror", (41, 54), "paper", ("network.channels=3",)),
        ("constant", (55, 30), "released", MOVING),
        (
            "zero",
            (32, 32),
            "released",
            ("augmentation.translation=25.0", "preprocessing.label_smoothing=0.1"),
        ),
        ("mirror", (24, 66), "released", (*MOVING, "preprocessing.label_smoothing=1.3")),
    ],
)
def test_images_labels_and_loss_masks_are_those_of_simpleitk(padding, shape, recipe, changes):
    spec = small_spec(f"preprocessing.padding={padding}", *changes, recipe=recipe)
    clips = [draw(spec, shape, seed) for seed in range(10)]
    flips = {clip.spatial.flip for clip in clips}
    assert any(first for first, _ in flips) and any(second for _, second in flips)
    assert recipe == "paper" or any(clip.spatial.shifts.any() for clip in clips)
    for ours, graph in both(spec, clips):
        assert [part.dtype for part in graph] == [part.dtype for part in ours]
        np.testing.assert_allclose(graph.image, ours.image, rtol=0, atol=2e-5)
        assert len(np.unique(ours.labels)) > 2 and ours.loss_masks.any() and not ours.loss_masks.all()
        # A place within rounding of two pixels' border, or of two labels' equal weight, may go to either.
        assert (graph.labels == ours.labels).mean() >= 0.9995
        assert (graph.loss_masks == ours.loss_masks).mean() >= 0.9995


def assert_equal_batches(first, second, image_tolerance=0.0):
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(
            first[name], second[name], rtol=0, atol=image_tolerance if name == "image" else 0
        )


@pytest.fixture(scope="module")
def sequence():
    images, labels, _ = moving_squares(frames=8)
    return make_sequence(images, labels)


def test_a_seed_and_an_index_make_the_same_clips_either_way(sequence):
    spec = small_spec("training.batch_size=2", recipe="released")
    ours, graph = (ClipSource([sequence], spec, 5, augment) for augment in ("simpleitk", "graph"))
    for index in range(3):
        assert_equal_batches(graph.batch(index), ours.batch(index), image_tolerance=2e-5)
    late = list(batch_dataset(graph, 2, 4).as_numpy_iterator())
    for index, batch in enumerate(late, start=2):
        assert_equal_batches(batch, graph.batch(index))


def test_hearts_are_the_same_either_way_and_unlabelled_frames_stay_unlabelled():
    spec = cine_spec("training.clip_length=5", "training.batch_size=2", *MOVING)
    ours, graph = (HeartClipSource([beating()], spec, 1, augment) for augment in ("simpleitk", "graph"))
    for index in range(3):
        assert_equal_batches(graph.batch(index), ours.batch(index), image_tolerance=2e-5)


def test_training_that_goes_back_to_an_earlier_checkpoint_ends_with_the_same_weights(sequence, tmp_path):
    spec = small_spec(
        "network.levels=1", "network.recurrent=false", "training.iterations=4", "training.checkpoint_every=2"
    )

    def weights():
        run = RunFolder(tmp_path)
        run.open(spec, {})
        model = train(spec, ClipSource([sequence], spec, 1, "graph"), run)
        return [variable.numpy() for variable in model.trainable_variables]

    whole = weights()
    (newest,) = (tmp_path / "checkpoints").glob("step-4.data*")
    newest.write_bytes(newest.read_bytes()[:100])
    for first, second in zip(whole, weights(), strict=True):
        np.testing.assert_array_equal(first, second)


def test_a_run_is_continued_with_its_own_augmenter_only(tmp_path):
    spec = small_spec()
    plain, graph = (
        run_identity(
            Fold("test_02", 0, ("01",), ("02",)), spec, make_settings(tmp_path, tmp_path, augment=name)
        )
        for name in ("simpleitk", "graph")
    )
    RunFolder(tmp_path / "run").open(spec, plain)
    RunFolder(tmp_path / "run").open(spec, plain)
    with pytest.raises(OutputError, match="other values of augment"):
        RunFolder(tmp_path / "run").open(spec, graph)


def test_an_unknown_augmenter_is_refused():
    with pytest.raises(InputError, match=r"--augment=gpu: choose one of simpleitk, graph"):
        make_augmenter("gpu", small_spec())


@pytest.fixture(scope="module")
def addons():
    """tensorflow-addons, the oracle of the operations of `graph`: it exists for TensorFlow 2.15 only."""
    with warnings.catch_warnings():
        # It announces its end of life on every import.
        warnings.simplefilter("ignore")
        return pytest.importorskip(
            "tensorflow_addons", reason="tensorflow-addons exists for the classic line only"
        ).image


@pytest.mark.parametrize("shape", [(7, 11), (2, 2)])
def test_linear_sampling_is_that_of_tensorflow_addons(addons, shape):
    generator = np.random.default_rng(1)
    images = generator.normal(0, 1, (*shape, 3)).astype(np.float32)
    corners = np.array([[0, 0], [shape[1] - 1, shape[0] - 1]])
    points = np.concatenate([generator.uniform(0, corners[1], (500, 2)), corners])
    expected = addons.interpolate_bilinear(images[None], points[None], indexing="xy")[0]
    np.testing.assert_allclose(
        sample_linearly(tf.constant(images), tf.constant(points)), expected, rtol=0, atol=1e-6
    )


def test_a_place_in_an_image_of_one_row_is_sampled_along_it():
    images = tf.constant([[[0.0], [10.0], [30.0]]])
    np.testing.assert_allclose(
        sample_linearly(images, tf.constant([[0.5, 0.0], [1.5, 0.0], [2.0, 0.0]]))[:, 0], [5, 20, 30]
    )


def test_the_cubic_spline_is_the_polyharmonic_one_of_tensorflow_addons(addons):
    generator = np.random.default_rng(2)
    grid, places = 8, np.sort(generator.uniform(-1, 8, 50))
    coefficients = generator.normal(0, 10, (grid, 3))
    # With zeros around it, such a spline ends flat: the natural cubic spline through its values at its knots.
    padded = np.pad(coefficients, [(4, 4), (0, 0)])
    values = (padded[:-2] + 4 * padded[1:-1] + padded[2:]) / 6
    knots = np.arange(-3.0, grid + 3)
    expected = addons.interpolate_spline(knots[None, :, None], values[None], places[None, :, None], 3)[0]
    np.testing.assert_allclose(cubic_spline(tf.constant(coefficients), places), expected, rtol=0, atol=1e-9)


def test_the_cubic_spline_is_that_of_scipy():
    generator = np.random.default_rng(3)
    grid, places = 6, generator.uniform(-1, 6, 40)
    coefficients = generator.normal(0, 10, (grid, 2))
    spline = BSpline(np.arange(-5.0, grid + 5), np.pad(coefficients, [(3, 3), (0, 0)]), 3)
    np.testing.assert_allclose(
        cubic_spline(tf.constant(coefficients), places), spline(places), rtol=0, atol=1e-12
    )


@pytest.mark.parametrize(("sigma", "radius"), [(0.6, 2), (1.3, 5), (4.0, 16)])
def test_the_gaussian_filter_is_that_of_tensorflow_addons(addons, sigma, radius):
    images = np.random.default_rng(4).normal(0, 1, (3, 20, 27)).astype(np.float32)
    wide = np.pad(images, [(0, 0), (radius, radius), (radius, radius)], mode="edge")
    expected = np.moveaxis(wide, 0, -1)
    for shape in ((2 * radius + 1, 1), (1, 2 * radius + 1)):
        expected = addons.gaussian_filter2d(expected, shape, sigma, padding="CONSTANT")
    expected = np.moveaxis(np.asarray(expected)[radius:-radius, radius:-radius], -1, 0)
    np.testing.assert_allclose(
        gaussian_filter(tf.constant(images), sigma, radius), expected, rtol=0, atol=1e-6
    )


def test_nothing_imports_tensorflow_addons():
    assert not [
        path.name for path in (ROOT / "cosembed").rglob("*.py") if "tensorflow_addons" in path.read_text()
    ]
