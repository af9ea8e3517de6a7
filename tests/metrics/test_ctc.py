"""Scores where code is likely to be wrong: against plain loops, and where py-ctcmetrics cannot cope."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.datasets.ctc.mask_files import mask_files
from cosembed.errors import DataError
from cosembed.metrics import evaluate_ctc
from cosembed.metrics.ctc import ERRORS, _match, frame_seg
from cosembed.metrics.measures import MEASURES

WEIGHTS = {"NS": 5, "FN": 10, "FP": 1, "ED": 1, "EA": 1.5, "EC": 1}
VIDEOS = st.integers(1, 4).flatmap(
    lambda frames: hnp.arrays(np.uint16, (frames, 4, 5), elements=st.integers(0, 3))
)


def write(folder, prefix, labels, tracks=None, table=None, frames=None):
    folder.mkdir(parents=True)
    for index, mask in zip(frames or range(len(labels)), labels, strict=True):
        tifffile.imwrite(folder / f"{prefix}{index:03d}.tif", mask)
    if tracks is not None:
        (folder / table).write_text("".join("{} {} {} {}\n".format(*track) for track in tracks))


def score(folder, labels, tracks, true_labels, true_tracks, seg=True):
    """Writes both folders and evaluates them."""
    write(folder / "RES", "mask", labels, tracks, "res_track.txt")
    write(folder / "GT" / "TRA", "man_track", true_labels, true_tracks, "man_track.txt")
    if seg:
        write(folder / "GT" / "SEG", "man_seg", true_labels)
    return evaluate_ctc(folder / "RES", folder / "GT")


def as_tracks(video, generator):
    """Every run of a label in consecutive frames is a track; its parent is drawn from earlier ones."""
    labels, tracks = np.zeros_like(video), []
    for label in set(video.ravel().tolist()) - {0}:
        present = [frame for frame in range(len(video)) if (video[frame] == label).any()]
        for frame in present:
            if frame - 1 not in present:
                tracks.append([int(7 * len(tracks) + 3), frame, frame, 0])
            tracks[-1][2] = frame
            labels[frame][video[frame] == label] = tracks[-1][0]
    for track in tracks:
        older = [other[0] for other in tracks if other[2] < track[1]]
        track[3] = int(generator.choice([0, *older]))
    return labels, tracks


def graph(labels, tracks):
    """Vertices (frame, label) and edges (vertex, vertex) -> is a parent link."""
    vertices = {(frame, label) for label, begin, end, _ in tracks for frame in range(begin, end + 1)}
    edges = {
        ((frame - 1, label), (frame, label)): False
        for label, begin, end, _ in tracks
        for frame in range(begin + 1, end + 1)
    }
    ends = {label: end for label, _, end, _ in tracks}
    edges |= {((ends[parent], parent), (begin, label)): True for label, begin, _, parent in tracks if parent}
    return vertices, edges


def count_by_loops(labels, tracks, true_labels, true_tracks):
    """The corrections of Matula et al. 2015, one vertex and one edge at a time."""
    vertices, edges = graph(labels, tracks)
    true_vertices, true_edges = graph(true_labels, true_tracks)
    covers = {vertex: [] for vertex in vertices}
    for frame, true in true_vertices:
        region = true_labels[frame] == true
        for label in set(labels[frame][region].tolist()) - {0}:
            if np.count_nonzero(labels[frame][region] == label) > region.sum() / 2:
                covers[frame, label].append((frame, true))
    single = {vertex: found[0] for vertex, found in covers.items() if len(found) == 1}
    mapped = {(single[a], single[b]): kind for (a, b), kind in edges.items() if a in single and b in single}
    return {
        "NS": sum(max(0, len(found) - 1) for found in covers.values()),
        "FN": len(true_vertices) - sum(map(len, covers.values())),
        "FP": sum(not found for found in covers.values()),
        "ED": sum(edge not in true_edges for edge in mapped),
        "EA": sum(edge not in mapped for edge in true_edges),
        "EC": sum(edge in true_edges and true_edges[edge] != kind for edge, kind in mapped.items()),
    }


@settings(max_examples=60, deadline=None)
@given(VIDEOS, VIDEOS, st.integers(0, 2**16))
def test_scores_equal_plain_loops(tmp_path_factory, video, true_video, seed):
    generator = np.random.default_rng(seed)
    frames = min(len(video), len(true_video))
    labels, tracks = as_tracks(video[:frames], generator)
    true_labels, true_tracks = as_tracks(true_video[:frames], generator)
    scores = score(tmp_path_factory.mktemp("case"), labels, tracks, true_labels, true_tracks)
    if not true_tracks:
        assert scores["SEG"] is scores["DET"] is scores["TRA"] is scores["OP"] is scores["FN"] is None
        return
    counts = count_by_loops(labels, tracks, true_labels, true_tracks)
    assert {name: scores[name] for name in ERRORS} == counts
    vertices, edges = graph(true_labels, true_tracks)
    for name, kinds, most in (
        ("DET", ERRORS[:3], 10 * len(vertices)),
        ("TRA", ERRORS, 10 * len(vertices) + 1.5 * len(edges)),
    ):
        cost = sum(WEIGHTS[kind] * counts[kind] for kind in kinds)
        assert scores[name] == pytest.approx(1 - min(cost, most) / most)
    per_frame = [
        (frame_seg(mask, truth), len(np.unique(truth[truth > 0])))
        for mask, truth in zip(labels, true_labels, strict=True)
    ]
    pooled = sum(value * objects for value, objects in per_frame if objects) / len(vertices)
    assert scores["SEG"] == pytest.approx(pooled)
    assert scores["OP"] == pytest.approx((scores["SEG"] + scores["TRA"]) / 2)
    assert (scores["seg_objects"], scores["tra_objects"]) == (len(vertices), len(vertices))


def test_matching_equals_the_packages_own_on_the_official_case(test_data):
    from ctc_metrics.scripts.evaluate import match_computed_to_reference_masks

    folder = test_data / "ctc_evaluation"
    masks, truth = mask_files(folder / "03_RES", "mask"), mask_files(folder / "03_GT" / "TRA", "man_track")
    theirs = match_computed_to_reference_masks(
        list(map(str, truth.values())), list(map(str, masks.values())), threads=1
    )
    ours = _match(masks, truth)
    assert {name: values for name, values in ours._asdict().items() if name != "ious"} == {
        name: values for name, values in theirs.items() if name != "ious"
    }
    np.testing.assert_allclose(np.concatenate(ours.ious), np.concatenate(theirs["ious"]))


@pytest.mark.parametrize(("dtype", "first"), [(np.uint16, 65534), (np.uint8, 254), (np.uint16, 1)])
def test_the_largest_labels_do_not_overflow(tmp_path, dtype, first):
    truth = np.zeros((2, 6, 8), np.uint16)
    truth[:, 1:3, 1:4], truth[:, 4:6, 4:8] = 40, 41
    labels = np.select([truth == 40, truth == 41], [first, first + 1], 0).astype(dtype)
    scores = score(
        tmp_path, labels, [(first, 0, 1, 0), (first + 1, 0, 1, 0)], truth, [(40, 0, 1, 0), (41, 0, 1, 0)]
    )
    assert scores["SEG"] == scores["DET"] == scores["TRA"] == 1


def test_an_image_without_background_keeps_every_cell(tmp_path):
    truth = np.ones((2, 4, 6), np.uint16)
    truth[:, :, 3:] = 2
    tracks = [(1, 0, 1, 0), (2, 0, 1, 0)]
    scores = score(tmp_path, truth, tracks, truth, tracks)
    assert (scores["SEG"], scores["TRA"], scores["seg_objects"]) == (1, 1, 4)


def test_half_covered_is_not_matched(tmp_path):
    truth = np.zeros((1, 2, 8), np.uint16)
    truth[0, :, :4] = 1
    half = np.where(np.arange(8) < 2, truth, 0).astype(np.uint16)
    scores = score(tmp_path / "half", half, [(1, 0, 0, 0)], truth, [(1, 0, 0, 0)])
    assert (scores["SEG"], scores["DET"], scores["FN"], scores["FP"]) == (0, 0, 1, 1)
    more = half.copy()
    more[0, 0, 2] = 1
    assert score(tmp_path / "more", more, [(1, 0, 0, 0)], truth, [(1, 0, 0, 0)])["SEG"] == 5 / 8


def test_masks_in_frames_without_seg_truth_do_not_matter(tmp_path):
    truth = np.zeros((1, 4, 4), np.uint16)
    truth[0, :2] = 5
    masks = np.stack([np.full((4, 4), 9, np.uint16), truth[0], np.full((4, 4), 7, np.uint16)])
    write(tmp_path / "RES", "mask", masks)
    write(tmp_path / "GT" / "SEG", "man_seg", truth, frames=[1])
    scores = evaluate_ctc(tmp_path / "RES", tmp_path / "GT")
    assert scores["SEG"] == 1
    assert (scores["frames"], scores["seg_frames"], scores["TRA"]) == (3, 1, None)
    assert scores["counts"]["SEG"] == {"objects": 1, "matched": 1}
    assert scores["undefined"] == dict.fromkeys(set(MEASURES) - {"SEG"}, "there is no TRA truth")


def test_frames_must_agree(tmp_path):
    truth = np.ones((3, 4, 4), np.uint16)
    truth[:, 0] = 0
    write(tmp_path / "GT" / "TRA", "man_track", truth, [(1, 0, 2, 0)], "man_track.txt")
    write(tmp_path / "long", "mask", truth[[0, 1, 2, 2]], [(1, 0, 3, 0)], "res_track.txt")
    with pytest.raises(DataError, match=r"mask003\.tif: has no truth in"):
        evaluate_ctc(tmp_path / "long", tmp_path / "GT")
    write(tmp_path / "short", "mask", truth[:2], [(1, 0, 1, 0)], "res_track.txt")
    with pytest.raises(
        DataError, match=r"short/mask002\.tif: is missing, but there is truth, .*man_track002\.tif"
    ):
        evaluate_ctc(tmp_path / "short", tmp_path / "GT")


def test_scores_do_not_depend_on_the_first_frames_number(tmp_path):
    generator = np.random.default_rng(5)
    labels, tracks = as_tracks(generator.integers(0, 4, (4, 6, 7)).astype(np.uint16), generator)
    true_labels, true_tracks = as_tracks(generator.integers(0, 4, (4, 6, 7)).astype(np.uint16), generator)
    expected = score(tmp_path / "zero", labels, tracks, true_labels, true_tracks)
    later, true_later = (
        [(label, begin + 7, end + 7, parent) for label, begin, end, parent in table]
        for table in (tracks, true_tracks)
    )
    frames = range(7, 11)
    write(tmp_path / "RES", "mask", labels, later, "res_track.txt", frames=frames)
    write(tmp_path / "GT" / "TRA", "man_track", true_labels, true_later, "man_track.txt", frames=frames)
    write(tmp_path / "GT" / "SEG", "man_seg", true_labels, frames=frames)
    assert evaluate_ctc(tmp_path / "RES", tmp_path / "GT") == expected


def test_truth_that_contradicts_itself_is_refused(tmp_path):
    truth = np.ones((2, 4, 4), np.uint16)
    with pytest.raises(
        DataError, match=r"GT: man_track000\.tif: label 1 is not listed in man_track\.txt \(and 1 more\)"
    ):
        score(tmp_path, truth, [(1, 0, 1, 0)], truth, [])
