"""Experiments on cells: whole runs on small simulated and real videos, continuation, and bad flags."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
import tifffile

from cosembed import specs
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import InputError, OutputError
from cosembed.simulation import simulate_video, write_video
from cosembed.study.runner import run_experiment
from experiments import (
    ctc_dic_hela,
    ctc_fluo_gowt1,
    ctc_fluo_hela,
    ctc_fluo_msc,
    ctc_fluo_sim,
    ctc_phc_u373,
    reproduce_ctc,
)
from experiments import simulated as simulated_cells
from tests.helpers.builders import call_experiment, moving_squares, run_command, write_ctc
from tests.helpers.numpy_network import seeded_variables, write_checkpoint
from tests.helpers.studies import SIMULATED, make_settings, smoke_spec

CTC = (ctc_dic_hela, ctc_fluo_msc, ctc_fluo_gowt1, ctc_fluo_sim, ctc_fluo_hela, ctc_phc_u373)


def assert_input_error(done: subprocess.CompletedProcess, *words: str) -> None:
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    for word in words:
        assert word in line


def assert_valid(result: Path) -> None:
    # An untrained network's instances may consist of parts: a warning.
    assert [str(fault) for fault in check_result(result) if not fault.warning] == []


@pytest.fixture(scope="module")
def simulated(tmp_path_factory):
    """Two short simulated videos in the layout of the data set `simulated`."""
    root = tmp_path_factory.mktemp("data") / "simulated"
    for video, seed in (("01", 1), ("02", 2)):
        write_video(root, video, simulate_video(5, 64, 4, 0.5, seed))
    return root.parent


def test_a_whole_experiment_both_ways_then_again_without_work(simulated, tmp_path):
    folder = tmp_path / "run"
    experiment = SIMULATED
    run_experiment(experiment, "all", smoke_spec(), make_settings(simulated, folder))
    metrics = json.loads((folder / "metrics.json").read_text())
    assert [fold["test"] for fold in metrics["folds"]] == ["02 [0:5]", "01 [0:5]"]
    for measure in ("SEG", "DET", "TRA", "OP"):
        assert 0 <= metrics[measure] <= 1
        assert metrics[measure] == pytest.approx(np.mean([fold[measure] for fold in metrics["folds"]]))
        assert 0 <= metrics["baseline"][measure] <= 1
    assert metrics["split"] == "trained on one annotated video, tested on the other, both ways"
    for fold, video in (("test_02", "02"), ("test_01", "01")):
        assert_valid(folder / fold / "results" / f"{video}_RES")
    report = (folder / "report.html").read_text()
    what_was_run = (
        "not a reproduction",
        "Device</dt><dd>[CG]PU",
        "<th>clustering and tracking</th>",
        "<pre>",
    )
    for said in (*what_was_run, "missed</li>", "merged cells</th>"):
        assert re.search(said, report)
    assert "http://" not in report.replace("http://127.0.0.1", "")
    assert "not a reproduction" in (folder / "table.md").read_text()
    assert "tracking" in (folder / "log.txt").read_text()
    masks = {path: path.stat().st_mtime_ns for path in folder.rglob("*.tif")}
    run_experiment(experiment, "all", smoke_spec(), make_settings(simulated, folder))
    assert masks == {path: path.stat().st_mtime_ns for path in folder.rglob("*.tif")}


def test_another_spec_in_the_same_folder_is_refused(simulated, tmp_path):
    experiment = SIMULATED
    run_experiment(experiment, "train", smoke_spec(), make_settings(simulated, tmp_path / "run", fold=0))
    with pytest.raises(OutputError, match=r"training\.seed"):
        run_experiment(
            experiment,
            "train",
            smoke_spec(seed=2),
            make_settings(simulated, tmp_path / "run", fold=0),
        )
    with pytest.raises(InputError, match="no results to score"):
        run_experiment(
            experiment, "evaluate", smoke_spec(), make_settings(simulated, tmp_path / "run", fold=0)
        )


def test_submission_trains_on_both_and_tracks_the_unlabelled_videos(simulated, tmp_path):
    data = tmp_path / "data"
    shutil.copytree(simulated / "simulated", data / "simulated")
    for video in ("01", "02"):
        shutil.copytree(simulated / "simulated" / video, data / "test" / "simulated" / video)
    folder = tmp_path / "run"
    run_experiment(SIMULATED, "all", smoke_spec(), make_settings(data, folder, protocol="submission"))
    for video in ("01", "02"):
        assert_valid(folder / "submission" / "results" / f"{video}_RES")
    assert not (folder / "metrics.json").exists()
    assert (folder / "report.html").exists()


@pytest.mark.parametrize("kept", ["TRA", "SEG"])
def test_truth_of_one_kind_is_enough(kept, tmp_path):
    root = write_ctc(tmp_path / "data" / "simulated", *moving_squares(frames=8))
    shutil.rmtree(root / "01_GT" / ("SEG" if kept == "TRA" else "TRA"))
    run_experiment(SIMULATED, "all", smoke_spec(), make_settings(tmp_path / "data", tmp_path / "run"))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert (metrics["SEG"] is None) == (kept == "TRA")
    assert (metrics["TRA"] is None) == (kept == "SEG")
    assert metrics["OP"] is None


@pytest.mark.slow
@pytest.mark.parametrize("module", CTC, ids=lambda module: module.EXPERIMENT.name)
def test_every_ctc_experiment_runs_on_its_real_sequence(module, test_data, tmp_path):
    experiment = module.EXPERIMENT
    spec = specs.resolve(experiment.dataset, "paper", "smoke")
    frames = {"train_frames": (0, 6), "test_frames": (6, 10)}
    run_experiment(experiment, "all", spec, make_settings(test_data / "ctc", tmp_path / "run", **frames))
    metrics = json.loads((tmp_path / "run" / "metrics.json").read_text())
    assert metrics["data"] == experiment.dataset
    assert 0 <= metrics["TRA"] <= 1
    assert (tmp_path / "run" / "report.html").stat().st_size > 10_000


def test_every_data_set_of_table_2_has_its_module():
    assert {module.EXPERIMENT.dataset: module.EXPERIMENT.name for module in CTC} == reproduce_ctc.EXPERIMENTS


def test_reproduction_goes_on_when_one_data_set_fails_and_says_so(tmp_path):
    write_ctc(tmp_path / "data" / "Fluo-N2DH-SIM+", *moving_squares(frames=8))
    done = run_command(
        "experiments.reproduce_ctc",
        f"--data_dir={tmp_path / 'data'}",
        f"--out_dir={tmp_path / 'runs'}",
        "--profile=smoke",
        "--datasets=PhC-C2DH-U373,Fluo-N2DH-SIM+",
        "--base_url=http://127.0.0.1:9/training-datasets",
    )
    assert done.returncode == 2
    assert "failed: PhC-C2DH-U373" in done.stderr
    assert f"put the archive at {tmp_path / 'data' / 'PhC-C2DH-U373.zip'}, or its content at" in done.stderr
    assert "Fluo-N2DH-SIM+" in (tmp_path / "runs" / "table2.md").read_text()
    assert (
        json.loads((tmp_path / "runs" / "table2.json").read_text())["datasets"][0]["dataset"]
        == "Fluo-N2DH-SIM+"
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--profile=tpu"], ["--profile", "cpu"]),
        (["--recipe=soup"], ["--recipe", "released"]),
        (["--mode=fly"], ["--mode", "predict"]),
        (["--protocol=chance"], ["--protocol", "submission"]),
        (["--set=training.speed=9"], ["--set", "training.speed"]),
        (["--train_frames=9:3"], ["--train_frames", "begin:end"]),
        (["--fold=7"], ["--fold", "2 folds"]),
        (["--mode=predict"], ["no trained network", "--mode=train"]),
        (["--no_such_flag"], ["no_such_flag"]),
    ],
    ids=lambda value: value[0] if value[0].startswith("--") else None,
)
def test_bad_flags_exit_2_with_one_sentence(arguments, words, simulated, tmp_path):
    done = call_experiment(
        simulated_cells, f"--data_dir={simulated}", f"--out_dir={tmp_path}", "--profile=smoke", *arguments
    )
    assert_input_error(done, *words)


def test_tracking_a_video_of_ones_own(simulated, tmp_path):
    run_experiment(
        SIMULATED,
        "train",
        smoke_spec(),
        make_settings(simulated, tmp_path / "run", fold=0),
    )
    network = f"--checkpoint={tmp_path / 'run' / 'test_02'}"
    frames = np.stack([tifffile.imread(path) for path in sorted((simulated / "simulated" / "02").iterdir())])
    tifffile.imwrite(tmp_path / "video.tif", frames[:, :50, :60], photometric="minisblack")
    done = run_command(
        "cosembed",
        "track",
        network,
        f"--input={tmp_path / 'video.tif'}",
        f"--output={tmp_path / 'RES'}",
    )
    assert done.returncode == 0, done.stderr
    for said in ("5 frames of 60 x 50 pixels, uint16", "Memory: about", "Time: reading", "report.html"):
        assert said in done.stdout
    assert_valid(tmp_path / "RES")
    assert (tmp_path / "RES" / "report.html").exists()
    assert tifffile.imread(tmp_path / "RES" / "mask004.tif").shape == (50, 60)
    again = run_command(
        "cosembed",
        "track",
        network,
        f"--input={tmp_path / 'video.tif'}",
        f"--output={tmp_path / 'RES'}",
    )
    assert_input_error(again, "RES", "exists already")
    nothing = run_command(
        "cosembed",
        "track",
        f"--checkpoint={tmp_path}",
        f"--input={tmp_path / 'video.tif'}",
        f"--output={tmp_path / 'X'}",
    )
    assert_input_error(nothing, str(tmp_path), "no trained network")
    assert not (tmp_path / "X").exists()


@pytest.mark.parametrize(
    "module",
    [
        "benchmarks.classical_baseline",
        "experiments.ctc_dic_hela",
        "experiments.simulated",
        "experiments.own",
        "experiments.reproduce_ctc",
    ],
)
def test_help_fits_a_screen_and_gives_an_example(module):
    done = run_command(module, "--help")
    assert done.returncode == 0
    assert f"python -m {module}" in done.stdout
    assert len(done.stdout.splitlines()) <= 40
    assert os.path.basename(sys.executable) not in done.stderr


def test_networks_of_the_authors_take_the_place_of_training(tmp_path):
    root = tmp_path / "data" / "PhC-C2DH-U373"
    for video in ("01", "02"):
        write_ctc(root, *moving_squares(4), video)
    networks = tmp_path / "networks"
    write_checkpoint(
        networks / root.name / "model-40000", seeded_variables(1, levels=3, filters=4, outputs=4)
    )
    flags = [
        "--datasets=PhC-C2DH-U373",
        f"--data_dir={root.parent}",
        f"--out_dir={tmp_path}/runs",
        f"--checkpoints={networks}",
    ]
    done = run_command("experiments.reproduce_ctc", *flags)
    assert done.returncode == 0, done.stderr
    assert "recipe released, profile paper" in done.stdout
    assert "which was trained on all annotated videos, those scored here among them" in " ".join(
        done.stdout.split()
    )
    metrics = json.loads((tmp_path / "runs" / "ctc_phc_u373" / "metrics.json").read_text())
    assert [fold["train"] for fold in metrics["folds"]] == ["", ""]
    assert [fold["test"] for fold in metrics["folds"]] == ["01 [0:4]", "02 [0:4]"]
    (table,) = json.loads((tmp_path / "runs" / "table2.json").read_text())["datasets"]
    assert table["reproduction"] is False
    for video in ("01", "02"):
        assert_valid(tmp_path / "runs" / "ctc_phc_u373" / f"test_{video}" / "results" / f"{video}_RES")
        assert not (tmp_path / "runs" / "ctc_phc_u373" / f"test_{video}" / "tensorboard").exists()
    # Another network in the same place must not pass for this one.
    write_checkpoint(
        networks / root.name / "model-40000", seeded_variables(2, levels=3, filters=4, outputs=4)
    )
    assert_input_error(call_experiment(ctc_phc_u373, *flags[1:]), "other values of network")


def test_what_does_not_go_with_networks_of_the_authors_is_refused(tmp_path):
    write_ctc(tmp_path / "data" / "PhC-C2DH-U373", *moving_squares(4))
    flags = [
        f"--data_dir={tmp_path}/data",
        f"--out_dir={tmp_path}/runs",
        f"--checkpoints={tmp_path}/networks",
    ]
    for wrong, words in [
        (["--recipe=paper"], ("--recipe=paper", "drop the flag")),
        (["--profile=cpu"], ("--profile=cpu", "drop the flag")),
        (["--train_frames=0:2", "--test_frames=2:4"], ("--train_frames",)),
        ([], ("networks/PhC-C2DH-U373", "no checkpoint of the authors")),
    ]:
        assert_input_error(call_experiment(ctc_phc_u373, *flags, *wrong), *words)
    assert not list((tmp_path / "runs").glob("*/test_*"))


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bits(tmp_path, simulated):
    """Weights after 20 steps, masks and table of two deterministic runs, each in a process of its own."""
    runs = []
    for name in ("first", "second"):
        flags = ["--profile=smoke", "--fold=0", "--deterministic", "--set=training.iterations=20"]
        for mode in ("train", "predict"):
            done = run_command(
                "experiments.simulated",
                *flags,
                f"--mode={mode}",
                f"--data_dir={simulated}",
                f"--out_dir={tmp_path}/{name}",
            )
            assert done.returncode == 0, done.stderr
        runs.append(tmp_path / name / "simulated" / "test_02")
    readers = [tf.train.load_checkpoint(str(run / "checkpoints" / "step-20")) for run in runs]
    names = [
        name for name in readers[0].get_variable_to_shape_map() if name != "_CHECKPOINTABLE_OBJECT_GRAPH"
    ]
    assert len(names) > 100
    for name in names:
        np.testing.assert_array_equal(*(reader.get_tensor(name) for reader in readers))
    results = [sorted((run / "results" / "02_RES").iterdir()) for run in runs]
    assert [path.name for path in results[0]] == [path.name for path in results[1]]
    for first, second in zip(*results, strict=True):
        assert first.read_bytes() == second.read_bytes()
    done = call_experiment(
        simulated_cells, *flags[:2], f"--data_dir={simulated}", f"--out_dir={tmp_path}/first", flags[3]
    )
    assert_input_error(done, "other values of deterministic")
