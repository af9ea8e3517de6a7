"""Panels without a screen start, follow, cancel and show; a script stands for the Python with cosembed."""

import importlib
import os
import shlex
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.datasets.ctc.validation import check_truth
from cosembed.napari_plugin.layers import result_layers
from tests.helpers.builders import ROOT, moving_squares
from tests.helpers.result_folders import write_result_folder

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
MISSING = "napari or its Qt is not installed: pip install 'napari[pyqt6]'"
components = pytest.importorskip("napari.components", reason=MISSING)
qt = pytest.importorskip("qtpy.QtWidgets", reason=MISSING, exc_type=ImportError)
widgets = importlib.import_module("cosembed.napari_plugin.widgets")

# What the script does in place of `-m cosembed COMMAND --flag=value ...`.
PROGRAM = """
import shutil, sys, time
from pathlib import Path
command, flags = sys.argv[3], dict(flag[2:].split("=", 1) for flag in sys.argv[4:] if "set=" not in flag)
with open({calls!r}, "a") as file:
    print(*sys.argv[3:], file=file)
print("tracking: frame 2 of 6, about 5 s left", flush=True)
if flags.get("network") == "slow":
    time.sleep(99)
if flags.get("network") == "unknown":
    sys.exit("error: 'unknown' is neither ...")
if command == "train":
    Path(flags["out_dir"], flags["name"], "test_01").mkdir(parents=True)
if command == "track":
    shutil.copytree({result!r}, flags["output"])
"""


@pytest.fixture(scope="module", autouse=True)
def _application():
    return qt.QApplication.instance() or qt.QApplication([])


@pytest.fixture
def result(tmp_path) -> Path:
    _, labels, tracks = moving_squares()
    return write_result_folder(tmp_path / "prepared", labels, tracks)


@pytest.fixture
def python(tmp_path, result) -> Path:
    """A stand-in for an interpreter; `calls` beside it lists what it was asked for."""
    program, script = tmp_path / "program.py", tmp_path / "python"
    program.write_text(PROGRAM.format(calls=str(tmp_path / "calls"), result=str(result)))
    script.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} {shlex.quote(str(program))} "$@"\n')
    script.chmod(0o755)
    return script


def calls(python: Path) -> list[list[str]]:
    return [line.split() for line in (python.parent / "calls").read_text().splitlines()]


def follow(panel, until) -> str:
    end = time.monotonic() + 120
    while not until():
        assert time.monotonic() < end, panel.log.toPlainText()
        qt.QApplication.processEvents()
        time.sleep(0.01)
    return panel.log.toPlainText()


def run(panel) -> str:
    panel.start()
    return follow(panel, panel.start_button.isEnabled)


def tracking(python: Path, network: str, tmp_path: Path):
    panel = widgets.TrackPanel(components.ViewerModel())
    panel.python.setText(str(python))
    panel.network.setText(network)
    panel.video.setText(str(tmp_path / "video"))
    panel.output.setText(str(tmp_path / "video_RES"))
    return panel


def test_a_tracked_video_is_shown(python, tmp_path):
    panel = tracking(python, "DIC-C2DH-HeLa", tmp_path)
    assert run(panel).endswith("Done.")
    (called,) = calls(python)
    assert called[:2] == ["track", "--network=DIC-C2DH-HeLa"]
    layers = {layer.name: layer for layer in panel.viewer.layers}
    np.testing.assert_array_equal(layers["cells"].data, moving_squares()[1])
    tracks = moving_squares()[2]
    assert layers["tracks"].graph == {track.label: [track.parent] for track in tracks if track.parent}


def test_progress_is_shown_and_cancelling_shows_nothing(python, tmp_path):
    panel = tracking(python, "slow", tmp_path)
    panel.start()
    follow(panel, lambda: panel.bar.value() == 2)
    assert panel.bar.maximum() == 6 and not panel.start_button.isEnabled()
    panel.cancel_button.click()
    assert follow(panel, panel.start_button.isEnabled).endswith("Cancelled.")
    assert len(panel.viewer.layers) == 0


def test_a_command_that_fails_says_so_and_can_be_started_again(python, tmp_path):
    panel = tracking(python, "unknown", tmp_path)
    said = run(panel)
    assert "error: 'unknown' is neither" in said and said.endswith("Failed with exit status 1.")
    panel.network.setText("known")
    assert run(panel).endswith("Done.")


@pytest.mark.parametrize("missing", ["python", "network", "video", "output"])
def test_what_is_missing_is_named_and_nothing_starts(python, tmp_path, missing):
    panel = tracking(python, "known", tmp_path)
    getattr(panel, missing).setText(" ")
    assert run(panel).endswith("is missing; fill it in")
    assert not (tmp_path / "calls").exists()


def test_an_interpreter_that_is_not_there_is_an_error(tmp_path):
    panel = tracking(tmp_path / "nowhere", "known", tmp_path)
    assert "error: " in run(panel) and panel.start_button.isEnabled()


def test_the_selected_image_gives_the_video(python, tmp_path):
    panel = tracking(python, "known", tmp_path)
    panel.output.setText("")
    panel.take_selected()
    assert "there are 0 layers of images" in panel.log.toPlainText()
    panel.viewer.add_image(moving_squares()[0], name="drawn")
    panel.take_selected()
    assert "comes from no file" in panel.log.toPlainText()


def test_corrections_become_truth_and_the_new_result_is_shown(python, result, tmp_path):
    viewer = components.ViewerModel()
    images, _, tracks = moving_squares()
    viewer.add_image(images)
    (cells, options, _), _ = result_layers(result)
    layer = viewer.add_labels(cells, **options)
    layer.data[2, 0, :3] = layer.data[2][layer.data[2] > 0][0]
    corrected = layer.data.copy()
    panel = widgets.LearnPanel(viewer)
    panel.python.setText(str(python))
    panel.network.setText("simulated")
    panel.folder.setText(str(tmp_path / "lesson"))
    assert run(panel).endswith("Done.")
    data = tmp_path / "lesson" / "data" / "corrected"
    assert [fault for fault in check_truth(data / "01_GT", data / "01") if not fault.warning] == []
    for kind, prefix in (("SEG", "man_seg"), ("TRA", "man_track")):
        np.testing.assert_array_equal(
            tifffile.imread(data / "01_GT" / kind / f"{prefix}002.tif"), corrected[2]
        )
    assert set(read_tracks(data / "01_GT" / "TRA" / "man_track.txt")) == set(tracks)
    measure, train, track = calls(python)
    assert [call[0] for call in (measure, train, track)] == ["suggest-spec", "train", "track"]
    assert {"--start_from=simulated", "--set=training.iterations=500", "--profile=cpu"} <= set(train)
    assert f"--network={tmp_path / 'lesson' / 'runs' / 'corrected' / 'test_01'}" in track
    assert [layer.name for layer in viewer.layers][-2:] == ["cells [1]", "tracks"]
    assert [layer.visible for layer in viewer.layers] == [True, False, True, True]
    viewer.layers.selection = {layer}
    assert "exists" in run(panel)


def test_frames_are_marked_one_after_the_other(python, tmp_path):
    viewer = components.ViewerModel()
    viewer.add_image(moving_squares()[0])
    panel = widgets.LearnPanel(viewer)
    for frame in (3, 1, 3):
        viewer.dims.set_current_step(0, frame)
        panel.mark_shown()
    assert panel.frames.text() == "3, 1"


def test_napari_finds_the_reader_by_the_manifest(result):
    import npe2

    manager = npe2.PluginManager()
    manager.register(npe2.PluginManifest.from_file(ROOT / "cosembed" / "napari_plugin" / "napari.yaml"))
    manager.activate("cosembed")
    (contribution,) = manager.iter_compatible_readers([str(result)])
    paths = [str(result)]
    reader = contribution.exec(kwargs={"path": paths, "stack": False}, _registry=manager.commands)
    assert [kind for _, _, kind in reader(paths, stack=False)] == ["labels", "tracks"]
    # Another claimant would have napari ask which reader is meant.
    assert list(manager.iter_compatible_readers([str(result / "mask000.tif")])) == []
    assert len(list(manager.iter_compatible_readers([str(result / "res_track.txt")]))) == 1
