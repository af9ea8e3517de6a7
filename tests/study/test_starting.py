"""A training starts from another network's weights, which the run records, or refuses them in a sentence."""

import json

import numpy as np
import pytest

from cosembed import specs
from cosembed.commands.main import main
from cosembed.datasets.suggestion import measure_annotation, render_spec
from cosembed.errors import CheckpointError, OutputError
from cosembed.images.frames import open_frames
from cosembed.inference.stepper import FrameStepper
from cosembed.inference.video import track_video
from cosembed.metrics import evaluate_ctc
from cosembed.models import named_weights
from cosembed.networks.description import describe_network
from cosembed.simulation import simulate_video, write_video
from cosembed.study import own_data
from cosembed.study.report_sections import run_facts
from cosembed.study.runner import run_experiment
from cosembed.study.starting import starting_weights
from cosembed.training.checkpoints import build_network, load_network
from tests.helpers.builders import run_command, small_spec, untrained_run
from tests.helpers.numpy_network import seeded_variables, write_checkpoint
from tests.helpers.studies import SIMULATED, make_settings, smoke_spec

# Two steps with it leave weights where they are, to float32.
HARDLY = {"iterations": 2, "learning_rate": 1e-12}


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Two short simulated videos in the layout of the data set `simulated`."""
    root = tmp_path_factory.mktemp("data") / "simulated"
    for video, seed in (("01", 1), ("02", 2)):
        write_video(root, video, simulate_video(5, 64, 4, 0.5, seed))
    return root.parent


def arrays_of(model):
    return {name: variable.numpy() for name, variable in named_weights(model).items()}


def test_the_weights_are_those_of_the_other_run_which_the_record_names(data, tmp_path):
    other = untrained_run(tmp_path / "other", smoke_spec(seed=9))
    settings = make_settings(data, tmp_path / "run", fold=0, start_from=str(other))
    run_experiment(SIMULATED, "train", smoke_spec(**HARDLY), settings)
    model, _, step = load_network(tmp_path / "run" / "test_02")
    assert step == 2
    expected = arrays_of(build_network(smoke_spec(seed=9)))
    drawn = arrays_of(build_network(smoke_spec(**HARDLY)))
    for name, values in arrays_of(model).items():
        np.testing.assert_allclose(values, expected[name], rtol=0, atol=1e-10)
        # The kernels of the gates start at zero whatever the seed.
        if name.endswith("contracting/0/kernel"):
            assert np.abs(values - drawn[name]).max() > 1e-3
    identity = json.loads((tmp_path / "run" / "test_02" / "versions.json").read_text())["identity"]
    assert identity["start_from"].startswith("other, weights ")
    fold = SIMULATED.task.make_folds(smoke_spec(**HARDLY), settings)[0]
    assert ("Started from", identity["start_from"]) in run_facts(smoke_spec(**HARDLY), settings, fold, "")


def test_a_run_goes_on_only_as_it_started(data, tmp_path):
    starts = [str(untrained_run(tmp_path / f"from_{seed}" / "net", smoke_spec(seed=seed))) for seed in (3, 4)]
    folder = tmp_path / "run"
    run_experiment(
        SIMULATED, "train", smoke_spec(**HARDLY), make_settings(data, folder, fold=0, start_from=starts[0])
    )
    for another in (starts[1], None):
        with pytest.raises(OutputError, match="holds a run with other values of start_from"):
            run_experiment(
                SIMULATED,
                "predict",
                smoke_spec(**HARDLY),
                make_settings(data, folder, fold=0, start_from=another),
            )


def test_a_network_of_another_form_is_refused_with_the_values_to_set(data, tmp_path):
    other = untrained_run(tmp_path / "other", small_spec("network.levels=3", "network.outputs=6"))
    settings = make_settings(data, tmp_path / "run", start_from=str(other))
    with pytest.raises(CheckpointError, match=r"use --set=network\.levels=3 --set=network\.outputs=6$"):
        run_experiment(SIMULATED, "all", smoke_spec(), settings)
    assert not (tmp_path / "run").exists()


def test_frames_with_other_channels_need_another_network(tmp_path):
    other = untrained_run(tmp_path / "other", small_spec("network.levels=2", "network.channels=3"))
    with pytest.raises(
        CheckpointError, match=r"has network\.channels=3.*use a network that was trained on frames"
    ):
        starting_weights(str(other), smoke_spec().network)


def test_networks_that_come_with_it_and_those_of_the_authors_are_taken(tmp_path):
    network = specs.resolve("simulated", "paper", "cpu").network
    found = starting_weights("simulated", network)
    assert found.source.startswith("simulated, weights ")
    assert found.arrays["hourglasses/0/contracting/0/kernel"].shape == (3, 3, 1, network.filters)

    write_checkpoint(tmp_path / "model-1", seeded_variables(1, levels=3))
    changes = {"network.levels": 3, "network.filters": 4, "network.outputs": 3}
    form = specs.resolve("DIC-C2DH-HeLa", "released", "paper", changes).network
    assert starting_weights(str(tmp_path / "model-1"), form).source.startswith("model-1, weights ")


def test_an_unknown_network_and_both_kinds_of_networks_are_one_sentence(data, tmp_path):
    command = [
        "cosembed",
        "train",
        f"--spec={tmp_path / 'mine.yaml'}",
        f"--data_dir={data}",
        f"--out_dir={tmp_path / 'runs'}",
    ]
    suggested = run_command(
        "cosembed", "suggest-spec", f"--data={data / 'simulated'}", f"--output={tmp_path / 'mine.yaml'}"
    )
    assert suggested.returncode == 0, suggested.stderr
    for flags, sentence in (
        (["--start_from=simulatd"], "did you mean 'simulated'?"),
        (["--start_from=simulated", "--checkpoints=nets"], "--checkpoints takes the place of training"),
    ):
        done = run_command(*command, *flags)
        assert done.returncode == 2
        (line,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert sentence in line
        assert not (tmp_path / "runs").exists()


def test_scores_before_and_after_stand_side_by_side(data, tmp_path, capsys):
    other = untrained_run(tmp_path / "other", smoke_spec(seed=9))
    spec, folder = smoke_spec(iterations=2), tmp_path / "run"
    settings = make_settings(data, folder, fold=0, start_from=str(other))
    run_experiment(SIMULATED, "all", spec, settings)
    metrics = json.loads((folder / "metrics.json").read_text())

    # The other network tracks the same video by itself, with the values of the run.
    frames = open_frames(data / "simulated" / "02")
    track_video(FrameStepper(load_network(other)[0]), frames, spec, tmp_path / "02_RES")
    expected = evaluate_ctc(tmp_path / "02_RES", data / "simulated" / "02_GT")
    for measure in ("SEG", "DET", "TRA"):
        assert metrics["before"][measure] == expected[measure]
        assert metrics["folds"][0]["before"][measure] == expected[measure]
    assert metrics["start_from"].startswith("other, weights ")

    printed = capsys.readouterr().out
    assert "before training" in printed and f"{metrics['before']['SEG']:.3f}" in printed
    page = (folder / "report.html").read_text()
    assert "<td>before training</td>" in page and "Before training: the network that it started" in page
    assert "<figcaption>before training</figcaption>" in page

    masks = {path: path.stat().st_mtime_ns for path in folder.rglob("*.tif")}
    assert any("before" in path.parts for path in masks)
    run_experiment(SIMULATED, "all", spec, settings)
    assert masks == {path: path.stat().st_mtime_ns for path in folder.rglob("*.tif")}


def test_a_network_of_another_form_is_taken_by_its_name_alone(data, tmp_path, monkeypatch):
    changes = ("network.levels=3", "network.outputs=6", "network.image_size=48")
    other = untrained_run(tmp_path / "other", small_spec(*changes))
    file = tmp_path / "mine.yaml"
    file.write_text(render_spec("simulated", measure_annotation(data / "simulated")))
    flags = [f"--spec={file}", f"--data_dir={data}", f"--out_dir={tmp_path}", "--name=run", "--profile=smoke"]
    flags += ["--mode=train", "--fold=0", "--set=training.iterations=1", f"--start_from={other}"]
    monkeypatch.setattr("sys.argv", ["cosembed", "train", *flags])
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "train", *flags])
    assert not ended.value.code
    network = load_network(tmp_path / "run" / "test_02")[1].network
    assert (network.levels, network.outputs, network.image_size) == (3, 6, 48)


@pytest.mark.slow
def test_ones_own_videos_start_from_a_network_that_comes_with_it(data, tmp_path):
    file = tmp_path / "simulated.yaml"
    file.write_text(render_spec("simulated", measure_annotation(data / "simulated")))
    start = describe_network("simulated").spec
    spec = specs.resolve_file(file, "paper", "smoke", {"training.iterations": 1}, start)
    settings = make_settings(data, tmp_path / "run", fold=0, start_from="simulated")
    run_experiment(own_data.EXPERIMENT, "train", spec, settings)
    versions = json.loads((tmp_path / "run" / "test_02" / "versions.json").read_text())
    assert versions["identity"]["start_from"].startswith("simulated, weights ")
