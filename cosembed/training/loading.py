"""Decides how many processes make a training's batches. Knows no batch and imports no TensorFlow."""

from __future__ import annotations

from cosembed.augment import DEFAULT_AUGMENTER
from cosembed.errors import InputError
from cosembed.files.wording import counted
from cosembed.processes.cores import available_cores
from cosembed.processes.memory import available_memory

# Measured: what a process takes for itself, with the arrays of one batch of the paper's size.
WORKER_BYTES = 150 * 10**6
# More make more batches than the fastest device has use for.
MOST_BY_DEFAULT = 16
# Cores that are left to the training process.
OWN_CORES = 2


def choose_workers(asked: int | None, on_gpu: bool, augment: str) -> int:
    """Chooses the number of worker processes.

    Args:
        asked: What the user asked for; None: as many as are of use. That is none where the network computes
            on the CPU, whose cores it takes for itself.
        on_gpu: Whether the network computes on a GPU.
        augment: The augmenter. Only the default one works outside the training process.

    Raises:
        InputError: The user asked for fewer than none, for more than there is memory for, or for workers
            with another augmenter.
    """
    memory = available_memory()
    room = None if memory is None else memory // WORKER_BYTES
    if asked is None:
        if not on_gpu or augment != DEFAULT_AUGMENTER:
            return 0
        useful = max(1, min(MOST_BY_DEFAULT, available_cores() - OWN_CORES))
        return useful if room is None else min(useful, room)
    if asked < 0:
        raise InputError(f"--workers={asked}: choose 0 (batches are made in the training process) or more")
    if asked and augment != DEFAULT_AUGMENTER:
        raise InputError(f"--workers={asked}: --augment={augment} needs no workers; drop one of the flags")
    if room is not None and asked > room:
        raise InputError(
            f"--workers={asked}: a worker takes {WORKER_BYTES // 10**6} MB, but there is memory for "
            f"{counted(room, 'worker')}; choose fewer"
        )
    return asked
