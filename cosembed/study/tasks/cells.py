"""Finds and checks videos of cells in the challenge's layout, and splits them into folds.

This module imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from absl import logging

from cosembed.datasets.ctc.faults import require_valid
from cosembed.datasets.ctc.validation import check_frames, check_truth
from cosembed.datasets.fetch import fetch
from cosembed.errors import DataError, InputError
from cosembed.files.wording import counted
from cosembed.images.frames import open_frames
from cosembed.simulation import simulate_video, write_video
from cosembed.specs import CellsSpec
from cosembed.study import protocols
from cosembed.study.folds import Fold
from cosembed.study.protocols import VideoRange
from cosembed.study.settings import Settings
from cosembed.study.task import TaskStages


@dataclass(frozen=True)
class CellsSimulation:
    """Says which videos to simulate where a data set is not downloaded; the arguments of `simulate_video`.

    Attributes:
        frames: Frames of a video.
        size: Side of the images in pixels.
        cells: Cells in the first frame.
        difficulty: How hard the images are to segment, 0 to 1.
        seeds: The seed of every video.
    """

    frames: int
    size: int
    cells: int
    difficulty: float
    seeds: Mapping[str, int]


@dataclass(frozen=True)
class CellsTask:
    """Segments and tracks cells (paper section 3, "Cell Instance Tracking").

    Attributes:
        simulation: Makes the data; None: they are fetched from the challenge's site where they are absent.
    """

    simulation: CellsSimulation | None = None
    spec_class = CellsSpec

    def prepare(self, spec: CellsSpec, settings: Settings) -> None:
        """Fetches or simulates the videos that are absent."""
        if self.simulation is None:
            fetch(spec.dataset, settings.data_dir, settings.base_url)
            return
        values, root = self.simulation, settings.data_dir / spec.dataset.name
        for video in spec.dataset.videos:
            if not (root / f"{video}_GT").is_dir():
                seed = values.seeds[video]
                logging.info("%s: simulating video %s (%d frames, seed %d)", root, video, values.frames, seed)
                content = simulate_video(values.frames, values.size, values.cells, values.difficulty, seed)
                write_video(root, video, content)

    def make_folds(self, spec: CellsSpec, settings: Settings) -> list[Fold[VideoRange]]:
        """Makes the folds of the protocol asked for, from the videos that are there.

        Raises:
            DataError: No video is annotated, or its frames cannot be used.
            InputError: Ranges of frames that do not fit.
        """
        dataset = spec.dataset
        root = settings.data_dir / dataset.name
        annotated = [video for video in dataset.videos if (root / f"{video}_GT").is_dir()]
        if not annotated:
            raise DataError(
                f"{root}: no annotated video ({', '.join(f'{v} and {v}_GT' for v in dataset.videos)}); add "
                "one"
            )
        lengths = {video: len(open_frames(root / video)) for video in annotated}
        if settings.checkpoints is not None and (settings.train_frames or settings.test_frames):
            raise InputError("--train_frames and --test_frames: with --checkpoints nothing trains; drop them")
        if settings.protocol == "crossval" and settings.checkpoints is not None:
            return protocols.released_folds(root, lengths)
        if settings.protocol == "crossval":
            return protocols.crossval_folds(root, lengths, settings.train_frames, settings.test_frames)
        test_root = fetch(dataset, settings.data_dir, settings.base_url, kind="test")
        test_lengths = {video: len(open_frames(test_root / video)) for video in dataset.videos}
        trained = lengths if settings.checkpoints is None else {}
        return [protocols.submission_fold(root, trained, test_root, test_lengths)]

    def check(
        self, folds: Sequence[Fold[VideoRange]], spec: CellsSpec, settings: Settings, mode: str
    ) -> None:
        """Reads the frames and the truth that a mode works on, as `cosembed validate` does.

        Raises:
            DataError: Names the first fault of a folder, and how many more there are.
        """
        trains, tests = mode in ("prepare", "train", "all"), mode in ("prepare", "predict", "evaluate", "all")
        trained = {frames.root / frames.video for fold in folds for frames in fold.train if trains}
        tested = {frames.root / frames.video for fold in folds for frames in fold.test if tests}
        scored = {
            frames.root / frames.video
            for fold in folds
            for frames in fold.test
            if tests and fold.scored and mode != "predict"
        }
        for folder in sorted(trained | tested):
            require_valid(folder, check_frames(folder))
            channels = open_frames(folder).channels
            if channels != spec.network.channels:
                raise DataError(
                    f"{folder}: its frames have {counted(channels, 'channel')}, but the spec says "
                    f"network.channels={spec.network.channels}; make them agree"
                )
        for folder in sorted(trained | scored):
            truth = folder.with_name(f"{folder.name}_GT")
            require_valid(truth, check_truth(truth, folder, warnings=False))

    def record_folds(self, folds: Sequence[Fold[VideoRange]], settings: Settings) -> None:
        """Writes nothing: nothing is drawn, the videos and the protocol determine the folds."""

    def variant_spec(self, spec: CellsSpec, variant: str) -> CellsSpec:
        """Gives the spec itself: there is one network only."""
        return spec

    def stages(self) -> TaskStages[CellsSpec, VideoRange]:
        """Loads what needs TensorFlow."""
        from cosembed.study.tasks.cells_stages import CellsStages

        return CellsStages()
