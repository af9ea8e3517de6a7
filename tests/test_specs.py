"""Specs are strict, scale as documented, and round-trip."""

import dataclasses

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
    spec = specs.resolve_any(dataset, recipe, profile)
    path = tmp_path / "spec.yaml"
    path.write_text(specs.dump(spec))
    assert specs.load(path) == spec
    assert (spec.recipe, spec.profile, spec.dataset.name) == (recipe, profile, dataset)


def test_all_six_challenge_data_sets_are_there():
    assert set(DATASETS) < set(specs.dataset_names())


def test_paper_profile_deviates_nowhere_and_cpu_only_where_a_profile_may_or_scaling_must():
    for dataset in DATASETS:
        assert specs.deviations(specs.resolve(dataset, "paper", "paper")) == []
        allowed = specs.PROFILE_KEYS | {
            "augmentation.translation", "augmentation.elastic_amplitude", "augmentation.drift", "augmentation.jiggle",
            "preprocessing.label_smoothing", "instances.neighbour_radius", "tracking.min_points",
            "tracking.coordinate_factor", "tracking.border", "tracking.parent_dilation",
        }  # fmt: skip
        assert {key for key, _, _ in specs.deviations(specs.resolve(dataset, "released", "cpu"))} <= allowed


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
    gowt1 = specs.resolve("Fluo-N2DH-GOWT1", "paper", "cpu")
    assert (
        gowt1.tracking.parent_dilation == 3
        and specs.resolve("Fluo-N2DL-HeLa", "paper", "cpu").tracking.parent_dilation == 1
    )


def test_recipes_differ_as_the_released_code_differs_from_the_paper():
    paper, released = (specs.resolve("PhC-C2DH-U373", recipe) for recipe in specs.RECIPES)
    assert (paper.training.optimizer, released.training.optimizer) == ("adam", "nadam")
    assert (paper.instances.maximum, released.instances.maximum) == (32, 16)
    assert (paper.preprocessing.padding, released.preprocessing.padding) == ("mirror", "constant")
    assert paper.augmentation.gamma == 0 and released.augmentation.gamma == 0.3
    assert (paper.instances.background, released.instances.background) == ("instance", "term")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("training.iteration=5", "unknown key 'training.iteration'"),
        ("training=5", "must be a mapping"),
        ("nothing.at.all=5", "unknown key"),
        ("training.iterations=many", "must be of type int"),
        ("training.iterations=0", "must be at least 1"),
        ("training.iterations=1.5", "must be of type int"),
        ("training.learning_rate=0", "must be above 0"),
        ("training.learning_rate=.nan", "must be above 0"),
        ("training.optimizer=sgd", "choose one of adam, nadam"),
        ("augmentation.flip=1.5", "at most 1"),
        ("tracking.border=[1]", "must have 2 entries"),
        ("training.seed", "write key=value"),
        ("training.seed=[", "not YAML"),
    ],
)
def test_bad_overrides_name_flag_and_key(text, message):
    with pytest.raises(SpecError, match="--set") as error:
        specs.resolve("DIC-C2DH-HeLa", overrides=[text])
    assert message in str(error.value)


def test_overrides_set_final_values():
    spec = specs.resolve(
        "DIC-C2DH-HeLa", "paper", "cpu", ["tracking.min_points=60", "dataset.tra_masks=full"]
    )
    assert spec.tracking.min_points == 60 and spec.dataset.tra_masks == "full"
    assert dataclasses.replace(spec, profile="x") != spec


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
    path.write_text(specs.dump(specs.resolve_as(specs.SemanticSpec, "LVSC")))
    with pytest.raises(SpecError, match="spec of another task"):
        specs.load_as(specs.ExperimentSpec, path)
    path.write_text(path.read_text().replace("task: semantic", "task: poetry"))
    with pytest.raises(SpecError, match="'task' is 'poetry'"):
        specs.load(path)
