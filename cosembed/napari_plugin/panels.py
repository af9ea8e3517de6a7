"""A panel that runs commands one after the other, and shows what they print and how far they are.

It knows Qt, but neither napari nor any command.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from qtpy.QtCore import QTimer
from qtpy.QtGui import QCloseEvent
from qtpy.QtWidgets import (
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QProgressBar,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from cosembed.errors import CosembedError
from cosembed.napari_plugin.learning import Step
from cosembed.napari_plugin.running import RunningCommand, parse_progress

POLL_MILLISECONDS = 200
SHOWN_LINES = 2000


class CommandPanel(QWidget):
    """Is a form above a button that starts, one that cancels, a bar, and the lines of the commands."""

    def __init__(self) -> None:
        super().__init__()
        self.form = QFormLayout()
        self.start_button, self.cancel_button = QPushButton("Start"), QPushButton("Cancel")
        self.bar, self.log = QProgressBar(), QPlainTextEdit()
        self.log.setReadOnly(True)
        self.log.setMaximumBlockCount(SHOWN_LINES)
        self.cancel_button.setEnabled(False)
        buttons = QHBoxLayout()
        buttons.addWidget(self.start_button)
        buttons.addWidget(self.cancel_button)
        layout = QVBoxLayout(self)
        layout.addLayout(self.form)
        layout.addLayout(buttons)
        layout.addWidget(self.bar)
        layout.addWidget(self.log)
        self.start_button.clicked.connect(self.start)
        self.cancel_button.clicked.connect(self.cancel)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._poll)
        self._waiting: list[Step] = []
        self._running: RunningCommand | None = None
        self._cancelled = False

    def prepare(self) -> Sequence[Step]:
        """Reads the form and gives the commands; panels say which.

        Raises:
            InputError: The form is not filled in so that anything can be started.
        """
        raise NotImplementedError

    def succeed(self) -> None:
        """Is called when all commands have succeeded; panels show the result."""
        raise NotImplementedError

    def start(self) -> None:
        """Starts the commands of the form, unless some are running."""
        if self._running is not None:
            return
        self.log.clear()
        self._cancelled = False
        try:
            self._waiting = list(self.prepare())
            self._start_next()
        except (CosembedError, OSError) as error:
            self._stop(f"error: {error}")

    def cancel(self) -> None:
        """Asks the running command to end; those after it are not started."""
        self._cancelled = True
        self._waiting = []
        if self._running is not None:
            self._running.cancel()
            self.log.appendPlainText("Cancelling; a training saves what it has first.")

    def _start_next(self) -> None:
        command = list(self._waiting.pop(0)())
        self.log.appendPlainText(f"$ {shlex.join(command)}")
        self._running = RunningCommand(command)
        self.bar.setRange(0, 0)
        self.start_button.setEnabled(False)
        self.cancel_button.setEnabled(True)
        self._timer.start(POLL_MILLISECONDS)

    def _poll(self) -> None:
        assert self._running is not None
        # Asked for first: what was printed before the end is shown in any case.
        status = self._running.status()
        for line in self._running.new_lines():
            self.log.appendPlainText(line)
            if (progress := parse_progress(line)) is not None:
                self.bar.setRange(0, progress.total)
                self.bar.setValue(progress.done)
        if status is None:
            return
        try:
            if self._cancelled or status:
                self._stop("Cancelled." if self._cancelled else f"Failed with exit status {status}.")
            elif self._waiting:
                self._start_next()
            else:
                self._stop("Done.")
                self.succeed()
        except (CosembedError, OSError) as error:
            self._stop(f"error: {error}")

    def _stop(self, message: str) -> None:
        self._timer.stop()
        self._running, self._waiting = None, []
        self.bar.setRange(0, 1)
        self.bar.reset()
        self.start_button.setEnabled(True)
        self.cancel_button.setEnabled(False)
        self.log.appendPlainText(message)

    def closeEvent(self, event: QCloseEvent) -> None:  # noqa: N802
        """Ends what runs when the panel is closed."""
        self.cancel()
        super().closeEvent(event)

    def add_path(self, title: str, default: str = "", is_folder: bool = True) -> QLineEdit:
        """Adds a line for a path to the form, with a button that opens a dialogue."""
        edit, button = QLineEdit(default), QPushButton("...")
        row = QWidget()
        layout = QHBoxLayout(row)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(edit)
        layout.addWidget(button)

        def choose() -> None:
            start = str(Path(edit.text() or ".").parent)
            if is_folder:
                chosen = QFileDialog.getExistingDirectory(self, title, start)
            else:
                chosen, _ = QFileDialog.getOpenFileName(self, title, start)
            if chosen:
                edit.setText(chosen)

        button.clicked.connect(choose)
        self.form.addRow(title, row)
        return edit
