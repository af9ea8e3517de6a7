"""The left ventricle experiment from the command line on small drawn hearts, and its parts."""

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import SimpleITK as sitk  # noqa: N813
import tensorflow as tf

from cosembed import specs
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.inference.images import segment_cycle
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.models import StackedHourglass
from cosembed.preprocessing.geometry import frame_grid, inverse, resample_linear
from experiments import lv
from tests.helpers.builders import call_experiment, run_command


def write_patient(root, name, frames=5, slices=4, side=40, seed=0):
    """A beating ring, bright inside; ED is frame 1, ES frame 3."""
    folder = root / name
    folder.mkdir(parents=True)
    rows, columns = np.mgrid[:side, :side]
    distance = np.hypot(rows - side / 2, columns - side / 2)
    labels = np.zeros((frames, slices, side, side), np.uint8)
    for frame in range(frames):
        labels[frame][:, distance < 13] = 2
        labels[frame][:, distance < 9 - frame] = 3
    labels[:, :, :, :3] = 1
    noise = np.random.default_rng(seed).normal(0, 5, labels.shape)
    images = (50 + 60 * (labels == 3) - 20 * (labels == 2) + noise).astype(np.float32)
    sitk.WriteImage(
        sitk.JoinSeries([sitk.GetImageFromArray(image) for image in images]),
        str(folder / f"{name}_4d.nii.gz"),
    )
    for number in (1, 3):
        sitk.WriteImage(
            sitk.GetImageFromArray(labels[number - 1]), str(folder / f"{name}_frame{number:02d}_gt.nii.gz")
        )
    (folder / "Info.cfg").write_text("ED: 1\nES: 3\nGroup: NOR\n")


@pytest.fixture(scope="module")
def hearts(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "ACDC-cine"
    for number in range(1, 7):
        write_patient(root, f"patient{number:03d}", seed=number)
    return root.parent


@pytest.fixture(scope="module")
def run(hearts, tmp_path_factory):
    out = tmp_path_factory.mktemp("runs")
    # One level only: six trainings, each with its own graph.
    flags = ["--profile=smoke", "--set=network.levels=1", f"--data_dir={hearts}", f"--out_dir={out}"]
    done = run_command("experiments.lv", *flags)
    assert done.returncode == 0, done.stderr
    return SimpleNamespace(folder=out / "lv", flags=flags, stdout=done.stdout, stderr=done.stderr)


def test_both_networks_score_every_patient_once(run):
    metrics = json.loads((run.folder / "metrics.json").read_text())
    names = [f"patient{number:03d}" for number in range(1, 7)]
    assert set(metrics["variants"]) == {"recurrent", "non-recurrent"}
    for variant in metrics["variants"].values():
        assert sorted(variant["patients"]) == names
        for scores in variant["patients"].values():
            assert all(0 <= scores[name] <= 1 for name in ("myocardium", "cavity"))
    assert sorted(metrics["variants"]["recurrent"]["unwarmed"]) == names
    assert metrics["variants"]["non-recurrent"]["unwarmed"] == {}
    assert metrics["comparison"]["cavity"]["patients"] == 6
    # Frames 0 and 2 of five are labelled: a clip of three around one of them shows the other in one place of
    # three.
    assert metrics["variants"]["recurrent"]["labels_per_step"] == pytest.approx(4 / 3)
    assert metrics["variants"]["non-recurrent"]["labels_per_step"] == 3.0
    for fold in ("fold_0", "fold_1", "fold_2"):
        recurrent, other = (
            specs.load(run.folder / variant / fold / "spec.yaml")
            for variant in ("recurrent", "non-recurrent")
        )
        assert (
            recurrent.network.recurrent,
            recurrent.training.batch_size,
            recurrent.training.clip_length,
        ) == (True, 1, 3)
        assert (other.network.recurrent, other.training.batch_size, other.training.clip_length) == (
            False,
            3,
            1,
        )


def test_the_report_and_the_table_are_there_and_say_what_they_are(run):
    for text in (run.stdout, (run.folder / "table.md").read_text()):
        assert "not a reproduction" in " ".join(text.split())
        assert "myocardium" in text and "79.4" in text
        assert "sees 1.3 labelled frames in the recurrent network, 3.0 in the other" in " ".join(text.split())
    page = (run.folder / "report.html").read_text()
    assert "Table 1a" in page and "patient001" in page and "data:image/png;base64" in page
    for said in (
        "<th>segmentation</th>",
        "Device</dt><dd>[CG]PU",
        "  iterations: 4",
        "myocardium</li>",
        ">non-recurrent</figcaption>",
        "patient00., slice 0, between, frame 1",
        "data:image/gif;base64",
    ):
        assert re.search(said, page)


def test_a_second_start_trains_nothing_and_gives_the_same_scores(run):
    (result, *_) = sorted((run.folder / "recurrent" / "fold_0" / "results").glob("*.npz"))
    files = [run.folder / "metrics.json", run.folder / "recurrent" / "fold_0" / "history.csv", result]
    before = [file.read_bytes() for file in files], [file.stat().st_mtime_ns for file in files[1:]]
    done = run_command("experiments.lv", *run.flags)
    assert done.returncode == 0, done.stderr
    assert ([file.read_bytes() for file in files], [file.stat().st_mtime_ns for file in files[1:]]) == before


def test_mistakes_are_one_sentence_and_status_2(hearts, run, tmp_path):
    flags = ["--profile=smoke", f"--out_dir={tmp_path}/runs"]
    for number in range(1, 4):
        write_patient(tmp_path / "few" / "ACDC-cine", f"patient{number:03d}")
    (tmp_path / "few" / "ACDC-cine" / "patient002" / "patient002_frame03_gt.nii.gz").unlink()
    for name in ("patient001", "patient002", "patient003", "stranger"):
        write_patient(tmp_path / "strange" / "ACDC-cine", name)
    for arguments, words in [
        ([f"--data_dir={tmp_path}/nothing"], "neither LVSC nor ACDC-cine"),
        ([f"--data_dir={tmp_path}/few"], "patient002_frame03_gt.nii.gz"),
        ([f"--data_dir={tmp_path}/strange"], "stranger is in none of the folds"),
        ([f"--data_dir={hearts}", "--fold=3"], "there are 3 folds"),
        ([f"--data_dir={hearts}", "--mode=predict"], "run --mode=train first"),
        ([f"--data_dir={hearts}", "--checkpoints=x"], "cell data sets only"),
        ([f"--data_dir={hearts}", "--train_frames=0:5"], "cell data sets only"),
        ([f"--data_dir={hearts}", "--require_gpu"], "--require_gpu"),
    ]:
        done = call_experiment(lv, *flags, *arguments)
        assert done.returncode == 2, (arguments, done.stderr)
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert words in line
        assert "Traceback" not in done.stderr
    changed = call_experiment(lv, *run.flags, "--set=training.learning_rate=0.5", "--mode=train")
    assert changed.returncode == 2 and "training.learning_rate" in changed.stderr


def network(recurrent):
    tf.random.set_seed(1)
    model = StackedHourglass(filters=3, levels=2, outputs=3, recurrent=recurrent, seed=4)
    model.build([None, None, None, None, 1])
    generator = np.random.default_rng(1)
    for variable in model.trainable_variables:
        variable.assign(generator.normal(0, 0.3, variable.shape))
    return model


@pytest.mark.parametrize("recurrent", [True, False])
def test_a_heartbeat_is_segmented_after_one_that_warms_the_state(recurrent):
    spec = specs.resolve_as(
        specs.HeartSpec,
        "ACDC-cine",
        "paper",
        "smoke",
        {"network.recurrent": recurrent, "network.image_size": 16},
    )
    images = np.random.default_rng(2).normal(0, 1, (4, 16, 16)).astype(np.float32)
    cine = HeartSlice("a", 0, images, np.zeros((4, 16, 16), np.uint8), np.ones(4, bool))
    model = network(recurrent)
    found = segment_cycle(FrameStepper(model, normalise=False), cine, spec)
    prepared = np.stack(list(prepare_frames(images, spec)))
    twice = model(np.concatenate([prepared, prepared])[None])[1][0].numpy().argmax(axis=-1)
    # The image has the network's size, so nothing is interpolated.
    np.testing.assert_array_equal(found["warmed"], twice[4:])
    if recurrent:
        np.testing.assert_array_equal(found["unwarmed"], twice[:4])
        assert (found["warmed"] != found["unwarmed"]).any()
    else:
        assert set(found) == {"warmed"}


def test_logits_are_enlarged_linearly_about_pixel_centres():
    spec = specs.resolve_as(specs.HeartSpec, "ACDC-cine", "paper", "smoke").preprocessing
    grid = frame_grid((30, 50), spec, (10, 10))
    rows, columns = np.mgrid[:10, :10].astype(np.float32)
    ramps = np.stack([grid.offset_y + grid.scale_y * rows, grid.offset_x + grid.scale_x * columns], axis=-1)
    enlarged = resample_linear(ramps, inverse(grid), (30, 50))
    np.testing.assert_allclose(enlarged[3:-3, 0, 0], np.arange(30)[3:-3], atol=1e-3)
    np.testing.assert_allclose(enlarged[0, 5:-5, 1], np.arange(50)[5:-5], atol=1e-3)


def test_results_are_not_taken_for_those_of_another_profile(run):
    """Scores made by one profile must not be written under another's name."""
    flags = [flag for flag in run.flags if not flag.startswith("--profile")]
    for mode in ("evaluate", "report"):
        done = call_experiment(lv, *flags, "--profile=cpu", f"--mode={mode}")
        assert (
            done.returncode == 2 and "other values of" in done.stderr and "network.image_size" in done.stderr
        )
    metrics = json.loads((run.folder / "metrics.json").read_text())
    assert metrics["profile"] == "smoke"
    assert "network.recurrent" not in {key for key, _, _ in metrics["deviations"]}
