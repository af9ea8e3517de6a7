"""The authors' checkpoints give the network that plain numpy gives; damage to a file is one sentence."""

import csv

import numpy as np
import pytest
import tensorflow as tf

from cosembed import released
from cosembed.errors import CheckpointError
from tests.helpers.numpy_network import run_network, seeded_variables, variable_shapes, write_checkpoint

FORMS = [
    ({"levels": 3, "filters": 4, "outputs": 3}, (3, 16, 16)),
    ({"levels": 1, "filters": 3, "outputs": 2}, (4, 7, 5)),
    ({"levels": 2, "filters": 5, "outputs": 4, "channels": 2}, (6, 10, 14)),
    ({"levels": 5, "filters": 3, "outputs": 5}, (2, 32, 48)),
    ({"levels": 3, "filters": 4, "outputs": 3, "follow_up": True}, (3, 16, 12)),
    ({"levels": 4, "filters": 2, "outputs": 6, "channels": 3, "follow_up": True}, (5, 24, 8)),
]


@pytest.mark.parametrize(("form", "size"), FORMS)
def test_equals_the_network_in_plain_numpy(form, size, tmp_path):
    variables = seeded_variables(7, **form)
    model = released.load_released(write_checkpoint(tmp_path / "model-40000", variables))
    follow_up = form.get("follow_up", False)
    assert model.get_config()["variant"] == ("mia2019" if follow_up else "miccai2018")
    images = np.random.default_rng(1).uniform(-1, 1, (*size, form.get("channels", 1))).astype(np.float32)
    expected = run_network(images, variables, form["levels"], 1e-4 if follow_up else 1e-12)
    for ours, theirs in zip(model(images[None]), expected, strict=True):
        assert np.abs(theirs).max() > 0.05
        np.testing.assert_allclose(ours[0], theirs, rtol=0, atol=1e-5 * np.abs(theirs).max())


def test_small_first_embeddings_are_not_blown_up_by_the_follow_ups_link(tmp_path):
    """The follow-up's larger epsilon shows where the first output is shorter than its square root, 0.01."""
    for follow_up in (False, True):
        variables = seeded_variables(3, follow_up=follow_up)
        for name in ("kernel", "bias"):
            variables[f"net/rnn/unet_0_cell/output/{name}"] *= 1e-3
        model = released.load_released(write_checkpoint(tmp_path / f"model-{follow_up}", variables))
        images = np.random.default_rng(2).uniform(-1, 1, (2, 8, 8, 1)).astype(np.float32)
        right, wrong = (
            run_network(images, variables, 3, epsilon)[1]
            for epsilon in ((1e-4, 1e-12) if follow_up else (1e-12, 1e-4))
        )
        ours = model(images[None])[1][0]
        np.testing.assert_allclose(ours, right, rtol=0, atol=1e-5 * np.abs(right).max())
        assert np.abs(ours - wrong).max() > 0.01 * np.abs(wrong).max()


def test_names_and_shapes_are_those_of_the_released_networks(test_data):
    """Against the list of variables in the released files, where it is at hand."""
    table = test_data.parent / "reference" / "released_checkpoint_variables.csv"
    if not table.exists():
        pytest.skip(f"{table.name} is absent")
    with table.open(newline="") as file:
        listed = {row["variable"]: tuple(map(int, row["shape"].split("x"))) for row in csv.DictReader(file)}
    assert variable_shapes(levels=7, filters=64, outputs=16) == listed


def test_the_papers_network_in_full_size(tmp_path):
    variables = seeded_variables(1, levels=7, filters=64, outputs=16)
    model = released.load_released(write_checkpoint(tmp_path / "model-40000", variables, optimizer=False))
    assert model.count_params() == 4_088_352
    np.testing.assert_array_equal(
        model.hourglasses[1].parallel[6].update_kernel,
        variables["net/rnn/unet_1_cell/parallel/level6/gru/gates/u/kernel"],
    )


def test_every_file_of_the_checkpoint_names_it(tmp_path):
    prefix = write_checkpoint(tmp_path / "model-40000", seeded_variables(2))
    for suffix in ("", ".index", ".meta", ".data-00000-of-00001"):
        assert released.load_released(f"{prefix}{suffix}").levels == 3


def renamed(variables, old, new):
    return {name.replace(old, new): value for name, value in variables.items()}


def without(variables, part):
    return {name: value for name, value in variables.items() if part not in name}


OUTPUT = "net/rnn/unet_1_cell/output/kernel"
WRONG_VARIABLES = {
    "missing": (
        lambda v: without(v, "unet_1_cell/parallel/level2/gru/gates/u/bias"),
        r"missing: .*level2/gru/gates/u/bias",
    ),
    "left over": (lambda v: {**v, "net/extra": np.ones(2, np.float32)}, r"left over: 'net/extra'"),
    "no second hourglass": (lambda v: without(v, "unet_1"), r"missing: .*unet_1_cell.* and \d+ more"),
    "a level too few in one path": (lambda v: without(v, "expanding/level2"), r"missing: .*expanding/level2"),
    "another shape": (
        lambda v: {**v, OUTPUT: v[OUTPUT][:1]},
        r"output/kernel' is \[1, 3, 4, 3\], not \[3, 3, 4, 3\]",
    ),
    "another rank": (lambda v: {**v, OUTPUT: v[OUTPUT].ravel()}, r"output/kernel' is \[108\]"),
    "not recurrent": (lambda v: renamed(v, "gru/candidate/y", "conv"), r"missing: .*candidate/y"),
    "another network": (lambda v: renamed(v, "net/rnn", "resnet"), "is not a checkpoint of the authors"),
    "too wide": (
        lambda v: {**v, "net/rnn/unet_0_cell/output/kernel": np.ones((1, 1, 1, 999), np.float32)},
        "its shapes",
    ),
    "nothing at all": (
        lambda v: {**v, "net/rnn/unet_0_cell/output/kernel": np.ones((3, 3, 4, 0), np.float32)},
        "its shapes",
    ),
    "an input of another rank": (
        lambda v: {**v, "net/rnn/unet_0_cell/input/kernel": np.ones(3, np.float32)},
        "its shapes",
    ),
    "a number that is none": (
        lambda v: {**v, OUTPUT: v[OUTPUT] * np.nan},
        r"output/kernel' does not hold finite",
    ),
    "another type": (
        lambda v: {**v, OUTPUT: v[OUTPUT].astype(np.float64)},
        r"output/kernel' does not hold .* float32",
    ),
}


@pytest.mark.parametrize("fault", WRONG_VARIABLES)
def test_wrong_variables_are_named(fault, tmp_path):
    change, message = WRONG_VARIABLES[fault]
    prefix = write_checkpoint(tmp_path / "model-1", change(seeded_variables(4)), optimizer=False)
    with pytest.raises(CheckpointError, match=message) as error:
        released.load_released(prefix)
    assert "\n" not in str(error.value)
    assert str(prefix) in str(error.value)


def damage(prefix, fault):
    index, data = prefix.with_name("model-1.index"), prefix.with_name("model-1.data-00000-of-00001")
    if fault == "no index":
        index.unlink()
    elif fault == "no data":
        data.unlink()
    elif fault == "garbage":
        index.write_bytes(np.random.default_rng(0).bytes(500))
    elif fault == "empty index":
        index.write_bytes(b"")
    elif fault == "short index":
        index.write_bytes(index.read_bytes()[:-20])
    elif fault == "short data":
        data.write_bytes(data.read_bytes()[:50])
    elif fault == "flipped data":
        content = bytearray(data.read_bytes())
        content[len(content) // 2] ^= 0xFF
        data.write_bytes(content)
    elif fault == "of TensorFlow 2":
        index.unlink()
        data.unlink()
        tf.train.Checkpoint(v=tf.Variable(1.0)).write(str(prefix))


FAULTS = [
    "no index",
    "no data",
    "garbage",
    "empty index",
    "short index",
    "short data",
    "flipped data",
    "of TensorFlow 2",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_damaged_files_are_one_clear_sentence(fault, tmp_path):
    prefix = write_checkpoint(tmp_path / "model-1", seeded_variables(5), optimizer=False)
    damage(prefix, fault)
    with pytest.raises(CheckpointError) as error:
        released.load_released(prefix)
    assert "\n" not in str(error.value)
    assert str(prefix) in str(error.value)
    assert not list(tmp_path.glob("imported"))
    with pytest.raises(CheckpointError):
        released.import_released(prefix, tmp_path / "imported")
    assert not (tmp_path / "imported").exists()
