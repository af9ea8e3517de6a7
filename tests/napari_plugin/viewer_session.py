"""A session of napari without a screen: cancels a tracking, shows another, corrects it and learns from that.

Runs in the Python that has napari, which need not be the one that runs the tests, and needs no pytest. What
the session saw goes into a folder, for `test_viewer_session.py` to look at.
"""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import npe2
from napari.components import ViewerModel
from napari.layers import Labels
from qtpy.QtWidgets import QApplication

from cosembed.napari_plugin.widgets import LearnPanel, TrackPanel, ViewerPanel

MANIFEST = Path(__file__).parents[2] / "cosembed" / "napari_plugin" / "napari.yaml"
STEPS = 2


def register_plugins() -> None:
    """Has napari know its own reader and the plugin of this checkout, whichever is installed."""
    manager = npe2.PluginManager.instance()
    manager.register(npe2.PluginManifest.from_distribution("napari"))
    manager.register(npe2.PluginManifest.from_file(MANIFEST))


def follow(panel: ViewerPanel, seconds: float = 1200) -> list[int]:
    """Handles events until the commands have ended, and gives the numbers that the bar showed."""
    shown, end = [0], time.monotonic() + seconds
    while not panel.start_button.isEnabled() and time.monotonic() < end:
        QApplication.processEvents()
        if panel.bar.maximum() > 1 and panel.bar.value() != shown[-1]:
            shown.append(panel.bar.value())
        time.sleep(0.02)
    return shown[1:]


def start(panel: ViewerPanel, python: str) -> None:
    panel.python.setText(python)
    panel.network.setText("simulated")
    panel.start_button.click()


def cancel_a_long_video(python: str, video: Path, folder: Path) -> dict:
    """Cancels once the bar shows how far it is."""
    panel = TrackPanel(ViewerModel())
    panel.video.setText(str(video))
    panel.output.setText(str(folder / "RES"))
    start(panel, python)
    end = time.monotonic() + 600
    while panel.bar.value() < 1 and not panel.start_button.isEnabled() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.02)
    total = panel.bar.maximum()
    panel.cancel_button.click()
    follow(panel)
    return {
        "log": panel.log.toPlainText(),
        "total": total,
        "left": sorted(path.name for path in folder.iterdir()),
        "layers": len(panel.viewer.layers),
    }


def track(python: str, video: Path, result: Path) -> dict:
    """Tracks the video of an open image."""
    viewer = ViewerModel()
    viewer.open(str(video), plugin="napari")
    panel = TrackPanel(viewer)
    panel.take_selected()
    panel.output.setText(str(result))
    start(panel, python)
    follow(panel)
    return {"log": panel.log.toPlainText(), "layers": [layer.name for layer in viewer.layers]}


def split_a_cell(layer: Labels) -> None:
    """Gives the lower half of the largest cell of the last frame a number of its own, in all frames."""
    labels = np.asarray(layer.data)
    largest = int(np.bincount(labels[-1][labels[-1] > 0]).argmax())
    frames, rows, columns = np.nonzero(labels == largest)
    lower = rows > rows.mean()
    layer.data_setitem((frames[lower], rows[lower], columns[lower]), int(labels.max()) + 1)


def correct_and_learn(python: str, result: Path, folder: Path) -> dict:
    """Opens a result, corrects it, and trains a few steps."""
    viewer = ViewerModel()
    viewer.open(str(result / "res_track.txt"), plugin=None)
    facts = {
        "opened": [layer.name for layer in viewer.layers],
        "graph": {str(label): parents for label, parents in viewer.layers["tracks"].graph.items()},
    }
    cells = viewer.layers["cells"]
    arrays = {"frames": viewer.layers["frames"].data, "found": cells.data.copy()}
    arrays["tracks"] = viewer.layers["tracks"].data
    split_a_cell(cells)
    arrays["corrected"] = cells.data.copy()
    panel = LearnPanel(viewer)
    panel.folder.setText(str(folder / "lesson"))
    panel.profile.setCurrentText("smoke")
    panel.steps.setValue(STEPS)
    start(panel, python)
    follow(panel)
    arrays["learned"] = viewer.layers[-2].data
    np.savez(folder / "arrays.npz", **arrays)
    return facts | {"log": panel.log.toPlainText(), "layers": [layer.name for layer in viewer.layers]}


def main(python: str, video: Path, long_video: Path, folder: Path) -> None:
    """Goes through the session and writes `facts.json` and `arrays.npz` into the folder."""
    application = QApplication([])
    register_plugins()
    (folder / "cancelled").mkdir()
    facts = {
        "cancelled": cancel_a_long_video(python, long_video, folder / "cancelled"),
        "tracked": track(python, video, folder / "RES"),
        "learned": correct_and_learn(python, folder / "RES", folder),
    }
    (folder / "facts.json").write_text(json.dumps(facts))
    application.quit()


if __name__ == "__main__":
    main(sys.argv[1], *(Path(argument) for argument in sys.argv[2:]))
