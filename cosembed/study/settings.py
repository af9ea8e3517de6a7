"""Holds what a user asks of an experiment beside its spec.

It is data only: it knows no flags and no TensorFlow.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from cosembed.augment import DEFAULT_AUGMENTER
from cosembed.training import execution
from cosembed.training.execution import Execution

# The steps of an experiment, in their order.
MODES = ("prepare", "train", "predict", "evaluate", "report")


@dataclass(frozen=True)
class Settings:
    """Holds what the user asked for beside the spec.

    Attributes:
        data_dir: The folder of all data sets.
        folder: The experiment's own folder, `<out_dir>/<name>`.
        protocol: A name of `protocols.PROTOCOLS`.
        train_frames: Begin and end of the frames that train, for a data set with one annotated video.
        test_frames: Begin and end of the frames that are tested, likewise.
        fold: The only fold to run, counted from 0; None for all.
        base_url: Where archives are fetched from; None for the challenge's site.
        require_gpu: Whether to stop where TensorFlow sees no GPU.
        command: The command line, for tables and reports.
        checkpoints: The folder of the authors' networks, which take the place of training.
        deterministic: Whether the same seed must give the same bits.
        augment: A name of `cosembed.augment.AUGMENTERS`.
        execution: Precision, memory, compiler and devices of training.
        workers: How many processes make training batches; None: as many as are of use.
        start_from: The name or the path of the network whose weights the training starts from.
    """

    data_dir: Path
    folder: Path
    protocol: str
    train_frames: tuple[int, int] | None
    test_frames: tuple[int, int] | None
    fold: int | None
    base_url: str | None
    require_gpu: bool
    command: str
    checkpoints: Path | None = None
    deterministic: bool = False
    augment: str = DEFAULT_AUGMENTER
    execution: Execution = execution.DEFAULT
    workers: int | None = None
    start_from: str | None = None
