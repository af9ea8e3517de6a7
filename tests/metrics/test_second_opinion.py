"""Measures of folders beside traccuracy, which was written by others, and py-ctcmetrics' whole pipeline."""

import logging

import numpy as np
import pytest
import tifffile
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cosembed.metrics import evaluate_ctc
from tests.helpers.track_cases import drawn_result, drawn_truth

SEEDS = st.integers(0, 2**32 - 1)


def write(folder, prefix, table, tracked):
    folder.mkdir(parents=True)
    for frame, image in enumerate(tracked.images()):
        tifffile.imwrite(folder / f"{prefix}{frame:03d}.tif", image)
    (folder / table).write_text("".join("{} {} {} {}\n".format(*track) for track in tracked.tracks))


def write_case(folder, seed, errors, shared):
    """A folder with GT/TRA and RES; gives its truth and its result."""
    truth = drawn_truth(seed)
    result = drawn_result(truth, seed, errors, shared)
    write(folder / "GT" / "TRA", "man_track", "man_track.txt", truth)
    write(folder / "RES", "mask", "res_track.txt", result)
    return truth, result


def traccuracy_of(folder, *metrics):
    """What traccuracy's metrics say of a case."""
    # It formats some of its messages wrongly, which shows as soon as they are printed.
    logging.getLogger("traccuracy").setLevel(logging.WARNING)
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher

    graphs = (
        load_ctc_data(str(folder / place), str(folder / place / table))
        for place, table in (("GT/TRA", "man_track.txt"), ("RES", "res_track.txt"))
    )
    found, _ = run_metrics(*graphs, matcher=CTCMatcher(), metrics=list(metrics))
    return [result["results"] for result in found]


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(0, 10))
@pytest.mark.filterwarnings("ignore::UserWarning:traccuracy.*")
def test_traccuracy_agrees(tmp_path_factory, seed, errors):
    from traccuracy.metrics import CHOTAMetric, CompleteTracks, CTCMetrics, DivisionMetrics

    folder = tmp_path_factory.mktemp("case")
    write_case(folder, seed, errors, shared=False)
    scores = evaluate_ctc(folder / "RES", folder / "GT")
    graph, chota, lineages, divisions = traccuracy_of(
        folder, CTCMetrics(), CHOTAMetric(), CompleteTracks(), DivisionMetrics()
    )
    assert scores["DET"] == pytest.approx(graph["DET"])
    assert (scores["ED"], scores["EA"]) == (graph["fp_edges"], graph["fn_edges"])
    # The link to a lone daughter is one within a track to traccuracy, and to the challenge one to a daughter.
    if scores["EC"] == graph["ws_edges"]:
        assert (scores["TRA"], scores["LNK"]) == pytest.approx((graph["TRA"], graph["LNK"]))
    assert scores["CHOTA"] == pytest.approx(chota["CHOTA"])
    assert scores["counts"]["complete_lineages"] == {
        "complete": lineages["correct_lineages"],
        "lineages": lineages["total_lineages"],
    }
    for ours, name in (("precision", "Precision"), ("recall", "Recall"), ("f1", "F1")):
        expected = divisions["Frame Buffer 0"][f"Division {name}"]
        found = scores[f"division_{ours}(0)"]
        # traccuracy leaves F1 undefined where precision or recall is undefined, or both are 0.
        assert found == pytest.approx(expected) or (np.isnan(expected) and found in (None, 0)), name


@pytest.mark.parametrize("seed", [0, 1, 3])
@pytest.mark.filterwarnings("ignore::UserWarning:traccuracy.*")
def test_traccuracy_finds_divisions_within_the_same_tolerance(tmp_path, seed):
    from traccuracy.metrics import DivisionMetrics

    write_case(tmp_path, seed, 8, shared=False)
    counts = evaluate_ctc(tmp_path / "RES", tmp_path / "GT")["counts"]
    (theirs,) = traccuracy_of(tmp_path, DivisionMetrics(2))
    expected = [theirs[f"Frame Buffer {i}"]["True Positive Divisions"] for i in range(3)]
    assert [counts[f"BC({i})"]["correct"] for i in range(3)] == expected
    assert expected[-1] > 0


@settings(max_examples=10, deadline=None)
@given(SEEDS, st.integers(1, 12))
def test_the_whole_pipeline_of_py_ctcmetrics_agrees(tmp_path_factory, seed, errors):
    from ctc_metrics.scripts.evaluate import calculate_metrics, load_data

    folder = tmp_path_factory.mktemp("case")
    # It warns of frames without a cell, and its CHOTA fails at some of them.
    assume(
        all(
            image.any() for video in write_case(folder, seed, errors, shared=True) for image in video.images()
        )
    )
    scores = evaluate_ctc(folder / "RES", folder / "GT")
    tracks, true_tracks, matches, _, _, valid = load_data(
        str(folder / "RES"), str(folder / "GT"), True, False, threads=1
    )
    by_birth = (table[np.argsort(table[:, 1], kind="stable")] for table in (tracks, true_tracks))
    names = ["CT", "TF", "BC", "CCA", "CHOTA", "IDF1", "MOTA", "TRA", "DET", "LNK"]
    theirs = calculate_metrics(*by_birth, matches, {}, names, valid)
    for name in (*names[:2], *names[3:], *(f"BC({i})" for i in range(4))):
        assert scores[name] == (None if theirs[name] is None else pytest.approx(theirs[name])), name
