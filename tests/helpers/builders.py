"""Small sequences, specs and folders that several test modules build on."""

import io
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from unittest import mock

import numpy as np
import tifffile
from absl.testing import flagsaver

from cosembed import specs
from cosembed.datasets.annotated_video import AnnotatedVideo
from cosembed.datasets.ctc.track_table import Track

ROOT = Path(__file__).parents[2]


def run_command(module: str, *arguments: str) -> subprocess.CompletedProcess:
    """A command line of the package, as a user would start it."""
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


def call_experiment(module: ModuleType, *arguments: str) -> subprocess.CompletedProcess:
    """An experiment's command in this process: for what is refused before anything is computed."""
    from experiments.command import run

    output, errors, status = io.StringIO(), io.StringIO(), 0
    with redirect_stdout(output), redirect_stderr(errors), flagsaver.flagsaver():
        try:
            with mock.patch.object(sys, "argv", [module.__name__, *arguments]):
                run(module.EXPERIMENT)
        except SystemExit as ended:
            status = ended.code or 0
    return subprocess.CompletedProcess(arguments, status, output.getvalue(), errors.getvalue())


def small_spec(*overrides: str, recipe: str = "paper") -> specs.CellsSpec:
    """The smoke profile of the simulated data set."""
    return specs.resolve("simulated", recipe, "smoke", specs.parse_assignments(overrides))


def untrained_run(folder: Path, spec: specs.CellsSpec) -> Path:
    """A run folder as after training, with the weights that the spec's seed draws."""
    import tensorflow as tf

    from cosembed.training.checkpoints import build_network, checkpoint_manager
    from cosembed.training.run_folder import RunFolder

    run = RunFolder(folder)
    run.open(spec, {})
    step = tf.Variable(spec.training.iterations, dtype=tf.int64, trainable=False)
    checkpoint_manager(run.checkpoints, model=build_network(spec), step=step).save(
        checkpoint_number=spec.training.iterations
    )
    return folder


def moving_squares(
    frames: int = 6, height: int = 40, width: int = 48
) -> tuple[np.ndarray, np.ndarray, list[Track]]:
    """Three squares that move right, one of which divides in frame 3.

    Images uint16, labels uint16, tracks.
    """
    labels = np.zeros((frames, height, width), np.uint16)
    for frame in range(frames):
        labels[frame, 4:14, 3 + frame : 13 + frame] = 1
        labels[frame, 18:28, 20 + frame : 30 + frame] = 2
        if frame < 3:
            labels[frame, 30:38, 4:20] = 3
        else:
            labels[frame, 30:38, 3:11] = 4
            labels[frame, 30:38, 14:22] = 5
    noise = np.random.default_rng(0).normal(0, 40, labels.shape)
    images = (1000 + 600 * (labels > 0) + 100 * labels + noise).astype(np.uint16)
    end = frames - 1
    tracks = [
        Track(1, 0, end, 0),
        Track(2, 0, end, 0),
        Track(3, 0, 2, 0),
        Track(4, 3, end, 3),
        Track(5, 3, end, 3),
    ]
    return images, labels, tracks


def make_sequence(images: np.ndarray, labels: np.ndarray, **changes: object) -> AnnotatedVideo:
    """A completely annotated sequence in memory."""
    fields: dict = {
        "name": "01",
        "frames": list(images),
        "labels": labels,
        "complete": np.ones(len(labels), bool),
        "loss_mask": np.ones(labels.shape[1:], bool),
        "tracks": (),
        "segments": ((0, len(labels)),),
    }
    return AnnotatedVideo(**{**fields, **changes})


def write_ctc(
    root: Path,
    images: np.ndarray,
    labels: np.ndarray,
    tracks: list[Track],
    video: str = "01",
    seg: object = None,
) -> Path:
    """Writes frames and truth in the challenge's layout with tifffile alone.

    `seg` are the frames with SEG (default all).
    """
    (root / video).mkdir(parents=True)
    (root / f"{video}_GT" / "TRA").mkdir(parents=True)
    (root / f"{video}_GT" / "SEG").mkdir()
    for index, (image, label) in enumerate(zip(images, labels, strict=True)):
        tifffile.imwrite(root / video / f"t{index:03d}.tif", image)
        tifffile.imwrite(root / f"{video}_GT" / "TRA" / f"man_track{index:03d}.tif", label)
        if seg is None or index in seg:
            # Ids of SEG are of their own frame only.
            tifffile.imwrite(
                root / f"{video}_GT" / "SEG" / f"man_seg{index:03d}.tif",
                np.where(label > 0, label + 100, 0).astype(np.uint16),
            )
    table = "".join("{} {} {} {}\n".format(*track) for track in tracks)
    (root / f"{video}_GT" / "TRA" / "man_track.txt").write_text(table)
    return root
