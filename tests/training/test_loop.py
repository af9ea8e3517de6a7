"""The training loop: it learns, resumes bitwise, stops at NaN, and refuses another run's folder."""

import dataclasses
import json

import numpy as np
import pytest
import tensorflow as tf

from cosembed.batches.clips import ClipSource
from cosembed.batches.workers import batches_by_workers
from cosembed.errors import CheckpointError, DataError, OutputError, SpecError, TrainingError
from cosembed.models import named_weights
from cosembed.training.checkpoints import build_network, load_network
from cosembed.training.execution import DEFAULT
from cosembed.training.loop import train
from cosembed.training.run_folder import Record, RunFolder
from tests.helpers.builders import make_sequence, moving_squares, small_spec, untrained_run


def shallow_spec(*overrides, **options):
    """Two levels: graphs are built in seconds."""
    return small_spec("network.levels=2", *overrides, **options)


IDENTITY = {"train": "01 [0:8]"}


@pytest.fixture(scope="module")
def sequence():
    images, labels, _ = moving_squares(frames=8)
    return make_sequence(images, labels)


def run_training(
    folder,
    sequence,
    spec,
    stop_after=None,
    draw_picture=None,
    workers=0,
    execution=DEFAULT,
    start_weights=None,
):
    """Trains in `folder`; `stop_after` ends it by an error after that many clips, as a kill would."""
    source = ClipSource([sequence], spec, spec.training.seed)
    if stop_after is not None:
        make = source.clips

        def clips(index):
            if index >= stop_after:
                raise KeyboardInterrupt
            return make(index)

        source.clips = clips
    run = RunFolder(folder)
    run.open(spec, IDENTITY)
    with batches_by_workers(source, workers, spec.training.iterations) as source:
        return train(
            spec,
            source,
            run,
            execution=execution,
            draw_picture=draw_picture,
            start_weights=start_weights,
        )


def weights_of(folder):
    model, _, step = load_network(folder)
    return [variable.numpy() for variable in model.trainable_variables], step


@pytest.mark.slow
@pytest.mark.parametrize(("recipe", "windows"), [("released", ()), ("mia2019", ("inference.size=[40, 48]",))])
def test_interrupted_equals_uninterrupted_bitwise(sequence, tmp_path, recipe, windows):
    spec = shallow_spec("training.iterations=10", "training.checkpoint_every=3", *windows, recipe=recipe)
    run_training(tmp_path / "whole", sequence, spec)
    for stop in (2, 8):
        folder = tmp_path / f"stopped_{stop}"
        with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
            run_training(folder, sequence, spec, stop_after=stop)
        assert len(RunFolder(folder).read_history()) <= stop
        run_training(folder, sequence, spec)
        (whole, whole_step), (resumed, step) = weights_of(tmp_path / "whole"), weights_of(folder)
        assert step == whole_step == 10
        for first, second in zip(whole, resumed, strict=True):
            np.testing.assert_array_equal(first, second)
        histories = [RunFolder(path).read_history() for path in (tmp_path / "whole", folder)]
        without_time = [
            [dataclasses.replace(record, seconds=0.0, waiting=None) for record in history]
            for history in histories
        ]
        assert without_time[0] == without_time[1]


@pytest.mark.slow
def test_a_training_that_started_from_a_network_continues_bitwise(sequence, tmp_path):
    spec = shallow_spec("training.iterations=4", "training.checkpoint_every=2")
    other = named_weights(build_network(shallow_spec("training.seed=9")))
    start = {name: variable.numpy() for name, variable in other.items()}
    run_training(tmp_path / "whole", sequence, spec, start_weights=start)
    expected, _ = weights_of(tmp_path / "whole")
    # Ended before the first checkpoint, and after it.
    for stop in (1, 3):
        folder = tmp_path / f"stopped_{stop}"
        with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
            run_training(folder, sequence, spec, stop_after=stop, start_weights=start)
        run_training(folder, sequence, spec, start_weights=start)
        for first, second in zip(expected, weights_of(folder)[0], strict=True):
            np.testing.assert_array_equal(first, second)


@pytest.mark.slow
def test_weights_are_bitwise_the_same_for_any_number_of_workers_and_after_a_change_of_it(sequence, tmp_path):
    spec = shallow_spec("training.iterations=5", "training.checkpoint_every=2", "training.batch_size=2")
    with pytest.raises(KeyboardInterrupt):
        run_training(tmp_path / "resumed", sequence, spec, stop_after=3)
    assert weights_of(tmp_path / "resumed")[1] == 2
    run_training(tmp_path / "resumed", sequence, spec, workers=2)
    for workers in (0, 1, 2, 8):
        run_training(tmp_path / str(workers), sequence, spec, workers=workers)
    expected, _ = weights_of(tmp_path / "0")
    for name in ("1", "2", "8", "resumed"):
        found, step = weights_of(tmp_path / name)
        assert step == 5
        for first, second in zip(expected, found, strict=True):
            np.testing.assert_array_equal(first, second)


def test_histories_without_a_share_of_waiting_are_read_and_continued(tmp_path):
    run = RunFolder(tmp_path)
    run.history_file.write_text("step,loss,task_loss,learning_rate,seconds\n1,0.5,0.25,0.001,0.1\n")
    (old,) = run.read_history()
    assert old == Record(1, 0.5, 0.25, 0.001, 0.1)
    new = Record(2, 0.5, 0.25, 0.001, 0.1, 0.125)
    run.write_history([old, new])
    assert run.history_file.read_text().splitlines() == [
        "step,loss,task_loss,learning_rate,seconds,waiting",
        "1,0.5,0.25,0.001,0.1,",
        "2,0.5,0.25,0.001,0.1,0.125",
    ]
    assert run.read_history() == [old, new]
    run.history_file.write_text(run.history_file.read_text().replace("0.125", "nan"))
    with pytest.raises(DataError, match="not a training history"):
        run.read_history()


def test_training_learns_and_records(sequence, tmp_path):
    wide = ("network.filters=8", "network.outputs=8")
    spec = shallow_spec(
        "training.iterations=120", "training.learning_rate=0.02", "training.checkpoint_every=60", *wide
    )
    run_training(tmp_path / "run", sequence, spec)
    history = RunFolder(tmp_path / "run").read_history()
    assert [record.step for record in history] == list(range(1, 121))
    losses = [record.task_loss for record in history]
    assert np.mean(losses[-20:]) < 0.8 * np.mean(losses[:5])
    assert history[0].learning_rate == pytest.approx(0.02)
    assert history[-1].learning_rate == pytest.approx(0.002)
    assert all(0 <= record.waiting <= 1 for record in history)
    facts = json.loads((tmp_path / "run" / "versions.json").read_text())
    assert facts["versions"]["tensorflow"] == tf.__version__
    assert facts["git_commit"]
    assert recorded_tags(tmp_path / "run") == {"loss", "task_loss", "learning_rate", "seconds", "waiting"}


def recorded_tags(folder):
    """What TensorBoard would show."""
    events = [str(path) for path in (folder / "tensorboard").iterdir()]
    return {
        value.tag
        for event in tf.data.TFRecordDataset(events).as_numpy_iterator()
        for value in tf.compat.v1.Event.FromString(event).summary.value
    }


def test_a_picture_is_drawn_with_every_checkpoint_where_asked_for(sequence, tmp_path):
    spec = shallow_spec("training.iterations=4", "training.checkpoint_every=2")
    side, drawn = spec.network.image_size, []

    def draw(outputs, batch):
        drawn.append((outputs[-1].shape, batch["image"].shape))
        return np.zeros((side, side, 3), np.uint8)

    run_training(tmp_path / "run", sequence, spec, draw_picture=draw)
    assert len(drawn) == 2
    for outputs, image in drawn:
        assert outputs[:-1] == image[:-1] and outputs[-1] == spec.network.outputs
    assert "first frames" in recorded_tags(tmp_path / "run")


def test_a_finished_run_is_left_alone(sequence, tmp_path):
    spec = shallow_spec("training.iterations=2")
    run_training(tmp_path / "run", sequence, spec)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()}
    run_training(tmp_path / "run", sequence, spec)
    assert before == {
        path: path.stat().st_mtime_ns for path in (tmp_path / "run").rglob("*") if path.is_file()
    }


def test_nan_stops_training_and_names_step_seed_and_checkpoint(sequence, tmp_path):
    spec = shallow_spec("training.iterations=8", "training.checkpoint_every=2")
    source = ClipSource([sequence], spec, spec.training.seed)
    make = source.clips

    def clips(index):
        (clip,) = make(index)
        return [dataclasses.replace(clip, image=clip.image * np.nan) if index == 4 else clip]

    source.clips = clips
    run = RunFolder(tmp_path / "run")
    run.open(spec, IDENTITY)
    with pytest.raises(TrainingError, match=r"step 5 \(clip 4, seed 1\).*step-4"):
        train(spec, source, run)
    weights, step = weights_of(tmp_path / "run")
    assert step == 4
    assert all(np.isfinite(weight).all() for weight in weights)


@pytest.mark.slow
def test_a_damaged_newest_checkpoint_falls_back_to_the_one_before(sequence, tmp_path):
    spec = shallow_spec("training.iterations=6", "training.checkpoint_every=2")
    run_training(tmp_path / "whole", sequence, spec)
    with pytest.raises((KeyboardInterrupt, tf.errors.OpError)):
        run_training(tmp_path / "damaged", sequence, spec, stop_after=5)
    newest = tmp_path / "damaged" / "checkpoints" / "step-4.data-00000-of-00001"
    newest.write_bytes(newest.read_bytes()[:100])
    run_training(tmp_path / "damaged", sequence, spec)
    for first, second in zip(
        weights_of(tmp_path / "whole")[0], weights_of(tmp_path / "damaged")[0], strict=True
    ):
        np.testing.assert_array_equal(first, second)


def test_another_spec_or_another_kind_of_folder_is_refused_by_name(tmp_path):
    spec = shallow_spec()
    RunFolder(tmp_path / "run").open(spec, IDENTITY)
    RunFolder(tmp_path / "run").open(spec, IDENTITY)
    with pytest.raises(OutputError, match=r"training\.seed"):
        RunFolder(tmp_path / "run").open(shallow_spec("training.seed=2"), IDENTITY)
    with pytest.raises(OutputError, match="train"):
        RunFolder(tmp_path / "run").open(spec, {"train": "02 [0:8]"})
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("precious")
    with pytest.raises(OutputError, match="not a run"):
        RunFolder(tmp_path / "mine").open(spec, IDENTITY)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_missing_and_foreign_checkpoints_are_named(sequence, tmp_path):
    with pytest.raises(CheckpointError, match="nowhere"):
        load_network(tmp_path / "nowhere")
    RunFolder(tmp_path / "untrained").open(shallow_spec(), IDENTITY)
    with pytest.raises(CheckpointError, match="no trained network"):
        load_network(tmp_path / "untrained")
    spec = shallow_spec("training.iterations=1")
    run_training(tmp_path / "run", sequence, spec)
    prefix = tmp_path / "run" / "checkpoints" / "step-1"
    assert load_network(prefix)[2] == load_network(prefix.with_suffix(".index"))[2] == 1
    spec_file = tmp_path / "run" / "spec.yaml"
    spec_file.write_text(spec_file.read_text().replace("filters: 4", "filters: 5"))
    with pytest.raises(CheckpointError, match="does not fit"):
        load_network(tmp_path / "run")


def test_a_spec_of_a_newer_version_is_told_from_a_damaged_one(tmp_path):
    run = RunFolder(untrained_run(tmp_path / "run", shallow_spec()))
    run.spec_file.write_text(run.spec_file.read_text() + "tiles: 4\n")
    with pytest.raises(SpecError, match="unknown key 'tiles'"):
        load_network(run.path)
    facts = json.loads(run.versions_file.read_text())
    for version, error in (("0.0.9", SpecError), ("nonsense", SpecError), ("99.0", CheckpointError)):
        run.versions_file.write_text(json.dumps(facts | {"versions": {"cosembed": version}}))
        with pytest.raises(error):
            load_network(run.path)
    with pytest.raises(
        CheckpointError, match=r"spec\.yaml: was written by cosembed 99\.0, which .*newer one"
    ):
        load_network(run.path)
    run.versions_file.unlink()
    with pytest.raises(SpecError, match="unknown key 'tiles'"):
        load_network(run.path)
