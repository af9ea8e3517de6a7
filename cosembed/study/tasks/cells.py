"""The steps of an experiment after its data are found: train, predict, evaluate for a fold; collect and report for all.

Files of a fold, below <out_dir>/<experiment>/<fold>/:

    spec.yaml, versions.json, history.csv, checkpoints/, tensorboard/     the training run
    results/<video>_RES/            masks, res_track.txt, tracks.csv; results/<video>.json says what made them
    results/<video>_samples.npz     embeddings of a few frames, for pictures
    truth/<video>_GT/, baseline/<video>_RES/                              what results are compared with
    metrics.json                    scores of the fold
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf
from absl import logging
from numpy.typing import NDArray

from cosembed import released, specs
from cosembed.baselines.cells import write_baseline
from cosembed.batches.clips import ClipSource
from cosembed.datasets.ctc.reader import cut_video, read_annotated_video, write_truth_cut
from cosembed.errors import DataError
from cosembed.files.writing import atomic_write_bytes, atomic_write_text, remove_folder
from cosembed.images.frames import open_frames
from cosembed.inference.stepper import FrameStepper
from cosembed.inference.video import track_video
from cosembed.metrics import evaluate_ctc
from cosembed.specs import CellsSpec
from cosembed.study.protocols import Fold, VideoRange, describe_split
from cosembed.study.run_files import check_run, load_finished, read_record, run_identity
from cosembed.study.runner import Settings
from cosembed.study.tables import cells as tables
from cosembed.training.checkpoints import checkpoint_manager, save_checkpoint
from cosembed.training.devices import describe_device
from cosembed.training.loop import train as train_network
from cosembed.training.run_folder import RunFolder

SAMPLES = 4


def train(fold: Fold, spec: CellsSpec, settings: Settings) -> None:
    """Trains the fold's network, or continues to; with networks of the authors, puts theirs in its place."""
    if settings.checkpoints is not None:
        _adopt(fold, spec, settings)
        return
    device = describe_device(settings.require_gpu)
    logging.info(
        "%s %s: training on %s; device: %s", spec.dataset.name, fold.name, _names(fold.train), device
    )
    sequences = []
    for part in fold.train:
        sequence = read_annotated_video(part.root, part.video, spec.dataset)
        sequences.append(cut_video(sequence, part.begin, part.end))
    # Reads every frame: what cannot be used is found before anything is written.
    source = ClipSource(sequences, spec, spec.training.seed, settings.augment)
    run = RunFolder(settings.folder / fold.name)
    run.open(spec, _identity(fold, spec, settings), device)
    train_network(spec, source, run, f"{spec.dataset.name} {fold.name}", settings.execution)


def fit_released(spec: CellsSpec, checkpoints: Path) -> CellsSpec:
    """The data set's spec with the form of the authors' network for it.

    Raises:
        CheckpointError: There is none, or it cannot be used.
    """
    model = released.load_imported(released.find_released(checkpoints, spec.dataset.name))
    return specs.override(spec, released.form_overrides(model))


def _adopt(fold: Fold, spec: CellsSpec, settings: Settings) -> None:
    assert settings.checkpoints is not None
    place = released.find_released(settings.checkpoints, spec.dataset.name)
    model = released.load_imported(place)
    run = RunFolder(settings.folder / fold.name)
    run.open(spec, _identity(fold, spec, settings))
    run.write_history([])
    step = tf.Variable(spec.training.iterations, dtype=tf.int64, trainable=False)
    save_checkpoint(checkpoint_manager(run.checkpoints, model=model, step=step), spec.training.iterations)
    logging.info(
        "%s %s: the authors' network %s instead of training",
        spec.dataset.name,
        fold.name,
        released.source_of(place),
    )
    if spec.network.variant == "mia2019":
        logging.warning("%s: %s", place, released.FOLLOW_UP)


def _identity(fold: Fold, spec: CellsSpec, settings: Settings) -> dict[str, str]:
    """What must be the same when a fold's folder is used again, beside the spec."""
    identity = run_identity(fold.train, settings)
    if settings.checkpoints is not None:
        identity["network"] = released.source_of(
            released.find_released(settings.checkpoints, spec.dataset.name)
        )
    return identity


def predict(fold: Fold, spec: CellsSpec, settings: Settings) -> None:
    """Tracks the fold's test videos; a result made by the same network and values is kept.

    Raises:
        CheckpointError: The fold's training is not finished.
    """
    folder = settings.folder / fold.name
    model = load_finished(folder, spec, _identity(fold, spec, settings))
    for part in fold.test:
        output, stamp = folder / "results" / f"{part.video}_RES", _stamp(folder, part)
        if _predicted(folder, spec, part):
            logging.info("%s: complete, kept", output)
            continue
        stamp.unlink(missing_ok=True)
        # What it is compared with may be of other frames.
        for made_before in (output, *_compared_with(folder, part)):
            remove_folder(made_before)
        frames = open_frames(part.root / part.video).cut(part.begin, part.end)
        logging.info("%s: tracking %d frames to %s", part, len(frames), output)
        sample_frames = np.linspace(0, len(frames) - 1, SAMPLES).round().astype(int).tolist()
        tracked = track_video(FrameStepper(model), frames, spec, output, sample_frames)
        _save_samples(output.parent / f"{part.video}_samples.npz", tracked.samples)
        facts = {
            "made_from": _fingerprint(spec, part),
            "step": spec.training.iterations,
            "frames": tracked.frames,
            "tracks": tracked.tracks,
            "seconds": tracked.seconds,
        }
        atomic_write_text(stamp, json.dumps(facts, indent=1) + "\n")


def evaluate(fold: Fold, spec: CellsSpec, settings: Settings) -> None:
    """Scores the fold's results, and those of the classical baseline, against the truth of the tested frames."""
    if not fold.scored:
        logging.info("%s: no public truth, nothing to score", fold.name)
        return
    folder = settings.folder / fold.name
    check_run(folder, spec, _identity(fold, spec, settings))
    part = fold.test[0]
    result = folder / "results" / f"{part.video}_RES"
    if not _predicted(folder, spec, part):
        raise DataError(f"{result}: there are no results to score; run --mode=predict first")
    truth_folder, baseline_folder = _compared_with(folder, part)
    if not truth_folder.exists():
        write_truth_cut(part.root, part.video, part.begin, part.end, truth_folder)
    if not baseline_folder.exists():
        write_baseline(open_frames(part.root / part.video).cut(part.begin, part.end), baseline_folder)
    scores = {
        "fold": fold.name,
        "train": _names(fold.train),
        "test": _names(fold.test),
        **evaluate_ctc(result, truth_folder),
        "baseline": evaluate_ctc(baseline_folder, truth_folder),
    }
    atomic_write_text(folder / "metrics.json", json.dumps(scores, indent=1) + "\n")
    logging.info(
        "%s: %s",
        fold.name,
        ", ".join(f"{name} {_number(scores[name])}" for name in ("SEG", "DET", "TRA", "OP")),
    )


def collect(folds: list[Fold], spec: CellsSpec, settings: Settings) -> None:
    """Writes the experiment's metrics.json: means over the folds that have scores, and what they were made with."""
    scored = [
        read_record(path, "SEG", "DET", "TRA", "OP", "baseline")
        for fold in folds
        if (path := settings.folder / fold.name / "metrics.json").exists()
    ]
    if not scored:
        return
    measures = ("SEG", "DET", "TRA", "OP")
    content = {
        **{name: _mean(scores[name] for scores in scored) for name in measures},
        "baseline": {name: _mean(scores["baseline"][name] for scores in scored) for name in measures},
        "dataset": spec.dataset.name,
        "recipe": spec.recipe,
        "profile": spec.profile,
        "protocol": settings.protocol
        if settings.checkpoints is None
        else f"{settings.protocol}, {tables.RELEASED}",
        "split": describe_split(folds, settings.protocol),
        "folds": scored,
        "command": settings.command,
        "deviations": [list(deviation) for deviation in specs.deviations_from_paper(spec)],
    }
    atomic_write_text(settings.folder / "metrics.json", json.dumps(content, indent=1) + "\n")
    atomic_write_text(settings.folder / "spec.yaml", specs.dump(spec))


def report(folds: list[Fold], spec: CellsSpec, settings: Settings) -> None:
    """Writes table.md and report.html."""
    for fold in folds:
        check_run(settings.folder / fold.name, spec, _identity(fold, spec, settings))
    # The report reads what the steps above wrote.
    from cosembed.study.tasks import cells_report as summary

    summary.write(folds, spec, settings)


def _mean(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _names(parts: Iterable[VideoRange]) -> str:
    return ", ".join(map(str, parts))


def _number(value: float | None) -> str:
    return "not scored" if value is None else f"{value:.3f}"


def _predicted(folder: Path, spec: CellsSpec, part: VideoRange) -> bool:
    """Whether there is a complete result of these values and frames; its stamp is written last, and a damaged one is none."""
    stamp = _stamp(folder, part)
    if not (folder / "results" / f"{part.video}_RES").exists() or not stamp.exists():
        return False
    try:
        return bool(read_record(stamp, "made_from")["made_from"] == _fingerprint(spec, part))
    except DataError:
        return False


def _stamp(folder: Path, part: VideoRange) -> Path:
    return folder / "results" / f"{part.video}.json"


def _compared_with(folder: Path, part: VideoRange) -> tuple[Path, Path]:
    """The truth of the tested frames, and the classical baseline's result."""
    return folder / "truth" / f"{part.video}_GT", folder / "baseline" / f"{part.video}_RES"


def _fingerprint(spec: CellsSpec, part: VideoRange) -> str:
    step = spec.training.iterations
    return hashlib.sha256(
        f"{step} {part.video} {part.begin} {part.end}\n{specs.dump(spec)}".encode()
    ).hexdigest()


def _save_samples(path: Path, samples: dict[int, NDArray[np.float32]]) -> None:
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {
        str(index): embedding.astype(np.float16) for index, embedding in samples.items()
    }
    np.savez_compressed(buffer, **arrays)
    atomic_write_bytes(path, buffer.getvalue())
