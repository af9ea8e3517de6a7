"""A real session of napari, with the network that comes with the package and processes of another Python."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tifffile
import yaml

from tests.helpers.builders import ROOT, run_command

FRAMES = 24
# Long enough for a line of progress, which comes after 20 seconds.
LONG = 3000


def napari_python() -> str:
    """A Python with napari and its Qt: the one that runs the tests, or another one that a variable names."""
    together = all(importlib.util.find_spec(name) for name in ("napari", "PyQt6"))
    return sys.executable if together else os.environ.get("COSEMBED_TEST_NAPARI_PYTHON", "")


pytestmark = [
    pytest.mark.skipif(
        not napari_python(), reason="needs napari: name a Python that has it in COSEMBED_TEST_NAPARI_PYTHON"
    ),
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow in the Python of the tests"
    ),
]


class Session(NamedTuple):
    """What is left of a session: its folder, the facts it wrote, and the arrays of its layers."""

    folder: Path
    facts: dict
    arrays: dict[str, np.ndarray]


@pytest.fixture(scope="module")
def session(tmp_path_factory) -> Session:
    folder = tmp_path_factory.mktemp("session")
    video, long_video = folder / "data" / "01", folder / "long"
    simulated = run_command(
        "cosembed", "simulate", f"--output={folder / 'data'}", f"--frames={FRAMES}", "--seed=3"
    )
    assert simulated.returncode == 0, simulated.stderr
    long_video.mkdir()
    for number in range(LONG):
        (long_video / f"t{number:04d}.tif").hardlink_to(video / f"t{number % FRAMES:03d}.tif")
    (folder / "seen").mkdir()
    done = subprocess.run(
        [
            *(napari_python(), "-m", "tests.napari_plugin.viewer_session", sys.executable),
            *(str(path) for path in (video, long_video, folder / "seen")),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    with np.load(folder / "seen" / "arrays.npz") as arrays:
        seen = dict(arrays)
    return Session(folder, json.loads((folder / "seen" / "facts.json").read_text()), seen)


def stack(folder: Path, pattern: str) -> np.ndarray:
    return np.stack([tifffile.imread(path) for path in sorted(folder.glob(pattern))])


def test_a_cancelled_run_showed_its_progress_and_leaves_nothing(session):
    cancelled = session.facts["cancelled"]
    assert cancelled["total"] == LONG
    assert f" of {LONG}, about " in cancelled["log"] and cancelled["log"].endswith("Cancelled.")
    assert cancelled["left"] == [] and cancelled["layers"] == 0


def test_a_finished_run_is_shown_beside_its_frames(session):
    tracked = session.facts["tracked"]
    assert tracked["log"].endswith("Done."), tracked["log"]
    assert f"$ {sys.executable} -m cosembed track --network=simulated" in tracked["log"]
    assert tracked["layers"] == ["01", "cells", "tracks"]


def test_an_opened_result_is_image_cells_and_tracks_with_the_graph_of_divisions(session):
    result, learned = session.folder / "seen" / "RES", session.facts["learned"]
    assert learned["opened"] == ["frames", "cells", "tracks"]
    np.testing.assert_array_equal(session.arrays["frames"], stack(session.folder / "data" / "01", "t*.tif"))
    np.testing.assert_array_equal(session.arrays["found"], stack(result, "mask*.tif"))
    table = np.loadtxt(result / "res_track.txt", dtype=int, ndmin=2)
    parents = {str(label): [int(parent)] for label, _, _, parent in table if parent}
    assert parents and learned["graph"] == parents
    rows = {(int(label), int(frame)) for label, frame, _, _ in session.arrays["tracks"]}
    assert rows == {
        (int(label), frame)
        for frame, mask in enumerate(session.arrays["found"])
        for label in np.unique(mask[mask > 0])
    }


def test_corrections_are_learned_and_the_new_result_is_shown(session):
    learned, lesson = session.facts["learned"], session.folder / "seen" / "lesson"
    assert learned["log"].endswith("Done."), learned["log"]
    assert (session.arrays["corrected"] != session.arrays["found"]).any()
    truth = stack(lesson / "data" / "corrected" / "01_GT" / "TRA", "man_track*.tif")
    # Cells that are split keep their number on; those with gaps go on under new ones.
    labels = session.arrays["corrected"]
    np.testing.assert_array_equal(truth > 0, labels > 0)
    for frame, mask in zip(truth, labels, strict=True):
        assert len(np.unique(frame)) == len(np.unique(mask)) == len(np.unique(frame * 70000.0 + mask))
    (run,) = (lesson / "runs" / "corrected").glob("test_*")
    spec = yaml.safe_load((run / "spec.yaml").read_text())
    assert spec["training"]["iterations"] == 2
    assert learned["layers"] == ["frames", "cells", "tracks", "cells [1]", "tracks [1]"]
    np.testing.assert_array_equal(session.arrays["learned"], stack(lesson / "corrected_RES", "mask*.tif"))
