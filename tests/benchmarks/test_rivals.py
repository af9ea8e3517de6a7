"""The comparison with other trackers: their links become valid tracks, and equal masks are scored alike."""

import importlib.util
import json

import numpy as np
import pytest

from benchmarks.rivals_linking import LINKERS, Node, link_masks, tracks_of_links
from benchmarks.rivals_scores import PreparedVideo, compare, version_of
from cosembed.baselines.cells import write_result
from cosembed.baselines.linking import measure_frames
from cosembed.datasets.ctc.track_table import Track
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import InputError
from tests.helpers.builders import run_command, write_ctc

# btrack uses what pydantic has since renamed.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def dividing_cells() -> tuple[np.ndarray, list[Track]]:
    """Three frames with one cell that drifts, then three with its daughters; another cell rests.

    The daughters spring apart: btrack, which is given no states of the cell cycle, follows one that is near.
    """
    labels = np.zeros((6, 60, 80), np.uint16)
    for index in range(6):
        labels[index, 44:56, 60:72] = 1
        if index < 3:
            labels[index, 20:34, 20 + 2 * index : 34 + 2 * index] = 2
        else:
            labels[index, 21:31, 16 - index : 25 - index] = 3
            labels[index, 21:31, 36 + index : 45 + index] = 4
    return labels, [Track(1, 0, 5, 0), Track(2, 0, 2, 0), Track(3, 3, 5, 2), Track(4, 3, 5, 2)]


def is_available(name: str) -> bool:
    """Whether a rival is installed and its compiled part can be loaded on this machine."""
    package = LINKERS[name][0]
    if importlib.util.find_spec(package) is None:
        return False
    if package == "btrack":
        from btrack import libwrapper

        try:
            libwrapper.get_library()
        except Exception:
            return False
    return True


@pytest.fixture(params=list(LINKERS))
def linker(request):
    if not is_available(request.param):
        pytest.skip(f"{request.param} is not installed, or cannot run here")
    return request.param


def test_every_rival_finds_a_drawn_division(linker):
    labels, tracks = dividing_cells()
    compact = [np.unique(frame, return_inverse=True)[1].reshape(frame.shape) for frame in labels]
    tables, found = link_masks(linker, measure_frames(compact), (60, 80), 20.0)
    assert sorted((track.begin, track.end, track.parent > 0) for track in found) == sorted(
        (track.begin, track.end, track.parent > 0) for track in tracks
    )
    mother = int(tables[2][2])
    assert sorted(track.parent for track in found) == [0, 0, mother, mother]


def test_every_rival_takes_a_video_without_cells(linker):
    tables, tracks = link_masks(linker, measure_frames([np.zeros((20, 30), int)] * 3), (20, 30), 10.0)
    assert tracks == [] and [table.tolist() for table in tables] == [[0]] * 3


def test_links_become_tracks_that_end_at_divisions_and_gaps():
    one, two = np.zeros((9, 20), int), np.zeros((9, 20), int)
    one[2:7, 2:7] = two[2:7, 2:7] = 1
    two[2:7, 12:17] = 2
    frames = measure_frames([one, one, two, two, one])
    links = [(Node(0, 0), Node(1, 0)), (Node(1, 0), Node(2, 0)), (Node(1, 0), Node(2, 1))]
    links += [(Node(2, 0), Node(4, 0)), (Node(2, 1), Node(3, 1))]
    tables, tracks = tracks_of_links(frames, links)
    assert tracks == [(1, 0, 1, 0), (2, 2, 2, 1), (3, 2, 3, 1), (4, 3, 3, 0), (5, 4, 4, 2)]
    assert [table.tolist() for table in tables] == [[0, 1], [0, 1], [0, 2, 3], [0, 4, 3], [0, 5]]


def test_our_own_perfect_result_and_the_baselines_links_of_it(tmp_path):
    labels, tracks = dividing_cells()
    write_ctc(tmp_path, labels, labels, tracks)
    write_result(labels, tracks, tmp_path / "RES")
    done = run_command(
        "benchmarks.rivals",
        f"--result_dir={tmp_path / 'RES'}",
        f"--ground_truth_dir={tmp_path / '01_GT'}",
        "--rivals=baseline",
        f"--baseline_dir={tmp_path / 'RES'}",
        f"--json={tmp_path / 'scores.json'}",
        f"--markdown={tmp_path / 'table.md'}",
    )
    assert done.returncode == 0, done.stderr
    content = json.loads((tmp_path / "scores.json").read_text())
    rows = content["rows"]
    assert content["means"] == [] and content["made_with"]["py-ctcmetrics"]
    assert [row["method"] for row in rows] == [
        "ours",
        "classical baseline, own masks",
        "our masks, linked by baseline",
    ]
    for row in rows:
        assert row["SEG"] == row["DET"] == row["TRA"] == row["LNK"] == row["division_f1(0)"] == row["CT"] == 1
        assert row["version"] and row["video"] == "RES"
    assert done.stdout.startswith("| Video | Linking | Version | SEG")
    assert (tmp_path / "table.md").read_text() == done.stdout


def test_links_of_ours_are_unknown_to_the_rivals(tmp_path):
    """A result that numbers every cell anew has no links; the baseline finds them all the same."""
    labels, tracks = dividing_cells()
    write_ctc(tmp_path, labels, labels, tracks)
    count, fresh = 0, []
    anew = np.zeros_like(labels)
    for index, frame in enumerate(labels):
        for label in np.unique(frame)[1:]:
            count += 1
            anew[index][frame == label] = count
            fresh.append(Track(count, index, index, 0))
    write_result(anew, fresh, tmp_path / "RES")
    assert [fault for fault in check_result(tmp_path / "RES") if not fault.warning] == []
    video = PreparedVideo("01", tmp_path / "RES", tmp_path / "01_GT", None)
    ours, linked = compare(video, {"baseline": "0"})
    assert ours["TRA"] < 1 and linked["TRA"] == 1


def test_unknown_and_absent_rivals_are_refused_in_a_sentence(monkeypatch):
    with pytest.raises(InputError, match="nobody: is unknown; choose among baseline, laptrack, btrack"):
        version_of("nobody")
    monkeypatch.setitem(LINKERS, "absent", ("no-such-package", LINKERS["baseline"][1]))
    with pytest.raises(InputError, match=r"no-such-package is not installed.*cosembed\[rivals\]"):
        version_of("absent")


def test_bad_flags_are_one_sentence(tmp_path):
    labels, tracks = dividing_cells()
    write_ctc(tmp_path, labels, labels, tracks)
    tracked = (f"--video={tmp_path / '01'}", "--network=simulated", f"--out_dir={tmp_path}")
    for given, word in (
        (tracked[:1], "--network is missing"),
        ((*tracked, "--baseline_dir=B"), "leave one out"),
        ((*tracked, tracked[0]), "two videos are called 01"),
    ):
        done = run_command("benchmarks.rivals", "--rivals=baseline", *given)
        assert done.returncode == 2 and word in done.stderr and "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01", "01_GT"]
