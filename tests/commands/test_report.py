"""The command `cosembed report`, and `cosembed track` that finishes what an earlier run left."""

import html
import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile

from cosembed.files.writing import locked_folder
from tests.commands.test_track import SPEC, track
from tests.helpers.builders import moving_squares, run_command, untrained_run, write_ctc
from tests.robustness.killing import tree
from tests.robustness.test_survival import assert_one_sentence, limited_to

IMAGES = np.asarray(moving_squares(4)[0])
# Interrupts itself, as Ctrl-C does, when the pictures are begun.
INTERRUPTED = """
import os, signal, sys
from cosembed.commands.main import main
from cosembed.video_job import video_report
video_report._draw_pictures = lambda *_: os.kill(os.getpid(), signal.SIGINT)
main(["cosembed", *sys.argv[2:]])
"""


@pytest.fixture(scope="module")
def video(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("video") / "video.tif"
    tifffile.imwrite(path, IMAGES, photometric="minisblack")
    return path


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


@pytest.fixture(scope="module")
def finished(video, run_folder, tmp_path_factory) -> Path:
    output = tmp_path_factory.mktemp("finished") / "RES"
    assert track(video, run_folder, str(output)).returncode == 0
    return output


def unfinished(finished: Path, output: Path) -> Path:
    """A copy of a result as it is when its masks are complete and nothing else is."""
    shutil.copytree(finished, output)
    (output / "report.html").unlink()
    for name in ("overlay.gif", "lineage.png", "embeddings.png"):
        (output / "pictures" / name).unlink()
    return output


def without_times(folder: Path) -> dict[str, str]:
    """All files of a result but those that say how long it took."""
    return {
        name: digest for name, digest in tree(folder).items() if name not in ("report.html", "track.json")
    }


def report(*arguments: str):
    return run_command("cosembed", "report", *arguments)


def test_item_8_the_same_command_makes_only_what_is_missing(video, run_folder, finished, tmp_path):
    output = unfinished(finished, tmp_path / "RES")
    masks = {path: path.stat().st_mtime_ns for path in output.glob("mask*.tif")}
    done = track(video, run_folder, str(output))
    assert done.returncode == 0, done.stderr
    assert "masks and tables are complete" in done.stdout and "\nTracks: " in done.stdout
    assert {path: path.stat().st_mtime_ns for path in output.glob("mask*.tif")} == masks
    assert without_times(output) == without_times(finished)
    pages = [(folder / "report.html").read_text() for folder in (output, finished)]
    first, second = (re.sub(r"<td>[^<]*</td>", "", page) for page in pages)
    assert first == second
    # Now nothing is missing.
    assert_one_sentence(track(video, run_folder, str(output)), "exists already")


@pytest.mark.slow
def test_item_8_other_values_another_video_or_network_are_refused(video, run_folder, finished, tmp_path):
    output = unfinished(finished, tmp_path / "RES")
    before = tree(output)
    changed = IMAGES.copy()
    changed[2, 3, 4] += 1
    tifffile.imwrite(tmp_path / "other.tif", changed, photometric="minisblack")
    other = untrained_run(tmp_path / "net", SPEC.__class__(**{**vars(SPEC), "training": reseeded(SPEC)}))
    for done, words in [
        (track(video, run_folder, str(output), "--set=tracking.min_points=13"), "other values"),
        (track(tmp_path / "other.tif", run_folder, str(output)), "another video;"),
        (track(video, other, str(output)), "another network and other values"),
    ]:
        assert_one_sentence(done, f"{output}: exists already, made with {words}")
    assert tree(output) == before


def reseeded(spec):
    from dataclasses import replace

    return replace(spec.training, seed=spec.training.seed + 1)


@pytest.mark.slow
def test_item_8_a_full_disk_during_the_pictures_costs_the_pictures_only(
    video, run_folder, finished, tmp_path
):
    output = unfinished(finished, tmp_path / "RES")
    # Large enough for all but the report.
    with limited_to((finished / "report.html").stat().st_size - 1000):
        done = track(video, run_folder, str(output))
    assert_one_sentence(done, "report.html: cannot be written", "the same command makes report and pictures")
    assert not (output / "report.html").exists()
    assert track(video, run_folder, str(output)).returncode == 0
    assert without_times(output) == without_times(finished)


@pytest.mark.slow
def test_item_8_ctrl_c_during_the_pictures_says_what_is_kept(video, run_folder, finished, tmp_path):
    output = tmp_path / "RES"
    done = track(video, run_folder, str(output), before=("-c", INTERRUPTED))
    assert done.returncode == 130
    said = [line for line in done.stderr.splitlines() if line.startswith("interrupted")]
    assert said == [
        f"interrupted: masks and tables are complete in {output}; the same command makes report and pictures"
    ]
    assert "Traceback" not in done.stderr
    assert track(video, run_folder, str(output)).returncode == 0
    assert without_times(output) == without_times(finished)


def test_item_8_report_makes_it_anew(finished, tmp_path):
    output = tmp_path / "RES"
    shutil.copytree(finished, output)
    (output / "report.html").write_text("old")
    shutil.rmtree(output / "pictures")
    shutil.copytree(finished / "pictures", output / "pictures", ignore=shutil.ignore_patterns("*.gif"))
    done = report(f"--result_dir={output}")
    assert done.returncode == 0, done.stderr
    assert f"open {output / 'report.html'} in a browser" in done.stdout
    assert without_times(output) == without_times(finished)
    page = (output / "report.html").read_text()
    assert page.count('data-viewer="movie"') == 1 and "trained for 4 of 4 steps" in page


def test_item_8_report_of_a_result_of_others_with_and_without_frames(tmp_path):
    images, labels, tracks = moving_squares(4)
    root = write_ctc(tmp_path, images, labels, tracks)
    result = tmp_path / "01_RES"
    result.mkdir()
    for number, mask in enumerate(labels):
        tifffile.imwrite(result / f"mask{number:03d}.tif", mask)
    shutil.copy(root / "01_GT" / "TRA" / "man_track.txt", result / "res_track.txt")
    done = report(f"--result_dir={result}")
    assert done.returncode == 0, done.stderr
    assert "Divisions: 1\n" in done.stdout and "Cells are shown without the frames" in done.stdout
    alone = (result / "pictures" / "overlay.gif").read_bytes()
    done = report(f"--result_dir={result}", f"--frames={root / '01'}")
    assert done.returncode == 0 and "without the frames" not in done.stdout
    assert (result / "pictures" / "overlay.gif").read_bytes() != alone
    page = html.unescape((result / "report.html").read_text())
    assert "01_RES: tracked cells" in page and "Embeddings</h2>" not in page


def test_item_8_report_names_what_is_wrong(finished, video, tmp_path):
    output = tmp_path / "RES"
    shutil.copytree(finished, output)
    (tmp_path / "empty").mkdir()
    tifffile.imwrite(tmp_path / "short.tif", IMAGES[:3], photometric="minisblack")
    tifffile.imwrite(tmp_path / "small.tif", IMAGES[:, 1:], photometric="minisblack")
    for arguments, words in [
        ([], "--result_dir is missing"),
        ([f"--result_dir={tmp_path / 'empty'}"], "holds no masks"),
        ([f"--result_dir={tmp_path / 'none'}"], "holds no masks"),
        ([f"--result_dir={output}", "--channel=1"], "--channel: chooses among the frames of --frames"),
        ([f"--result_dir={output}", f"--frames={tmp_path / 'none'}"], "none: does not exist"),
        ([f"--result_dir={output}", f"--frames={tmp_path / 'short.tif'}"], "has 4 masks, from 0 to 3, the "),
        ([f"--result_dir={output}", f"--frames={tmp_path / 'small.tif'}"], "the frames are of 48 x 39"),
    ]:
        assert_one_sentence(report(*arguments), words)
    with locked_folder(output):
        assert_one_sentence(report(f"--result_dir={output}"), "another run is writing to it")
    (output / "res_track.txt").unlink()
    assert_one_sentence(report(f"--result_dir={output}"), "res_track.txt")
    (output / "track.json").write_text(json.dumps({"frames": "x"}))
    assert_one_sentence(report(f"--result_dir={output}"), "track.json: does not say what made the result")
    assert without_times(output).keys() == without_times(finished).keys() - {"res_track.txt"}
