"""Gives the commands that track a video and that learn from corrections. Knows no Qt and runs nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from cosembed import specs
from cosembed.errors import InputError
from cosembed.video_job.record import VALUES

# A command is known when it starts: what it needs may come from those before.
Step = Callable[[], Sequence[str]]


def track_command(python: str, network: str, video: Path, output: Path) -> list[str]:
    """Gives the command that tracks a video with a network's name or path."""
    return [
        *(python, "-m", "cosembed", "track"),
        *(f"--network={network}", f"--input={video}", f"--output={output}"),
    ]


@dataclass(frozen=True)
class Lesson:
    """Says how to learn from corrections that `truth.write_truth` saved.

    Attributes:
        python: The interpreter that has cosembed and TensorFlow.
        folder: Holds everything of the lesson.
        start_from: The name or path of the network to start from.
        profile: That of the spec.
        steps: How many steps are trained.
        corrected: The result folder that was corrected, whose spec.yaml says which form its network has.
    """

    python: str
    folder: Path
    start_from: str
    profile: str
    steps: int
    corrected: Path

    @property
    def data(self) -> Path:
        """Names the folder of the data set, which is the truth's."""
        return self.folder / "data" / "corrected"

    @property
    def result(self) -> Path:
        """Names the result folder of the network that has learned."""
        return self.folder / "corrected_RES"

    def commands(self) -> list[Step]:
        """Gives the commands: a spec, the training, and the video tracked anew."""
        spec = self.folder / "corrected.yaml"
        measure = [
            *(self.python, "-m", "cosembed", "suggest-spec", f"--data={self.data}", f"--output={spec}"),
        ]
        train = [
            *(self.python, "-m", "cosembed", "train", f"--spec={spec}", f"--data_dir={self.data.parent}"),
            *(f"--out_dir={self.folder / 'runs'}", "--name=corrected", f"--profile={self.profile}"),
            *(f"--start_from={self.start_from}", f"--set=training.iterations={self.steps}"),
            *(f"--set=network.{key}={value}" for key, value in self._form().items()),
        ]
        return [
            lambda: measure,
            lambda: train,
            lambda: track_command(self.python, str(self._trained()), self.data / "01", self.result),
        ]

    def _form(self) -> dict[str, str]:
        """Reads what the corrected result says of its network, as YAML writes it."""
        file = self.corrected / VALUES
        if not file.exists():
            return {}
        form = specs.load(file).network.form()
        return {
            key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in form.items()
        }

    def _trained(self) -> Path:
        folders = sorted((self.folder / "runs" / "corrected").glob("test_*"))
        if not folders:
            raise InputError(f"{self.folder}: holds no trained network; see the messages of the training")
        return folders[0]
