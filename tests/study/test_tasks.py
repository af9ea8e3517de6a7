"""The tasks behind their protocol: data, variants, stages that wait for the input's check, and pictures."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from cosembed import specs
from cosembed.study.experiment import Experiment
from cosembed.study.runner import run_experiment
from cosembed.study.tasks.cells import CellsSimulation, CellsTask
from cosembed.study.tasks.heart import HeartsSimulation, HeartTask
from cosembed.study.tasks.heart_files import variant_spec
from cosembed.study.tasks.leaves import LeavesSimulation, LeavesTask
from cosembed.study.training_pictures import class_picture, embedding_picture
from experiments import ctc_dic_hela, cvppp, lv, own, simulated, simulated_hearts, simulated_leaves
from tests.helpers.builders import ROOT, moving_squares, write_ctc
from tests.helpers.studies import make_settings
from tests.robustness.killing import tree

REFUSED = """
import sys
from absl import flags
from cosembed.errors import InputError
from cosembed.study.flags import define_flags, run_from_flags
from experiments import ctc_fluo_sim, cvppp, lv, own, reproduce, simulated, simulated_leaves
for experiment in (ctc_fluo_sim.EXPERIMENT, lv.EXPERIMENT, cvppp.EXPERIMENT):
    values = flags.FlagValues()
    define_flags(values)
    values(["experiment", *sys.argv[1:]])
    try:
        run_from_flags(experiment, values, "command")
    except InputError as error:
        print(error)
print("tensorflow" in sys.modules)
"""


def test_tensorflow_is_not_imported_before_the_input_was_found_in_order(tmp_path):
    root = write_ctc(tmp_path / "Fluo-N2DH-SIM+", *moving_squares())
    (root / "01" / "t002.tif").write_bytes(b"not a frame")
    for name in ("ACDC-cine", "CVPPP-A1"):
        (tmp_path / name).mkdir()
    flags = [f"--data_dir={tmp_path}", f"--out_dir={tmp_path / 'runs'}", "--profile=smoke"]
    done = subprocess.run(
        [sys.executable, "-c", REFUSED, *flags], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    *errors, imported = done.stdout.splitlines()
    assert [name in error for name, error in zip(("t002", "ACDC", "CVPPP"), errors, strict=True)] == [
        True
    ] * 3
    assert imported == "False"
    assert not (tmp_path / "runs").exists()


def test_simulated_data_are_made_where_they_are_absent_and_kept(tmp_path):
    cells = CellsTask(CellsSimulation(frames=2, size=64, cells=3, difficulty=0.5, seeds={"01": 1, "02": 2}))
    leaves = LeavesTask(LeavesSimulation(plants=6, size=64, seed=7))
    settings = make_settings(tmp_path / "data", tmp_path / "run")
    hearts = HeartTask(HeartsSimulation(patients=4, frames=4, size=64, seed=3))
    first = {
        "simulated": "01/t000.tif",
        "simulated-leaves": "A1/plant001_rgb.png",
        "simulated-hearts": "patient001/patient001_4d.nii.gz",
    }
    for (dataset, file), task in zip(first.items(), (cells, leaves, hearts), strict=True):
        spec = specs.resolve_as(task.spec_class, dataset, "paper", "smoke")
        experiment = Experiment(name="simulated", dataset=dataset, task=task)
        run_experiment(experiment, "prepare", spec, settings)
        content = tree(tmp_path / "data" / dataset)
        (tmp_path / "data" / dataset / file).touch()
        times = (tmp_path / "data" / dataset / file).stat().st_mtime_ns
        run_experiment(experiment, "prepare", spec, settings)
        assert tree(tmp_path / "data" / dataset) == content and file in content
        assert (tmp_path / "data" / dataset / file).stat().st_mtime_ns == times
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    "module", [ctc_dic_hela, lv, cvppp, own, simulated, simulated_leaves, simulated_hearts]
)
def test_stages_are_those_of_the_experiments_task(module):
    task = module.EXPERIMENT.task
    names = {specs.CellsSpec: "CellsStages", specs.HeartSpec: "HeartStages", specs.LeavesSpec: "LeavesStages"}
    assert type(task.stages()).__name__ == names[task.spec_class]


def test_only_hearts_have_variants_of_the_network():
    heart = specs.resolve_as(specs.HeartSpec, "ACDC-cine", "paper", "smoke")
    assert lv.EXPERIMENT.task.variant_spec(heart, "recurrent") == heart
    other = lv.EXPERIMENT.task.variant_spec(heart, "non-recurrent")
    assert other == variant_spec(heart, "non-recurrent")
    assert not other.network.recurrent
    assert other.training.batch_size == heart.training.batch_size * heart.training.clip_length
    leaves = specs.resolve_as(specs.LeavesSpec, "CVPPP-A1", "paper", "smoke")
    assert cvppp.EXPERIMENT.task.variant_spec(leaves, "") == leaves


@pytest.mark.parametrize(("batch_size", "frames"), [(1, 7), (3, 2), (7, 1)])
def test_training_pictures_show_up_to_five_frames_in_three_rows(batch_size, frames):
    shape, shown = (batch_size, frames, 6, 6), min(5, batch_size * frames)
    values = np.random.default_rng(1)
    batch = {
        "image": tf.constant(values.normal(size=(*shape, 1)), tf.float32),
        "codes": tf.constant(values.integers(0, 4, shape), tf.uint16),
        "code_labels": tf.constant(np.tile([0, 7, 8, 9], (batch_size, 1)), tf.uint16),
        "classes": tf.constant(values.integers(0, 3, shape), tf.uint8),
    }
    outputs = tf.constant(values.normal(size=(*shape, 3)), tf.float32)
    for draw in (embedding_picture, class_picture):
        picture = draw((tf.zeros_like(outputs), outputs), batch)
        assert picture.shape == (18, 6 * shown, 3) and picture.dtype == np.uint8
        # The first hourglass is not shown.
        assert (picture[6:12] != draw((outputs, tf.zeros_like(outputs)), batch)[6:12]).any()
