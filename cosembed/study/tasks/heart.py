"""The steps of the left ventricle experiment after its data are found.

Files of a fold, below <out_dir>/lv/<variant>/<fold>/: the training run as in any experiment, and

    results/<patient>.npz       classes found, uint8 [T, H, W] per slice: warmed, and unwarmed where the network is recurrent
    metrics.json                IoU of every patient
"""

from __future__ import annotations

import io
import json
import time
from collections.abc import Iterable
from typing import Any

import numpy as np
from absl import logging
from numpy.typing import NDArray
from scipy import stats

from cosembed import specs
from cosembed.batches.heart_clips import HeartClipSource
from cosembed.datasets.heart.readers import read_slices
from cosembed.datasets.heart.slices import CLASSES, HeartSlice, patients
from cosembed.errors import DataError
from cosembed.files.writing import atomic_write_bytes, atomic_write_text
from cosembed.inference.images import segment_cycle
from cosembed.inference.stepper import FrameStepper
from cosembed.metrics import iou_per_class
from cosembed.specs import HeartSpec
from cosembed.study.folds import NamedFold
from cosembed.study.run_files import (
    add_seconds,
    check_run,
    load_finished,
    read_arrays,
    read_record,
    results_folder,
    run_identity,
)
from cosembed.study.runner import Settings
from cosembed.training.devices import describe_device
from cosembed.training.loop import train as train_network
from cosembed.training.run_folder import RunFolder


def variant_spec(spec: HeartSpec, variant: str) -> HeartSpec:
    """The recurrent network sees clips of consecutive frames, the other batches of as many single frames (paper section 3)."""
    if variant == "recurrent":
        return spec
    training = spec.training
    frames = training.batch_size * training.clip_length
    return specs.override(
        spec, {"network.recurrent": False, "training.batch_size": frames, "training.clip_length": 1}
    )


def train(fold: NamedFold, spec: HeartSpec, settings: Settings) -> None:
    """Trains the fold's network, or continues to."""
    spec = variant_spec(spec, fold.variant)
    device = describe_device(settings.require_gpu)
    logging.info(
        "%s %s: training on %d patients; device: %s", spec.dataset.name, fold.name, len(fold.train), device
    )
    source = HeartClipSource(
        read_fold(fold.train, spec, settings), spec, spec.training.seed, settings.augment
    )
    run = RunFolder(settings.folder / fold.name)
    run.open(spec, run_identity(fold.train, settings), device)
    train_network(spec, source, run, f"{spec.dataset.name} {fold.name}", settings.execution)


def predict(fold: NamedFold, spec: HeartSpec, settings: Settings) -> None:
    """Segments every frame of the fold's test patients.

    A recurrent network goes round the heartbeat twice: the first time warms its state, the second is the result.

    Raises:
        CheckpointError: The fold's training is not finished.
    """
    spec = variant_spec(spec, fold.variant)
    folder = settings.folder / fold.name
    stepper = FrameStepper(load_finished(folder, spec, run_identity(fold.train, settings)), normalise=False)
    results = results_folder(folder, spec)
    slices = read_fold(fold.test, spec, settings)
    for patient in patients(slices):
        file = results / f"{patient}.npz"
        if file.exists():
            continue
        begin = time.perf_counter()
        arrays: dict[str, Any] = {}
        for cine in slices:
            if cine.patient == patient:
                for name, classes in segment_cycle(stepper, cine, spec).items():
                    arrays[f"slice_{cine.index}_{name}"] = classes
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **arrays)
        atomic_write_bytes(file, buffer.getvalue())
        add_seconds(results, "segmentation", time.perf_counter() - begin)
    logging.info("%s: segmented %d patients", fold.name, len(fold.test))


def evaluate(fold: NamedFold, spec: HeartSpec, settings: Settings) -> None:
    """IoU of every test patient, over all pixels of all labelled frames of all its slices.

    Raises:
        DataError: There are no results yet.
    """
    folder = settings.folder / fold.name
    check_run(folder, variant_spec(spec, fold.variant), run_identity(fold.train, settings))
    slices = read_fold(fold.test, spec, settings)
    scores: dict[str, dict[str, dict[str, float | None]]] = {}
    for patient in patients(slices):
        file = folder / "results" / f"{patient}.npz"
        if not file.exists():
            raise DataError(f"{file}: there are no results to score; run --mode=predict first")
        found = read_arrays(file)
        own = [cine for cine in slices if cine.patient == patient]
        for kind in ("warmed", "unwarmed"):
            if f"slice_{own[0].index}_{kind}" in found:
                scores.setdefault(kind, {})[patient] = _score(
                    own, [found[f"slice_{cine.index}_{kind}"] for cine in own]
                )
    content = {"fold": fold.name, "train": list(fold.train), "test": list(fold.test), **scores}
    atomic_write_text(folder / "metrics.json", json.dumps(content, indent=1) + "\n")
    logging.info(
        "%s: %s", fold.name, ", ".join(f"{name} {_mean(scores['warmed'], name):.3f}" for name in CLASSES)
    )


def collect(folds: list[NamedFold], spec: HeartSpec, settings: Settings) -> None:
    """Writes the experiment's metrics.json: every patient's scores for both networks, and their difference."""
    variants: dict[str, dict[str, Any]] = {}
    for fold in folds:
        file = settings.folder / fold.name / "metrics.json"
        if not file.exists():
            continue
        scores = read_record(file, "warmed")
        # Of the common spec: that one of the networks is not recurrent is no deviation.
        deviations = [list(deviation) for deviation in specs.deviations_from_paper(spec)]
        entry = variants.setdefault(fold.variant, {"deviations": deviations, "patients": {}})
        entry["patients"] |= scores["warmed"]
        if "unwarmed" in scores:
            entry.setdefault("unwarmed", {}).update(scores["unwarmed"])
    tested = len({fold.number for fold in folds})
    count = len({name for entry in variants.values() for name in entry["patients"]})
    content = {
        "experiment": "lv",
        "data": f"{spec.dataset.name}, {count} patients",
        "recipe": spec.recipe,
        "profile": spec.profile,
        "split": f"{spec.dataset.fold_count} folds by patient, {tested} of them tested; {spec.dataset.slices} central slices",
        "command": settings.command,
        "variants": variants,
        "comparison": compare(variants),
    }
    atomic_write_text(settings.folder / "metrics.json", json.dumps(content, indent=1) + "\n")


def compare(variants: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Recurrent minus non-recurrent over the patients that both have, with a paired test; empty if there are none."""
    if len(variants) < 2:
        return {}
    first, second = (variants[name]["patients"] for name in ("recurrent", "non-recurrent"))
    comparison = {}
    for name in CLASSES:
        common = [
            patient
            for patient in first.keys() & second.keys()
            if None not in (first[patient][name], second[patient][name])
        ]
        differences = np.array([first[patient][name] - second[patient][name] for patient in sorted(common)])
        if len(differences) > 1:
            p = float(stats.wilcoxon(differences).pvalue) if differences.any() else 1.0
            comparison[name] = {
                "difference": float(differences.mean()),
                "p": p,
                "patients": len(differences),
                "test": "Wilcoxon signed-rank test, two-sided",
            }
    return comparison


def report(folds: list[NamedFold], spec: HeartSpec, settings: Settings) -> None:
    """Writes table.md and report.html."""
    for fold in folds:
        check_run(
            settings.folder / fold.name, variant_spec(spec, fold.variant), run_identity(fold.train, settings)
        )
    # The report reads what the steps above wrote.
    from cosembed.study.tasks import heart_report as lv_report

    lv_report.write(folds, spec, settings)


def read_fold(names: Iterable[str], spec: HeartSpec, settings: Settings) -> list[HeartSlice]:
    """The slices of the named patients."""
    root = settings.data_dir / spec.dataset.name
    return read_slices(root, spec.dataset.layout, spec.dataset.slices, set(names))


def _score(slices: list[HeartSlice], found: list[NDArray[np.uint8]]) -> dict[str, float | None]:
    truth = np.concatenate([cine.labels[cine.labelled].ravel() for cine in slices])
    ours = np.concatenate(
        [classes[cine.labelled].ravel() for cine, classes in zip(slices, found, strict=True)]
    )
    scores = iou_per_class(ours, truth, CLASSES.values())
    return {name: None if np.isnan(scores[label]) else scores[label] for name, label in CLASSES.items()}


def _mean(scores: dict[str, dict[str, float | None]], name: str) -> float:
    known = [value for patient in scores.values() if (value := patient[name]) is not None]
    return float(np.mean(known)) if known else float("nan")
