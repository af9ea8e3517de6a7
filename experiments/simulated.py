"""Simulated cells: the whole method on videos made in seconds; the paper has no such experiment.

    python -m experiments.simulated --data_dir=runs/demo-data --out_dir=runs --fold=0 --profile=cpu

Expected: SEG at least 0.70 and TRA at least 0.85 on the unseen video (profile cpu); a classical baseline at least 0.1
below in SEG.
Expected time: about 10 minutes on two cores.
"""

from pathlib import Path

from absl import logging

from cosembed.simulation import simulate_video, write_video
from cosembed.specs import CellsDatasetSpec
from cosembed.study.experiment import Experiment
from experiments.command import run

FRAMES, SIZE, CELLS, DIFFICULTY = 40, 192, 20, 1.0
SEEDS = {"01": 1, "02": 2}


def prepare(dataset: CellsDatasetSpec, data_dir: Path) -> None:
    """Simulates the data set's videos where they are absent."""
    root = data_dir / dataset.name
    for video in dataset.videos:
        if not (root / f"{video}_GT").is_dir():
            logging.info("%s: simulating video %s (%d frames, seed %d)", root, video, FRAMES, SEEDS[video])
            write_video(root, video, simulate_video(FRAMES, SIZE, CELLS, DIFFICULTY, SEEDS[video]))


EXPERIMENT = Experiment(name="simulated", dataset="simulated", prepare=prepare)

if __name__ == "__main__":
    run(EXPERIMENT)
