"""Specs are strict, scale as documented, and round-trip."""

import pytest

from cosembed import specs
from cosembed.errors import SpecError

DATASETS = [
    "DIC-C2DH-HeLa",
    "Fluo-C2DL-MSC",
    "Fluo-N2DH-GOWT1",
    "Fluo-N2DH-SIM+",
    "Fluo-N2DL-HeLa",
    "PhC-C2DH-U373",
]


@pytest.mark.parametrize("dataset", specs.dataset_names())
@pytest.mark.parametrize("recipe", specs.RECIPES)
@pytest.mark.parametrize("profile", ["paper", "cpu", "smoke"])
def test_every_combination_resolves_and_round_trips(dataset, recipe, profile, tmp_path):
    if recipe == "mia2019" and dataset not in specs.dataset_names("cells"):
        with pytest.raises(SpecError, match="is for cells"):
            specs.resolve_any(dataset, recipe, profile)
        return
    spec = specs.resolve_any(dataset, recipe, profile)
    path = tmp_path / "spec.yaml"
    path.write_text(specs.dump(spec))
    assert specs.load(path) == spec
    assert (spec.recipe, spec.profile, spec.dataset.name) == (recipe, profile, dataset)


def test_values_follow_the_size_of_cells_in_network_pixels():
    whole, tiles = (
        specs.resolve("Fluo-N2DH-GOWT1", "paper", "paper", v) for v in ({}, {"inference.scale": 0.5})
    )
    # 1024 original pixels are 256 network pixels in the paper, and 512 at this scale.
    assert tiles.tracking.min_points == 4 * whole.tracking.min_points
    assert tiles.instances.neighbour_radius == pytest.approx(2 * whole.instances.neighbour_radius)
    assert tiles.tracking.coordinate_factor == pytest.approx(whole.tracking.coordinate_factor / 2)
    assert tiles.tracking.border == (25, 25)
    # What is seen in the window stays as it is.
    assert tiles.augmentation == whole.augmentation
    assert (tiles.tile_side, tiles.tile_overlap) == (256, 128)


def test_an_override_of_a_length_is_final_also_with_tiles():
    values = {"inference.scale": 0.5, "instances.neighbour_radius": 40}
    assert specs.resolve("Fluo-N2DH-GOWT1", "paper", "cpu", values).instances.neighbour_radius == 40


def test_the_follow_up_keeps_its_tiles_in_small_profiles():
    paper, cpu = (specs.resolve("PhC-C2DH-U373", "mia2019", profile) for profile in ("paper", "cpu"))
    assert paper.inference.size == (384, 512)
    assert cpu.inference.size == (192, 256)
    assert (paper.inference.window, cpu.inference.window) == (8, 5)


# How often a frame with masks is drawn, and sigma of the smoothing of labels, by data set.
FOLLOW_UP = {
    "DIC-C2DH-HeLa": (10, 2), "Fluo-C2DL-MSC": (3, 0), "Fluo-N2DH-GOWT1": (4, 0), "Fluo-N2DH-SIM+": (1, 0),
    "Fluo-N2DL-HeLa": (6, 0), "PhC-C2DH-U373": (8, 0),
}  # fmt: skip


@pytest.mark.parametrize("dataset", FOLLOW_UP)
def test_the_follow_up_is_trained_as_its_code_says(dataset):
    spec = specs.resolve(dataset, "mia2019")
    weight, smoothing = FOLLOW_UP[dataset]
    assert (spec.training.segmented_weight, spec.preprocessing.label_smoothing) == (weight, smoothing)
    training, instances, augmentation = spec.training, spec.instances, spec.augmentation
    assert (training.optimizer, training.iterations, training.learning_rate) == ("nadam", 40_000, 1e-4)
    assert (training.clip_length, training.frames_before, training.gradient_clip) == (8, 1, 0)
    assert (instances.neighbours, instances.maximum) == ("lifetime_region", 31)
    assert (instances.background, instances.own_pixels) == ("fixed_term", "squared_cosine")
    assert (augmentation.zoom, augmentation.common_zoom, augmentation.zoom_widens) == (0.25, 0.25, True)
    assert (augmentation.elastic_grid, augmentation.elastic_times) == (6, 4)
    assert (augmentation.elastic_amplitude, augmentation.translation) == (10, 89.6)


@pytest.mark.parametrize("recipe", ["paper", "released"])
@pytest.mark.parametrize("dataset", FOLLOW_UP)
def test_what_the_follow_up_brought_is_off_in_the_other_recipes(dataset, recipe):
    spec = specs.resolve(dataset, recipe)
    assert (spec.training.segmented_weight, spec.training.frames_before) == (1, 0)
    assert spec.instances.own_pixels == "cosine"
    assert not spec.augmentation.common_zoom and not spec.augmentation.zoom_widens
    assert spec.augmentation.elastic_times == 0


def test_tiles_are_reported_as_a_deviation_from_the_paper():
    tiles = specs.resolve("Fluo-N2DH-GOWT1", "released", "paper", {"inference.scale": 0.5})
    assert ("inference.scale", 0.0, 0.5) in specs.deviations_from_paper(tiles)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"inference.tile": 64}, "need inference.scale"),
        ({"inference.scale": 0.5, "inference.size": [512, 512]}, "both are given"),
        ({"inference.size": [0, 512]}, "give both sides"),
        ({"inference.scale": 0.5, "inference.tile": 100}, "multiple of 64"),
        ({"inference.scale": 0.5, "inference.overlap": 256}, "below the tile's side, 256"),
    ],
)
def test_tiles_that_cannot_be_are_refused(values, message):
    with pytest.raises(SpecError, match=message):
        specs.resolve("Fluo-N2DH-GOWT1", "paper", "paper", values)


def test_all_six_challenge_data_sets_are_there():
    assert set(DATASETS) < set(specs.dataset_names())


def test_paper_profile_deviates_nowhere_and_cpu_only_where_a_profile_may_or_scaling_must():
    for dataset in DATASETS:
        assert specs.deviations_from_paper(specs.resolve(dataset, "paper", "paper")) == []
        allowed = specs.PROFILE_KEYS | {
            "augmentation.translation", "augmentation.elastic_amplitude",
            "augmentation.drift", "augmentation.jiggle",
            "preprocessing.label_smoothing", "instances.neighbour_radius", "tracking.min_points",
            "tracking.coordinate_factor", "tracking.border", "tracking.parent_dilation",
        }  # fmt: skip
        assert {
            key for key, _, _ in specs.deviations_from_paper(specs.resolve(dataset, "released", "cpu"))
        } <= allowed


def test_values_scale_from_256_network_pixels():
    full = specs.resolve("DIC-C2DH-HeLa", "released", "paper")
    half = specs.resolve("DIC-C2DH-HeLa", "released", "cpu")
    assert half.network.image_size == 128
    assert half.instances.neighbour_radius == full.instances.neighbour_radius / 2 == 25.6
    assert half.augmentation.translation == full.augmentation.translation / 2 == 25.6
    assert half.augmentation.elastic_amplitude == 5 and half.augmentation.elastic_grid == 8
    assert half.augmentation.drift == 6.4 and half.augmentation.jiggle == 1.28
    assert half.preprocessing.label_smoothing == 1 and half.preprocessing.smoothing_sigma == 2
    assert half.tracking.min_points == 250 and half.tracking.size_threshold == 125
    assert half.tracking.coordinate_factor == 0.04
    assert half.tracking.border == (12, 12)
    # With the profile `cpu` these two are seen in tiles.
    whole = {"inference.scale": 0.0, "inference.overlap": 0}
    gowt1, hela = (
        specs.resolve(name, "paper", "cpu", whole) for name in ("Fluo-N2DH-GOWT1", "Fluo-N2DL-HeLa")
    )
    assert (gowt1.tracking.parent_dilation, hela.tracking.parent_dilation) == (3, 1)


def test_recipes_differ_as_the_released_code_differs_from_the_paper():
    paper, released = (specs.resolve("PhC-C2DH-U373", recipe) for recipe in ("paper", "released"))
    assert (paper.training.optimizer, released.training.optimizer) == ("adam", "nadam")
    assert (paper.instances.maximum, released.instances.maximum) == (32, 16)
    assert (paper.preprocessing.padding, released.preprocessing.padding) == ("mirror", "constant")
    assert paper.augmentation.gamma == 0 and released.augmentation.gamma == 0.3
    assert (paper.instances.background, released.instances.background) == ("instance", "term")


@pytest.mark.parametrize(
    ("arguments", "flag"),
    [
        (("Mars",), "--dataset"),
        (("simulated", "soup"), "--recipe"),
        (("simulated", "paper", "tpu"), "--profile"),
    ],
)
def test_unknown_names_list_the_known_ones(arguments, flag):
    with pytest.raises(SpecError, match=flag):
        specs.resolve(*arguments)


@pytest.mark.parametrize("content", [b"\xff\xfe", b"- a\n- b\n", b"a: [", b"extra: 1\n"])
def test_a_damaged_spec_file_is_named(content, tmp_path):
    path = tmp_path / "spec.yaml"
    path.write_bytes(content)
    with pytest.raises(SpecError, match=r"spec\.yaml"):
        specs.load(path)


def test_a_spec_of_another_task_is_refused_by_name(tmp_path):
    with pytest.raises(SpecError, match="unknown data set 'LVSC'"):
        specs.resolve("LVSC")
    path = tmp_path / "spec.yaml"
    path.write_text(specs.dump(specs.resolve_as(specs.HeartSpec, "LVSC")))
    with pytest.raises(SpecError, match="spec of another task"):
        specs.load_as(specs.CellsSpec, path)
    path.write_text(path.read_text().replace("task: heart", "task: poetry"))
    with pytest.raises(SpecError, match="'task' is 'poetry'"):
        specs.load(path)


@pytest.mark.parametrize(("earlier", "task"), [("tracking", "cells"), ("semantic", "heart")])
def test_a_run_of_an_earlier_version_is_read_by_the_name_its_task_had_then(tmp_path, earlier, task):
    spec = specs.resolve_any("simulated" if task == "cells" else "ACDC-cine", profile="smoke")
    path = tmp_path / "spec.yaml"
    path.write_text(specs.dump(spec).replace(f"task: {task}", f"task: {earlier}"))
    assert f"task: {earlier}" in path.read_text()
    assert specs.load(path) == spec
