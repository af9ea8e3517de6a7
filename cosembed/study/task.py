"""Says what a study asks of a task. Knows none of the tasks.

A `Task` finds and checks its data without TensorFlow. Its `TaskStages`, whose module imports TensorFlow, are
loaded by `Task.stages` once the input has been found in order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol, TypeVar

from cosembed.specs import TrainedSpec
from cosembed.study.folds import Fold, Item
from cosembed.study.settings import Settings

if TYPE_CHECKING:
    import numpy as np
    import tensorflow as tf
    from numpy.typing import NDArray

    from cosembed.batches.pipeline import BatchSource
    from cosembed.models import StackedHourglass
    from cosembed.study.scores import ExperimentScores, FoldScores
    from cosembed.study.tables.reported import Reported

Spec = TypeVar("Spec", bound=TrainedSpec)
# As `Spec`; stages only take specs, they give none.
StagesSpec = TypeVar("StagesSpec", bound=TrainedSpec, contravariant=True)


class Task(Protocol[Spec, Item]):
    """Finds, splits and checks the data of a task.

    `Item` is what a fold consists of: a range of frames, or a name.
    """

    @property
    def spec_class(self) -> type[Spec]:
        """Names the class of the task's specs."""

    def prepare(self, spec: Spec, settings: Settings) -> None:
        """Fetches or makes the data where they are absent.

        Raises:
            DataError: They are absent and can only be asked for.
        """

    def make_folds(self, spec: Spec, settings: Settings) -> list[Fold[Item]]:
        """Splits the data into folds; reads no images.

        Raises:
            InputError: Data or settings that give no folds.
        """

    def check(self, folds: Sequence[Fold[Item]], spec: Spec, settings: Settings, mode: str) -> None:
        """Reads the data that the mode works on, so that what cannot be used is found before hours of work.

        Raises:
            DataError: Names the file and its fault.
        """

    def record_folds(self, folds: Sequence[Fold[Item]], settings: Settings) -> None:
        """Writes down folds that were drawn, so that a later start does not draw others."""

    def variant_spec(self, spec: Spec, variant: str) -> Spec:
        """Derives the spec of one of the networks that the task compares; `variant` is that of a fold."""

    def stages(self) -> TaskStages[Spec, Item]:
        """Loads what needs TensorFlow."""


class TaskStages(Protocol[StagesSpec, Item]):
    """Does what differs between the tasks after the input was found in order.

    Every `spec` is that of the fold's variant.
    """

    def describe_training(self, fold: Fold[Item]) -> str:
        """Says in a phrase what a fold trains on."""

    def make_source(self, fold: Fold[Item], spec: StagesSpec, settings: Settings) -> BatchSource:
        """Reads what a fold trains on.

        Raises:
            DataError: A file that cannot be used; nothing has been written.
        """

    def training_picture(
        self, outputs: tuple[tf.Tensor, tf.Tensor], batch: Mapping[str, tf.Tensor]
    ) -> NDArray[np.uint8]:
        """Draws a batch and what the network makes of it, for TensorBoard, as uint8 [H, W, 3]."""

    def predict(
        self, model: StackedHourglass, fold: Fold[Item], spec: StagesSpec, settings: Settings
    ) -> None:
        """Makes those results of a fold that are not complete yet."""

    def evaluate(self, fold: Fold[Item], spec: StagesSpec, settings: Settings) -> FoldScores:
        """Scores the results of a fold.

        Raises:
            DataError: There are no results yet.
        """

    def collect(
        self, folds: Sequence[Fold[Item]], spec: StagesSpec, settings: Settings
    ) -> ExperimentScores | None:
        """Puts the scores of all folds together; None if no fold has any."""

    def report(
        self, folds: Sequence[Fold[Item]], spec: StagesSpec, settings: Settings, reported: Reported
    ) -> None:
        """Writes report.html, and table.md where there are scores; prints the table.

        Raises:
            DataError: There is nothing to report yet.
        """
