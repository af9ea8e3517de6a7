"""The steps of the leaf experiments after their data are found.

Files of a fold, below <out_dir>/<experiment>/<fold>/: the training run as in any experiment, and

    results/<plant>_label.png       instances at the image's size, 16-bit grey
    metrics.json                    SBD and difference in count of every plant, ours and the classical baseline's
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path

import imagecodecs
import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed import specs
from cosembed.baselines.leaves import segment_leaves
from cosembed.batches.clips import ClipSource
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.datasets.leaves import Plant, find_plants
from cosembed.errors import DataError
from cosembed.files.writing import atomic_write_bytes, atomic_write_text
from cosembed.images.reading import read_image
from cosembed.inference.images import segment_image
from cosembed.inference.stepper import FrameStepper
from cosembed.metrics import difference_in_count, symmetric_best_dice
from cosembed.specs import LeavesSpec
from cosembed.study.folds import NamedFold
from cosembed.study.run_files import (
    add_seconds,
    check_run,
    load_finished,
    read_record,
    results_folder,
    run_identity,
)
from cosembed.study.runner import Settings
from cosembed.training.devices import describe_device
from cosembed.training.loop import train as train_network
from cosembed.training.run_folder import RunFolder


def train(fold: NamedFold, spec: LeavesSpec, settings: Settings) -> None:
    """Trains the fold's network, or continues to."""
    device = describe_device(settings.require_gpu)
    logging.info(
        "%s %s: training on %d plants; device: %s", spec.dataset.name, fold.name, len(fold.train), device
    )
    sequences = [as_sequence(plant) for plant in plants_of(fold.train, spec, settings)]
    source = ClipSource(sequences, spec, spec.training.seed, settings.augment)
    run = RunFolder(settings.folder / fold.name)
    run.open(spec, run_identity(fold.train, settings), device)
    train_network(spec, source, run, f"{spec.dataset.name} {fold.name}", settings.execution)


def predict(fold: NamedFold, spec: LeavesSpec, settings: Settings) -> None:
    """Segments the fold's test plants, each by itself.

    Raises:
        CheckpointError: The fold's training is not finished.
    """
    folder = settings.folder / fold.name
    stepper = FrameStepper(load_finished(folder, spec, run_identity(fold.train, settings)))
    results = results_folder(folder, spec)
    for plant in plants_of(fold.test, spec, settings):
        file = result_file(folder, plant.name)
        if not file.exists():
            begin = time.perf_counter()
            labels = segment_image(stepper, plant.image(), spec)
            atomic_write_bytes(file, bytes(imagecodecs.png_encode(labels)))
            add_seconds(results, "segmentation", time.perf_counter() - begin)
    logging.info("%s: segmented %d plants", fold.name, len(fold.test))


def evaluate(fold: NamedFold, spec: LeavesSpec, settings: Settings) -> None:
    """Scores every test plant at its image's size.

    Raises:
        DataError: There are no results yet.
    """
    folder = settings.folder / fold.name
    check_run(folder, spec, run_identity(fold.train, settings))
    scores = {}
    for plant in plants_of(fold.test, spec, settings):
        truth, found, baseline = (
            plant.labels(),
            read_result(folder, plant.name),
            segment_leaves(plant.image()),
        )
        scores[plant.name] = {
            "SBD": symmetric_best_dice(found, truth),
            "DiC": difference_in_count(found, truth),
            "baseline_SBD": symmetric_best_dice(baseline, truth),
            "baseline_DiC": difference_in_count(baseline, truth),
        }
    content = {"fold": fold.name, "train": list(fold.train), "test": list(fold.test), "images": scores}
    atomic_write_text(folder / "metrics.json", json.dumps(content, indent=1) + "\n")
    for title, prefix in (("ours", ""), ("baseline", "baseline_")):
        sbd = np.mean([entry[f"{prefix}SBD"] for entry in scores.values()])
        counts = np.array([entry[f"{prefix}DiC"] for entry in scores.values()])
        logging.info(
            "%s, %s: SBD %.3f, |DiC| %.2f, DiC %+.2f",
            fold.name,
            title,
            sbd,
            np.abs(counts).mean(),
            counts.mean(),
        )


def collect(folds: list[NamedFold], spec: LeavesSpec, settings: Settings) -> None:
    """Writes the experiment's metrics.json: the scores of every plant that was tested."""
    files = [settings.folder / fold.name / "metrics.json" for fold in folds]
    images = {
        name: scores
        for file in files
        if file.exists()
        for name, scores in read_record(file, "images")["images"].items()
    }
    content = {
        "experiment": "leaves",
        "data": f"{spec.dataset.name}, {len(images)} plants tested",
        "recipe": spec.recipe,
        "profile": spec.profile,
        "split": f"{spec.dataset.fold_count} folds of plants, {len(folds)} of them tested",
        "command": settings.command,
        "deviations": [list(deviation) for deviation in specs.deviations_from_paper(spec)],
        "images": images,
    }
    atomic_write_text(settings.folder / "metrics.json", json.dumps(content, indent=1) + "\n")


def report(folds: list[NamedFold], spec: LeavesSpec, settings: Settings) -> None:
    """Writes table.md and report.html."""
    for fold in folds:
        check_run(settings.folder / fold.name, spec, run_identity(fold.train, settings))
    # The report reads what the steps above wrote.
    from cosembed.study.tasks import leaves_report as leaf_report

    leaf_report.write(folds, spec, settings)


def plants_of(names: Iterable[str], spec: LeavesSpec, settings: Settings) -> list[Plant]:
    """The plants of a fold."""
    wanted = set(names)
    return [plant for plant in find_plants(settings.data_dir / spec.dataset.name) if plant.name in wanted]


def as_sequence(plant: Plant) -> AnnotatedVideo:
    """A still image as a video of one frame, all of it labelled."""
    image, labels = plant.image(), plant.labels()
    return AnnotatedVideo(
        name=plant.name,
        frames=[image],
        labels=labels[None],
        complete=np.ones(1, bool),
        loss_mask=np.ones(labels.shape, bool),
        tracks=(),
        segments=((0, 1),),
    )


def result_file(folder: Path, plant: str) -> Path:
    """Where the instances of a plant are written."""
    return folder / "results" / f"{plant}_label.png"


def read_result(folder: Path, plant: str) -> NDArray[np.uint16]:
    """The instances of a plant, uint16 [H, W]; raises `DataError` before they are there."""
    file = result_file(folder, plant)
    if not file.exists():
        raise DataError(f"{file}: there are no results to score; run --mode=predict first")
    return np.asarray(read_image(file), np.uint16)
