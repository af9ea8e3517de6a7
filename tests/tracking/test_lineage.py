"""Border clean-up, parents and consistency, on named cases and beside plain loops."""

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.preprocessing.label_overlap import present_labels
from cosembed.tracking import finish_tracks
from cosembed.tracking.lineage import cut_tracks, find_lives, without_unlike_daughters
from cosembed.tracking.stitch import stitch_pairs
from tests.helpers.drawn_lineages import CASES
from tests.helpers.label_videos import (
    INTO_THE_BORDER,
    assert_consistent,
    in_order_of_appearance,
    pair_videos,
    tracking_spec,
    video,
)


@pytest.mark.parametrize("name", CASES)
def test_named_cases_become_the_drawn_lineage(name):
    stitched, changes, labels, table = CASES[name]
    result = finish_tracks(stitched, tracking_spec(**changes))
    np.testing.assert_array_equal(result.labels, labels)
    assert result.tracks == [Track(*row) for row in table]
    assert_consistent(result.labels, result.tracks)


@pytest.mark.parametrize("name", CASES)
def test_named_cases_in_traccuracys_eyes(name, tmp_path):
    """A second reading of the drawn lineage: no error against the tracker's result, and as many divisions."""
    from traccuracy import run_metrics
    from traccuracy.loaders import load_ctc_data
    from traccuracy.matchers import CTCMatcher
    from traccuracy.metrics import CTCMetrics

    stitched, changes, labels, table = CASES[name]
    result = finish_tracks(stitched, tracking_spec(**changes))
    graphs = []
    for folder, masks, tracks in (("truth", labels, table), ("result", result.labels, result.tracks)):
        (tmp_path / folder).mkdir()
        for index, mask in enumerate(masks.astype(np.uint16)):
            tifffile.imwrite(tmp_path / folder / f"mask{index:03d}.tif", mask)
        (tmp_path / folder / "tracks.txt").write_text(
            "".join("{} {} {} {}\n".format(*track) for track in tracks)
        )
        graphs.append(load_ctc_data(str(tmp_path / folder), str(tmp_path / folder / "tracks.txt")))
    (scores,), _ = run_metrics(*graphs, matcher=CTCMatcher(), metrics=[CTCMetrics()])
    counted = ("fp_nodes", "fn_nodes", "ns_nodes", "fp_edges", "fn_edges", "ws_edges")
    assert {name: scores["results"][name] for name in counted} == dict.fromkeys(counted, 0)
    mothers = {parent for _, _, _, parent in table if [row[3] for row in table].count(parent) > 1 and parent}
    graph = graphs[1].graph
    assert sum(graph.out_degree(node) > 1 for node in graph) == len(mothers)


def test_a_label_inside_the_border_is_erased_and_its_later_part_gets_a_fresh_one():
    cleaned = finish_tracks(INTO_THE_BORDER, tracking_spec(border=(0, 2))).labels
    np.testing.assert_array_equal(cleaned[:, 0], [[0, 0, 1, 1, 0, 0], [0] * 6, [0, 0, 2, 2, 0, 0], [0] * 6])


def erase_backwards(labels: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """Step 10 of the reference in its own words."""
    labels = labels.copy()
    fresh = labels.max() + 1
    inner = np.zeros(labels.shape[1:], bool)
    inner[rows : labels.shape[1] - rows, columns : labels.shape[2] - columns] = True
    for frame in range(len(labels) - 1, -1, -1):
        for label in set(labels[frame].ravel()) - {0}:
            mask = labels[frame] == label
            if not (mask & inner).any():
                labels[frame][mask] = 0
                labels[frame + 1 :][labels[frame + 1 :] == label] = fresh
                fresh += 1
    return labels


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.sampled_from([(0, 0), (1, 1), (0, 2), (2, 1), (3, 3)]))
def test_one_pass_forwards_erases_in_the_border_as_going_backwards_does(pairs, border):
    labels = np.stack(list(stitch_pairs(pairs, 0.25)))
    expected = erase_backwards(labels, *border)
    # No IoU exceeds 1: without parents, no track is cut.
    spec = tracking_spec(border=border, parent_iou=1.0)
    np.testing.assert_array_equal(
        in_order_of_appearance(finish_tracks(labels, spec).labels), in_order_of_appearance(expected)
    )


def test_the_parent_has_the_highest_volume_iou_and_must_exceed_the_minimum():
    labels = video(
        "1111112...",
        "1111112...",
        "......3333",
    )  # fmt: skip
    # 3 meets 2 in one of its four pixels, twice: 2 / (2 + 8 - 2) per row.
    assert finish_tracks(labels, tracking_spec(parent_iou=0.01)).tracks[-1] == Track(3, 2, 2, 2)
    assert finish_tracks(labels, tracking_spec(parent_iou=0.25)).tracks[-1] == Track(3, 2, 2, 0)


def test_dilation_reaches_a_parent_that_the_mask_does_not_touch():
    labels = video(
        "111....",
        "....22.",
    )  # fmt: skip
    assert finish_tracks(labels, tracking_spec(parent_iou=0.001)).tracks[-1].parent == 0
    spec = tracking_spec(parent_iou=0.001, parent_dilation=5)
    assert finish_tracks(labels, spec).tracks[-1].parent == 1


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.integers(1, 8), st.sampled_from([0, 3]), st.sampled_from([0.0, 0.01, 0.2]))
def test_parents_have_the_highest_volume_iou_of_a_plain_loop(pairs, parent_frames, dilation, minimum):
    labels = np.stack(list(stitch_pairs(pairs, 0.25)))
    tracks = []
    for track in find_lives(map(present_labels, labels)):
        mask = labels[track.begin] == track.label
        if dilation:
            mask = ndimage.binary_dilation(mask, np.ones((3, 3), bool))
        before = labels[max(0, track.begin - parent_frames) : track.begin]
        repeated = np.broadcast_to(mask, before.shape)
        ious = {
            label: np.count_nonzero((before == label) & repeated)
            / np.count_nonzero((before == label) | repeated)
            for label in set(before.ravel().tolist()) - {0}
        }
        best = max(ious.values(), default=0)
        parent = min(label for label in ious if ious[label] == best) if best > minimum else 0
        tracks.append(track._replace(parent=parent))
    numbers = {track.label: number for number, track in enumerate(tracks, start=1)} | {0: 0}
    tracks = [track._replace(label=numbers[track.label], parent=numbers[track.parent]) for track in tracks]
    spec = tracking_spec(parent_dilation=dilation, parent_frames=parent_frames, parent_iou=minimum)
    assert finish_tracks(labels, spec).tracks == cut_tracks(tracks)[0]


def area_in(labels):
    return lambda label, frame: np.count_nonzero(labels[frame] == label)


def test_a_daughter_is_about_as_large_as_what_is_left_of_its_parent():
    labels = video(
        "1111111.44444",
        "1111.22.33344",
        "1111.22.33344",
    )  # fmt: skip
    found = [Track(1, 0, 2, 0), Track(2, 1, 2, 1), Track(3, 1, 2, 4), Track(4, 0, 2, 0)]
    # Halves of 4 pixels and 2, and of 2 and 3: likeness 1/2 and 2/3.
    for likeness, parents in (
        (0.0, [0, 1, 4, 0]),
        (0.5, [0, 1, 4, 0]),
        (0.6, [0, 0, 4, 0]),
        (0.7, [0, 0, 0, 0]),
    ):
        kept = without_unlike_daughters(found, area_in(labels), likeness)
        assert [track.parent for track in kept] == parents
        assert [track[:3] for track in kept] == [track[:3] for track in found]
        spec = tracking_spec(parent_dilation=0, parent_frames=2, parent_iou=0.01, daughter_likeness=likeness)
        assert finish_tracks(labels, spec).tracks == cut_tracks(kept)[0]


def test_a_daughter_of_a_parent_that_has_ended_may_have_any_size():
    labels = video("111111", "2.....")
    found = [Track(1, 0, 0, 0), Track(2, 1, 1, 1)]
    assert without_unlike_daughters(found, area_in(labels), 1.0) == found


def test_children_that_begin_later_move_to_the_later_part():
    labels = video(
        "111111",
        "111.22",
        "11.322",
    )  # fmt: skip
    tracks = [Track(1, 0, 2, 0), Track(2, 1, 2, 1), Track(3, 2, 2, 1)]
    table, cuts = cut_tracks(tracks)
    cut = labels.copy()
    for label, begin, end, later in cuts:
        cut[begin : end + 1][cut[begin : end + 1] == label] = later
    assert table == [
        Track(1, 0, 0, 0), Track(2, 1, 2, 1), Track(3, 2, 2, 4), Track(4, 1, 1, 1), Track(5, 2, 2, 4),
    ]  # fmt: skip
    np.testing.assert_array_equal(cut[:, 0], [[1] * 6, [4, 4, 4, 0, 2, 2], [5, 5, 0, 3, 2, 2]])


def test_a_label_that_comes_back_is_another_track():
    labels = video(
        "11..",
        "....",
        "11..",
    )  # fmt: skip
    assert finish_tracks(labels, tracking_spec(parent_frames=1)).tracks == [
        Track(1, 0, 0, 0),
        Track(2, 2, 2, 0),
    ]
    assert finish_tracks(labels, tracking_spec(parent_frames=2)).tracks == [
        Track(1, 0, 0, 0),
        Track(2, 2, 2, 1),
    ]


def test_a_mother_whose_daughters_keep_dividing_leaves_a_track_a_frame():
    """Each frame the label that goes on loses a piece: all cuts leave one track per piece and frame."""
    labels = video(
        "11111111",
        "11111.22",
        "111.3.22",
        "1.4.3.22",
    )  # fmt: skip
    result = finish_tracks(labels, tracking_spec(parent_frames=1))
    assert_consistent(result.labels, result.tracks)
    parents = {track.label: track.parent for track in result.tracks}
    line = result.labels[:, 0, 0].tolist()
    assert len(set(line)) == 4
    assert [parents[label] for label in line] == [0, *line[:-1]]
    assert [parents[2], parents[3], parents[4]] == line[:-1]
