"""Single values laid over a spec: as a mapping in code, as `key=value` texts of `--set`."""

import dataclasses

import pytest

from cosembed import specs
from cosembed.errors import SpecError


def test_texts_become_keys_and_yaml_values():
    texts = [
        "training.iterations=2000",
        " network.recurrent =false",
        "tracking.border=[1, 2]",
        "dataset.name=a=b",
    ]
    assert specs.parse_assignments(texts) == {
        "training.iterations": 2000,
        "network.recurrent": False,
        "tracking.border": [1, 2],
        "dataset.name": "a=b",
    }
    assert specs.parse_assignments(["training.seed=1", "training.seed=2"]) == {"training.seed": 2}


def test_a_mapping_sets_final_values_and_leaves_the_spec_itself_alone():
    before = specs.resolve("DIC-C2DH-HeLa", "paper", "cpu")
    after = specs.override(
        before, {"tracking.min_points": 60, "network.recurrent": False, "tracking.border": (3, 4)}
    )
    assert (after.tracking.min_points, after.network.recurrent, after.tracking.border) == (60, False, (3, 4))
    assert before == specs.resolve("DIC-C2DH-HeLa", "paper", "cpu")
    assert dataclasses.replace(after, tracking=before.tracking, network=before.network) == before
    assert specs.override(before, {}) == before


def test_resolving_lays_values_over_everything_else():
    values = {"tracking.min_points": 60, "dataset.tra_masks": "full"}
    spec = specs.resolve("DIC-C2DH-HeLa", "paper", "cpu", values)
    assert spec.tracking.min_points == 60, "not scaled to the profile's image size"
    assert spec.dataset.tra_masks == "full"


def test_complete_frames_are_named_by_videos():
    spec = specs.override(specs.resolve("simulated"), {"dataset.complete_frames.07": [1, 2]})
    assert spec.dataset.complete_frames["07"] == (1, 2)


@pytest.mark.parametrize(
    ("key", "nearest"),
    [
        ("training.iteration", "training.iterations"),
        ("iterations", "training.iterations"),
        ("tracking.minpoints", "tracking.min_points"),
        ("nothing.at.all", ""),
        ("training.seed.more", "training.seed"),
    ],
)
def test_an_unknown_key_names_the_nearest_three(key, nearest):
    with pytest.raises(SpecError) as error:
        specs.override(specs.resolve("simulated"), {key: 5})
    start, _, named = str(error.value).partition("; the nearest keys are ")
    assert start == f"--set: unknown key '{key}'"
    keys = named.replace(" and ", ", ").split(", ")
    assert len(keys) == 3 and nearest in ["", keys[0]]


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
        ("training.learning_rate=1e999", "must be above 0"),
        ("training.learning_rate=1e", "must be of type float"),
        ("training.iterations=1e3", "must be of type int"),
        ("training.optimizer=sgd", "choose one of adam, nadam"),
        ("augmentation.flip=1.5", "at most 1"),
        ("tracking.border=[1]", "must have 2 entries"),
        ("training.seed", "write key=value"),
        ("training.seed=[", "not YAML"),
    ],
)
def test_bad_overrides_name_flag_and_key(text, message):
    with pytest.raises(SpecError, match="--set") as error:
        specs.resolve("DIC-C2DH-HeLa", overrides=specs.parse_assignments([text]))
    assert message in str(error.value)


@pytest.mark.parametrize(
    ("text", "value"), [("2e-3", 0.002), ("2.0e-3", 0.002), ("2E-3", 0.002), ("1e0", 1.0), ("2.5e-1", 0.25)]
)
def test_powers_of_ten_are_numbers_as_elsewhere(text, value):
    values = specs.parse_assignments([f"training.learning_rate={text}"])
    assert specs.resolve("simulated", overrides=values).training.learning_rate == value


def test_a_name_that_looks_like_a_power_of_ten_stays_a_name():
    spec = specs.resolve("simulated", overrides=specs.parse_assignments(['dataset.videos=["1e5", "2e5"]']))
    assert spec.dataset.videos == ("1e5", "2e5")
