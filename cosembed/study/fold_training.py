"""Trains the network of a fold, or loads it, with the check that it is one of this very spec.

This module knows none of the tasks.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

import tensorflow as tf
from absl import logging

from cosembed import released, specs
from cosembed.augment import DEFAULT_AUGMENTER
from cosembed.batches.workers import batches_by_workers
from cosembed.errors import CheckpointError
from cosembed.files.wording import counted
from cosembed.models import StackedHourglass
from cosembed.specs import TrainedSpec
from cosembed.study.folds import Fold, Item
from cosembed.study.settings import Settings
from cosembed.study.starting import starting_weights
from cosembed.study.task import Spec, TaskStages
from cosembed.training.checkpoints import checkpoint_manager, load_network_as, save_checkpoint
from cosembed.training.devices import describe_device
from cosembed.training.loading import choose_workers
from cosembed.training.loop import train
from cosembed.training.replicas import lost_hosts_reported, replicas_of
from cosembed.training.run_folder import RunFolder, describe_versions, environment


def train_fold(stages: TaskStages[Spec, Item], fold: Fold[Item], spec: Spec, settings: Settings) -> None:
    """Trains the network of a fold, or continues to.

    A network of the authors takes its place where the settings name a folder of them. Where several hosts
    train together, the chief alone writes.

    Raises:
        InputError: Data, a folder, a device, a number of workers, or a batch that the devices cannot share;
            hosts that differ. Nothing has been written.
        TrainingError: The loss or a gradient is not finite, or another host no longer answers.
    """
    if settings.checkpoints is not None:
        _adopt_released(fold, spec, settings)
        return
    title = f"{spec.dataset.name} {fold.name}"
    replicas = replicas_of(settings.execution)
    replicas.check_batch(spec.training.batch_size)
    device = describe_device(settings.require_gpu)
    if replicas.count > 1:
        device = f"{device}; {counted(replicas.count, 'replica')}"
    on_gpu = bool(tf.config.get_visible_devices("GPU"))
    workers = choose_workers(settings.workers, on_gpu, settings.augment)
    logging.info("%s: training on %s; device: %s", title, stages.describe_training(fold), device)
    # Reads all of it: what cannot be used is found before anything is written.
    source = stages.make_source(fold, spec, settings)
    identity = run_identity(fold, spec, settings)
    with lost_hosts_reported(replicas, title):
        replicas.check_agreement(_decisive_facts(spec, identity))
    run = RunFolder(settings.folder / fold.name)
    if replicas.is_chief:
        run.open(spec, identity, device)
    if workers:
        logging.info("%s: its batches are made by %s", title, counted(workers, "worker"))
    with batches_by_workers(source, workers, spec.training.iterations) as source:
        start = settings.start_from and starting_weights(settings.start_from, spec.network)
        weights = start.arrays if start else None
        train(spec, source, run, title, settings.execution, stages.training_picture, weights)


def _decisive_facts(spec: TrainedSpec, identity: dict[str, str]) -> dict[str, str]:
    """Gathers what must be the same on all hosts that train a network together."""
    digest = hashlib.sha256(specs.dump(spec).encode()).hexdigest()
    return {
        "the software": describe_versions(environment()["versions"]),
        "what the network is trained on": ", ".join(f"{key}: {value}" for key, value in identity.items()),
        "the spec (--profile, --recipe, --set)": f"digest {digest[:12]}",
    }


def run_identity(fold: Fold[Item], spec: TrainedSpec, settings: Settings) -> dict[str, str]:
    """Says what must be the same, beside the spec, when a fold's folder is used again."""
    identity = {"train": ", ".join(map(str, fold.train))}
    if settings.deterministic:
        identity["deterministic"] = "yes"
    if settings.augment != DEFAULT_AUGMENTER:
        identity["augment"] = settings.augment
    if settings.execution.mixed_precision:
        identity["mixed_precision"] = "yes"
    if settings.checkpoints is not None:
        place = released.find_released(settings.checkpoints, spec.dataset.name)
        identity["network"] = released.source_of(place)
    if settings.start_from is not None:
        identity["start_from"] = starting_weights(settings.start_from, spec.network).source
    return identity


def check_run(fold: Fold[Item], spec: TrainedSpec, settings: Settings) -> None:
    """Raises unless the fold's folder holds a training run of this very spec, whose results may be used.

    Raises:
        CheckpointError: It holds no run.
        OutputError: It holds a run with other values; names their keys.
    """
    run = RunFolder(settings.folder / fold.name)
    if not run.spec_file.exists():
        raise CheckpointError(f"{run.path}: holds no trained network; run --mode=train first")
    run.open(spec, run_identity(fold, spec, settings))


def load_finished_network(fold: Fold[Item], spec: TrainedSpec, settings: Settings) -> StackedHourglass:
    """Loads the network of a fold whose training is finished.

    Raises:
        CheckpointError: There is no run, or it is not finished.
        OutputError: The run is one with other values.
    """
    check_run(fold, spec, settings)
    folder = settings.folder / fold.name
    model, _, step = load_network_as(type(spec), folder)
    if step < spec.training.iterations:
        raise CheckpointError(
            f"{folder}: trained for {step} of {spec.training.iterations} steps; run --mode=train again to "
            "finish"
        )
    return model


def fit_released(spec: Spec, checkpoints: Path) -> Spec:
    """Derives the data set's spec with the recipe and the form of the authors' network for it.

    Values that were set by hand stay.

    Raises:
        CheckpointError: There is no such network, or it cannot be used.
    """
    model = released.load_imported(released.find_released(checkpoints, spec.dataset.name))
    set_by_hand = {key: ours for key, _, ours in specs.deviations_from_paper(spec)}
    fitted = released.released_spec(model, spec.dataset.name, set_by_hand)
    assert isinstance(fitted, type(spec))
    return fitted


def _adopt_released(fold: Fold[Item], spec: TrainedSpec, settings: Settings) -> None:
    assert settings.checkpoints is not None
    place = released.find_released(settings.checkpoints, spec.dataset.name)
    model = released.load_imported(place)
    run = RunFolder(settings.folder / fold.name)
    run.open(spec, run_identity(fold, spec, settings))
    run.write_history([])
    step = tf.Variable(spec.training.iterations, dtype=tf.int64, trainable=False)
    save_checkpoint(checkpoint_manager(run.checkpoints, model=model, step=step), spec.training.iterations)
    logging.info(
        "%s %s: the authors' network %s instead of training",
        spec.dataset.name,
        fold.name,
        released.source_of(place),
    )
