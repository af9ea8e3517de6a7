"""The leaf experiment from the command line on small simulated plants, and bad input."""

import dataclasses
import json
import re
import shutil

import imagecodecs
import numpy as np
import pytest

from cosembed import specs
from cosembed.datasets.leaves import find_plants
from cosembed.metrics import foreground_dice, symmetric_best_dice
from cosembed.simulation.leaves import write_plants
from experiments import cvppp
from tests.helpers.builders import call_experiment, run_command
from tests.helpers.studies import make_settings


@pytest.fixture(scope="module")
def plants(tmp_path_factory):
    root = tmp_path_factory.mktemp("data") / "CVPPP-A1"
    write_plants(root, 6, 64, 1)
    return root.parent


def test_from_images_to_the_table(plants, tmp_path):
    flags = ["--profile=smoke", "--set=network.levels=1", f"--data_dir={plants}", f"--out_dir={tmp_path}"]
    done = run_command("experiments.cvppp", *flags)
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "cvppp"
    metrics = json.loads((folder / "metrics.json").read_text())
    assert sorted(metrics["images"]) == [f"plant{number:03d}" for number in range(1, 7)]
    assert metrics["split"] == "3 folds of plants, 3 of them tested"
    truth = {plant.name: plant.labels() for plant in find_plants(plants / "CVPPP-A1")}
    for file in folder.glob("fold_*/results/*_label.png"):
        found = imagecodecs.png_decode(file.read_bytes())
        name = file.name.removesuffix("_label.png")
        assert found.shape == truth[name].shape
        assert metrics["images"][name]["SBD"] == pytest.approx(symmetric_best_dice(found, truth[name]))
        assert metrics["images"][name]["FBD"] == pytest.approx(foreground_dice(found, truth[name]))
    for text in (done.stdout, (folder / "table.md").read_text()):
        assert "not a reproduction" in " ".join(text.split())
        assert "IS+RA" in text and "84.9" in text
    page = (folder / "report.html").read_text()
    for said in (
        "Table 1b",
        "<th>segmentation</th>",
        "Device</dt><dd>[CG]PU",
        "  iterations: 4",
        "missed</li>",
        ">errors</figcaption>",
    ):
        assert re.search(said, page)
    before = (folder / "metrics.json").read_text()
    assert run_command("experiments.cvppp", *flags).returncode == 0
    assert (folder / "metrics.json").read_text() == before


def test_a_foreground_that_is_not_of_the_labels_is_told(plants, tmp_path, caplog):
    root = tmp_path / "CVPPP-A1"
    shutil.copytree(plants / "CVPPP-A1", root)
    for plant in find_plants(root):
        foreground = plant.labels() > 0
        if plant.name == "plant004":
            foreground = np.roll(foreground, 20, axis=0)
        pixels = imagecodecs.png_encode(255 * foreground.astype(np.uint8))
        (root / "A1" / f"{plant.name}_fg.png").write_bytes(pixels)
    spec = specs.resolve_as(specs.LeavesSpec, "CVPPP-A1", profile="smoke")
    cvppp.EXPERIMENT.task.check([], spec, make_settings(tmp_path, tmp_path / "run"), "train")
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told.startswith("plant004: its foreground (fg) and its labels differ in ")


def test_plants_of_several_sizes_train_together(tmp_path):
    root = tmp_path / "CVPPP-A1"
    write_plants(root, 2, 64, 1)
    write_plants(tmp_path / "other", 3, 80, 2)
    for file in (tmp_path / "other" / "A1").glob("plant003_*"):
        file.rename(root / "A1" / file.name)
    spec = specs.resolve_as(specs.LeavesSpec, "CVPPP-A1", profile="smoke")
    settings = make_settings(tmp_path, tmp_path / "run")
    fold = cvppp.EXPERIMENT.task.make_folds(spec, settings)[0]
    everything = dataclasses.replace(fold, train=("plant001", "plant002", "plant003"))
    stages = cvppp.EXPERIMENT.task.stages()
    source = stages.make_source(everything, spec, settings)
    side = spec.network.image_size
    assert source.batch(0)["image"].shape == (spec.training.batch_size, 1, side, side, 3)
    assert {clip.image.shape for clip in source.clips(0)} == {(1, side, side, 3)}


def without_labels(root):
    for file in (root / "A1").glob("*_label.png"):
        file.unlink()


def one_label_missing(root):
    (root / "A1" / "plant002_label.png").unlink()


def another_shape(root):
    (root / "A1" / "plant003_label.png").write_bytes(imagecodecs.png_encode(np.ones((10, 20), np.uint8)))


def no_leaf(root):
    (root / "A1" / "plant004_label.png").write_bytes(imagecodecs.png_encode(np.zeros((64, 64), np.uint8)))


def garbage(root):
    (root / "A1" / "plant001_rgb.png").write_bytes(b"not a picture")


def too_few(root):
    for number in range(3, 7):
        for file in (root / "A1").glob(f"plant{number:03d}_*"):
            file.unlink()


def gone(root):
    shutil.rmtree(root)


FAULTS = {
    without_labels: "CVPPP-A1",
    one_label_missing: "plant002",
    another_shape: "plant003_label.png",
    no_leaf: "plant004_label.png",
    garbage: "plant001_rgb.png",
    too_few: "fold",
    gone: "CVPPP-A1",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_bad_input_is_one_sentence_and_status_2(fault, plants, tmp_path):
    root = tmp_path / "data" / "CVPPP-A1"
    shutil.copytree(plants / "CVPPP-A1", root)
    fault(root)
    # Every plant is in the training set of some fold.
    flags = [
        "--profile=smoke",
        f"--data_dir={root.parent}",
        f"--out_dir={tmp_path}/runs",
        "--set=training.iterations=1",
    ]
    done = call_experiment(cvppp, *flags, "--mode=train")
    assert done.returncode == 2, done.stderr
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert FAULTS[fault] in line
    assert "Traceback" not in done.stderr
