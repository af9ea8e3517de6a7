"""The plugin's two panels: track a video; correct a result and learn from it. Knows napari and Qt."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from napari.layers import Image, Labels, Tracks
from qtpy.QtWidgets import QComboBox, QLineEdit, QPushButton, QSpinBox

from cosembed.errors import InputError
from cosembed.napari_plugin.layers import result_layers
from cosembed.napari_plugin.learning import Lesson, Step, track_command
from cosembed.napari_plugin.panels import CommandPanel
from cosembed.napari_plugin.truth import parse_frames, write_truth

if TYPE_CHECKING:
    from napari import Viewer
    from napari.layers import Layer

# What a correction of a few frames is worth on two cores: some minutes.
STEPS = 500


class ViewerPanel(CommandPanel):
    """Is what both panels have in common: a viewer, a Python, a network, and a result that is shown."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__()
        self.viewer = napari_viewer
        self.python = self.add_path("Python with cosembed", sys.executable, is_folder=False)
        self.network = QLineEdit()
        self.network.setPlaceholderText("DIC-C2DH-HeLa, or the folder of a run")
        self.form.addRow("Network", self.network)
        self._result: Path | None = None

    def succeed(self) -> None:
        """Shows the result of the commands, and hides earlier ones."""
        assert self._result is not None
        for layer in (*self._layers(Labels), *self._layers(Tracks)):
            layer.visible = False
        for data, options, kind in result_layers(self._result):
            # Frames that are shown already are not shown twice.
            if kind != "image" or not self._layers(Image):
                getattr(self.viewer, f"add_{kind}")(data, **options)

    def _layers(self, kind: type[Layer]) -> list[Layer]:
        return [layer for layer in self.viewer.layers if isinstance(layer, kind)]

    def _chosen(self, kind: type[Layer], what: str) -> Layer:
        """Gives the selected layer of a kind, or the only one.

        Raises:
            InputError: There is none, or several and none is selected.
        """
        layers = self._layers(kind)
        selected = [layer for layer in layers if layer in self.viewer.layers.selection]
        found = selected if len(selected) == 1 else layers
        if len(found) != 1:
            raise InputError(f"there are {len(found)} layers of {what}; select the one that is meant")
        return found[0]

    def _filled(self, edit: QLineEdit, what: str) -> str:
        text = edit.text().strip()
        if not text:
            raise InputError(f"{what} is missing; fill it in")
        return text

    def _filled_path(self, edit: QLineEdit, what: str) -> Path:
        # Where napari was started is not where its results are opened.
        return Path(self._filled(edit, what)).expanduser().absolute()


class TrackPanel(ViewerPanel):
    """Tracks a video: the file or folder of the selected image, or another one."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.video = self.add_path("Video")
        selected = QPushButton("Video of the selected image")
        selected.clicked.connect(self.take_selected)
        self.form.addRow("", selected)
        self.output = self.add_path("Result folder")

    def take_selected(self) -> None:
        """Takes the path of the selected image as the video."""
        try:
            path = self._chosen(Image, "images").source.path
            if path is None:
                raise InputError("the selected image comes from no file; save it first")
        except InputError as error:
            self.log.appendPlainText(f"error: {error}")
            return
        self.video.setText(str(path))
        if not self.output.text():
            self.output.setText(f"{path}_RES")

    def prepare(self) -> Sequence[Step]:
        """Gives the command that tracks; raises `InputError` if something is missing."""
        self._result = self._filled_path(self.output, "Result folder")
        command = track_command(
            self._filled(self.python, "Python with cosembed"),
            self._filled(self.network, "Network"),
            self._filled_path(self.video, "Video"),
            self._result,
        )
        return [lambda: command]


class LearnPanel(ViewerPanel):
    """Saves corrected labels as truth, trains the network on with them, and tracks the video anew."""

    def __init__(self, napari_viewer: Viewer) -> None:
        super().__init__(napari_viewer)
        self.folder = self.add_path("New folder for it")
        self.frames = QLineEdit("all")
        self.form.addRow("Complete frames", self.frames)
        complete = QPushButton("The frame that is shown is complete")
        complete.clicked.connect(self.mark_shown)
        self.form.addRow("", complete)
        self.profile = QComboBox()
        self.profile.addItems(["cpu", "paper", "smoke"])
        self.form.addRow("Profile", self.profile)
        self.steps = QSpinBox()
        self.steps.setRange(1, 1_000_000)
        self.steps.setValue(STEPS)
        self.form.addRow("Steps", self.steps)

    def mark_shown(self) -> None:
        """Adds the frame that is shown to the complete ones."""
        shown = str(int(self.viewer.dims.current_step[0]))
        marked = [text.strip() for text in self.frames.text().split(",") if text.strip() not in ("", "all")]
        self.frames.setText(", ".join(dict.fromkeys([*marked, shown])))

    def prepare(self) -> Sequence[Step]:
        """Saves the truth and gives the commands.

        Raises:
            InputError: Something is missing, or labels and frames do not fit.
            OutputError: The folder holds such a lesson already.
        """
        labels, image = self._chosen(Labels, "labels"), self._chosen(Image, "images")
        known = labels.metadata.get("cosembed", {})
        lesson = Lesson(
            self._filled(self.python, "Python with cosembed"),
            self._filled_path(self.folder, "New folder for it"),
            self._filled(self.network, "Network"),
            self.profile.currentText(),
            self.steps.value(),
            Path(known.get("result", "")),
        )
        commands = lesson.commands()
        complete = parse_frames(self.frames.text(), len(labels.data))
        write_truth(lesson.data, image.data, labels.data, known.get("parents", {}), complete)
        self._result = lesson.result
        return commands
