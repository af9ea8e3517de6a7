"""The report of a tracked video shows all of it, points to nothing absent, and says its doubts twice."""

import csv
import html
import json
import re

import numpy as np
import pytest
import tifffile

from cosembed.datasets.ctc.mask_files import read_labels
from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.errors import DataError
from cosembed.images.array_frames import ArrayFrames
from cosembed.video_job.record import Record, write_record
from cosembed.video_job.video_report import NAPARI, WrittenReport, write_video_report


def report_of(folder, labels: np.ndarray, tracks: list[Track], warnings=()) -> WrittenReport:
    """Writes the report of drawn cells in a result folder that is made for it."""
    folder.mkdir(exist_ok=True)
    rows = []
    for frame, cells in enumerate(labels):
        tifffile.imwrite(folder / f"mask{frame:03d}.tif", cells.astype(np.uint16))
        for label in np.unique(cells[cells > 0]).tolist():
            y, x = np.argwhere(cells == label).mean(axis=0)
            rows.append((label, 0, frame, y, x, int((cells == label).sum())))
    write_tracks(folder / "res_track.txt", tracks)
    with (folder / "tracks.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("label", "parent", "frame", "y", "x", "area"), *rows])
    frames = ArrayFrames((labels > 0).astype(np.uint8))
    record = Record("sha256:1", "sha256:2", None, [("Device", "CPU")], list(warnings), {"network": 1.0})
    write_record(folder, record, "a: 1\n", {0: np.ones((8, 8, 3), np.float32)})
    return write_video_report(folder, "cells", frames)


def flicker(frames: int, cells: int) -> tuple[np.ndarray, list[Track]]:
    """Cells that all have another label in every frame."""
    labels = np.zeros((frames, 8, 8 * cells), np.uint16)
    tracks = []
    for frame in range(frames):
        for cell in range(cells):
            label = frame * cells + cell + 1
            labels[frame, 2:6, 8 * cell + 2 : 8 * cell + 6] = label
            tracks.append(Track(label, frame, frame, 0))
    return labels, tracks


def viewer(report, kind: str) -> dict:
    """What the one viewer of a kind shows."""
    (text,) = re.findall(f'data-viewer="{kind}">(.*?)</script>', report.read_text())
    return json.loads(text)


def shown(report) -> str:
    """The text of a report without its pictures."""
    return html.unescape(re.sub(r"data:image[^\"]*", "", report.read_text()))


def test_item_6_every_doubt_of_the_report_is_returned_for_the_terminal(tmp_path):
    written = report_of(tmp_path / "res", *flicker(20, 5), warnings=["The input is odd."])
    assert written.warnings[0] == "The input is odd."
    assert any("Half of the tracks last at most 1 of 20 frames" in doubt for doubt in written.warnings)
    assert written.facts == [
        ("Cells per frame", "5 to 5"),
        ("Tracks", "100, median length 1 of 20 frames"),
        ("Divisions", "0"),
    ]
    text = shown(tmp_path / "res" / "report.html")
    assert text.count('class="warning"') == len(written.warnings)
    for doubt in written.warnings:
        assert text.count(doubt) == 1
    assert list(written.seconds) == ["network", "movie and pictures"]


def test_item_17_the_report_shows_all_tracks_and_points_to_nothing_absent(tmp_path):
    report_of(tmp_path / "res", *flicker(20, 5))
    text = shown(tmp_path / "res" / "report.html")
    movie, lineage = (viewer(tmp_path / "res" / "report.html", kind) for kind in ("movie", "lineage"))
    assert sorted(row[0] for row in lineage["tracks"]) == list(range(1, 101))
    assert [label for label, _ in movie["colours"]] == list(range(1, 101))
    assert [frame["number"] for frame in movie["frames"]] == list(range(20))
    assert {row[4] for row in lineage["tracks"]} == {16}, "mean areas"
    pictures = sorted(path.name for path in (tmp_path / "res" / "pictures").iterdir())
    assert pictures == ["embedding_t000.png", "embeddings.png", "overlay.gif"]
    assert not re.findall(r"docs/|\.md\b|README", text)
    assert NAPARI in text


def test_item_17_the_lines_for_napari_run_in_a_result_folder(tmp_path, monkeypatch):
    """With a viewer that records what it is given."""
    given = {}

    class Viewer:
        def add_labels(self, masks, name):
            given[name] = masks

        def add_tracks(self, tracks, graph, name):
            given[name] = (tracks, graph)

    napari = type("napari", (), {"Viewer": Viewer, "run": staticmethod(lambda: None)})
    monkeypatch.setitem(__import__("sys").modules, "napari", napari)
    labels, tracks = flicker(3, 2)
    report_of(tmp_path / "res", labels, tracks)
    monkeypatch.chdir(tmp_path / "res")
    exec(compile(NAPARI, "report.html", "exec"), {})
    np.testing.assert_array_equal(given["cells"], labels)
    assert given["tracks"][0].shape == (6, 4) and given["tracks"][1] == {}


def test_a_report_made_anew_reads_every_mask_once_and_leaves_no_lineage_of_fewer_tracks(
    tmp_path, monkeypatch
):
    report_of(tmp_path / "res", *flicker(20, 2))
    assert (tmp_path / "res" / "pictures" / "lineage.png").exists()
    read = []
    module = "cosembed.video_job.video_report.read_labels"
    monkeypatch.setattr(module, lambda path: read.append(path.name) or read_labels(path))
    report_of(tmp_path / "res", *flicker(20, 5))
    assert sorted(read) == [f"mask{frame:03d}.tif" for frame in range(20)]
    assert not (tmp_path / "res" / "pictures" / "lineage.png").exists()


def test_cells_are_counted_in_the_masks_which_may_have_been_corrected(tmp_path):
    labels, tracks = flicker(3, 2)
    report_of(tmp_path / "res", labels, tracks)
    tifffile.imwrite(tmp_path / "res" / "mask001.tif", np.where(labels[1] == 3, 0, labels[1]))
    written = write_video_report(tmp_path / "res", "cells", ArrayFrames((labels > 0).astype(np.uint8)))
    assert written.facts[0] == ("Cells per frame", "1 to 2")


@pytest.mark.parametrize("content", ["{", "[]", '{"frames": 1}', '{"source": 3}'])
def test_a_damaged_record_is_named(tmp_path, content):
    labels, tracks = flicker(3, 2)
    report_of(tmp_path / "res", labels, tracks)
    (tmp_path / "res" / "track.json").write_text(content)
    with pytest.raises(DataError, match=r"track\.json: does not say what made the result \(.+\); remove it"):
        write_video_report(tmp_path / "res", "cells", ArrayFrames((labels > 0).astype(np.uint8)))
