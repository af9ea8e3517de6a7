"""Stitching, border clean-up, parents and consistency, on named cases drawn frame by frame."""

from typing import NamedTuple

import numpy as np
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import ndimage

from cosembed.datasets.ctc.track_table import Track
from cosembed.specs import TrackingSpec
from cosembed.tracking import finish_tracks
from cosembed.tracking.lineage import end_before_children, erase_in_border, find_tracks, renumber
from cosembed.tracking.stitch import append_pair, match_labels, stitch_pairs


def tracking_spec(**changes):
    values = {
        "min_points": 10,
        "coordinate_factor": 0.01,
        "border": (0, 0),
        "parent_dilation": 0,
        "parent_frames": 2,
    }
    return TrackingSpec(**{**values, **changes})


def video(*frames: str) -> np.ndarray:
    """One row of pixels per frame; digits are labels, dots background. Every row is made four pixels high."""
    rows = [[0 if character == "." else int(character) for character in frame] for frame in frames]
    return np.repeat(np.array(rows, np.int32)[:, None], 4, axis=1)


# Every case: what stitching gives on the left, the lineage it stands for on the right, with its table.


class Case(NamedTuple):
    """A stitched video, spec values that differ, and the labels and table it must become."""

    stitched: np.ndarray
    changes: dict
    labels: np.ndarray
    table: list[tuple[int, int, int, int]]


def case(drawing: str, table: list[tuple[int, int, int, int]], **changes) -> Case:
    left, right = zip(*(line.split() for line in drawing.strip().splitlines()), strict=True)
    return Case(video(*left), changes, video(*right), table)


CASES = {
    # The left daughter keeps the mother's id; it is cut off and becomes a child.
    "division": case(
        """
        .111111.   .111111.
        .111111.   .111111.
        .111.22.   .333.22.
        .111.22.   .333.22.
        """,
        [(1, 0, 1, 0), (2, 2, 3, 1), (3, 2, 3, 1)],
    ),
    # The right daughter shows only one frame after the left one has gone on as 1: the mother lives until then.
    "late division": case(
        """
        .111111.   .111111.
        .111111.   .111111.
        .111....   .111....
        .111..2.   .333..2.
        .111.22.   .333.22.
        """,
        [(1, 0, 2, 0), (2, 3, 4, 1), (3, 3, 4, 1)],
        parent_frames=4,
    ),
    "disappearing": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        """,
        [(1, 0, 2, 0), (2, 0, 0, 0)],
    ),
    # 2 comes back after three empty frames, too late for a parent two frames back.
    "re-appearing": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        .11.....   .11.....
        .11..33.   .11..33.
        """,
        [(1, 0, 4, 0), (2, 0, 0, 0), (3, 4, 4, 0)],
    ),
    # With eight frames of memory, what comes back is a child of what was there.
    "re-appearing, long memory": case(
        """
        .11..22.   .11..22.
        .11.....   .11.....
        .11.....   .11.....
        .11.....   .11.....
        .11..33.   .11..33.
        """,
        [(1, 0, 4, 0), (2, 0, 0, 0), (3, 4, 4, 2)],
        parent_frames=8,
    ),
    "merging": case(
        """
        .11..22.   .11..22.
        .11..22.   .11..22.
        .111111.   .111111.
        .111111.   .111111.
        """,
        [(1, 0, 3, 0), (2, 0, 1, 0)],
    ),
    # 1 divides in frame 1, and what goes on as 1 divides again in frame 3.
    "two divisions in a row": case(
        """
        11111111....   11111111....
        11111.222...   44444.222...
        11111.222...   44444.222...
        11.33.222...   55.33.222...
        11.33.222...   55.33.222...
        """,
        [(1, 0, 0, 0), (2, 1, 4, 1), (3, 3, 4, 4), (4, 1, 2, 1), (5, 3, 4, 4)],
    ),
    # The right daughter lies at the edge; within a border of two pixels it is erased and nothing divides.
    "division at the border": case(
        """
        ....111111   ....111111
        ....111111   ....111111
        ....111.22   ....111...
        ....111.22   ....111...
        """,
        [(1, 0, 3, 0)],
        border=(0, 2),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_named_cases(name):
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


def assert_consistent(labels, tracks):
    table = {track.label: track for track in tracks}
    assert len(table) == len(tracks)
    assert set(np.unique(labels)) - {0} == set(table)
    for track in tracks:
        present = np.flatnonzero((labels == track.label).any(axis=(1, 2)))
        assert (track.begin, track.end) == (present[0], present[-1])
        assert track.begin <= track.end
        if track.parent:
            assert table[track.parent].end < track.begin


@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(np.int32, st.tuples(st.integers(1, 6), st.just(5), st.just(6)), elements=st.integers(0, 4)),
    st.integers(1, 4),
    st.sampled_from([(0, 0), (1, 1), (0, 2)]),
    st.sampled_from([0, 3]),
)
def test_any_label_video_becomes_consistent(labels, parent_frames, border, dilation):
    spec = tracking_spec(parent_frames=parent_frames, border=border, parent_dilation=dilation)
    result = finish_tracks(labels, spec)
    assert result.labels.dtype == np.uint16
    assert_consistent(result.labels, result.tracks)
    # Only the border is erased; all else keeps its outline.
    inside = labels[:, border[0] : 5 - border[0], border[1] : 6 - border[1]]
    kept = result.labels[:, border[0] : 5 - border[0], border[1] : 6 - border[1]]
    np.testing.assert_array_equal(inside > 0, kept > 0)


def test_matching_is_greedy_one_to_one_down_to_the_minimum():
    first = np.array([[1, 1, 1, 1, 2, 2, 0, 0]])
    second = np.array([[5, 5, 5, 6, 6, 6, 0, 0]])
    # IoU: 1-5 3/4, 2-6 2/3, 1-6 1/6, 0-0 1.
    assert match_labels(first, second, 0.25) == {0: 0, 5: 1, 6: 2}
    assert match_labels(first, second, 0.7) == {0: 0, 5: 1}


def test_the_largest_iou_goes_first_not_the_largest_overlap():
    first = np.array([[3, 3, 4, 4, 4, 4, 4, 4]])
    second = np.array([[8, 8, 8, 8, 8, 5, 6, 7]])
    # 3-8 has IoU 2/5, 4-8 only 3/8 although it overlaps in one more pixel.
    assert match_labels(first, second, 0.25) == {8: 3}


def test_both_sides_are_matched_once_and_the_minimum_itself_counts():
    first = np.array([[1, 1, 1, 1, 2, 2, 2, 2]])
    # 5 lies on all of 1 and of 2: IoU 1/2 with both; it goes to the lower one, and 2 stays without.
    assert match_labels(first, np.full((1, 8), 5), 0.25) == {5: 1}
    # One label cut in two: IoU 3/4 and 1/4.
    assert match_labels(np.full((1, 4), 1), np.array([[5, 5, 5, 6]]), 0.25) == {5: 1}
    assert match_labels(np.array([[1, 2, 2, 2]]), np.array([[0, 0, 3, 3]]), 0.5) == {3: 2, 0: 1}


def test_label_0_takes_part_in_stitching():
    last = np.array([[0, 0, 0, 0, 3, 3]])
    pair = np.array([[[7, 7, 7, 0, 8, 8]], [[7, 7, 7, 7, 8, 0]]])
    # 7 lies on what was background (IoU 3/4): it is taken for background.
    labels, highest = append_pair(last, pair, 3, 0.25)
    np.testing.assert_array_equal(labels, [[0, 0, 0, 0, 3, 0]])
    assert highest == 3
    # With a small new label the background matches the background, and the label is new.
    pair = np.array([[[7, 0, 0, 0, 8, 8]], [[7, 7, 0, 0, 8, 8]]])
    labels, highest = append_pair(last, pair, 3, 0.3)
    np.testing.assert_array_equal(labels, [[4, 4, 0, 0, 3, 3]])
    assert highest == 4


def test_border_clean_up_runs_backwards_and_gives_later_parts_fresh_labels():
    labels = video(
        "..11..",
        "11....",
        "..11..",
        ".1....",
    )  # fmt: skip
    cleaned = erase_in_border(labels, (0, 2))
    np.testing.assert_array_equal(cleaned[:, 0], [[0, 0, 1, 1, 0, 0], [0] * 6, [0, 0, 2, 2, 0, 0], [0] * 6])


def test_the_parent_has_the_highest_volume_iou_and_must_exceed_the_minimum():
    labels = video(
        "1111112...",
        "1111112...",
        "......3333",
    )  # fmt: skip
    # 3 meets 2 in one of its four pixels, twice: 2 / (2 + 8 - 2) per row.
    assert find_tracks(labels, 0, 2, 0.01)[-1] == Track(3, 2, 2, 2)
    assert find_tracks(labels, 0, 2, 0.25)[-1] == Track(3, 2, 2, 0)


def test_dilation_reaches_a_parent_that_the_mask_does_not_touch():
    labels = video(
        "111....",
        "....22.",
    )  # fmt: skip
    assert find_tracks(labels, 0, 2, 0.001)[-1].parent == 0
    assert find_tracks(labels, 5, 2, 0.001)[-1].parent == 1


def test_children_that_begin_later_move_to_the_later_part():
    labels = video(
        "111111",
        "111.22",
        "11.322",
    )  # fmt: skip
    tracks = [Track(1, 0, 2, 0), Track(2, 1, 2, 1), Track(3, 2, 2, 1)]
    cut, table = end_before_children(labels, tracks)
    assert table == [
        Track(1, 0, 0, 0), Track(2, 1, 2, 1), Track(3, 2, 2, 4), Track(4, 1, 1, 1), Track(5, 2, 2, 4),
    ]  # fmt: skip
    np.testing.assert_array_equal(cut[:, 0], [[1] * 6, [4, 4, 4, 0, 2, 2], [5, 5, 0, 3, 2, 2]])


def test_an_empty_video_has_no_tracks():
    result = finish_tracks(np.zeros((3, 4, 4), np.int32), tracking_spec())
    assert result.tracks == []
    assert not result.labels.any()


pair_videos = st.integers(1, 5).flatmap(
    lambda pairs: hnp.arrays(np.int32, (pairs, 2, 5, 6), elements=st.integers(0, 4))
)


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.sampled_from([(0, 0), (1, 1)]), st.integers(1, 8))
def test_any_cluster_labels_become_a_consistent_video(pairs, border, parent_frames):
    """From the labels of every pair on, whatever the clustering found."""
    stitched = np.stack(list(stitch_pairs(pairs, 0.25)))
    assert stitched.shape == (len(pairs) + 1, 5, 6)
    np.testing.assert_array_equal(stitched[:2], in_order_of_appearance(pairs[0]))
    for label in np.unique(stitched[stitched > 0]):
        present = np.flatnonzero((stitched == label).any(axis=(1, 2)))
        assert len(present) == present[-1] - present[0] + 1
    result = finish_tracks(stitched, tracking_spec(border=border, parent_frames=parent_frames))
    assert_consistent(result.labels, result.tracks)


def test_a_pair_of_one_frame_is_a_video_of_one_frame():
    pair = np.array([[[0, 1, 2]]], np.int32)
    np.testing.assert_array_equal(list(stitch_pairs([pair], 0.25)), pair)


@settings(max_examples=150, deadline=None)
@given(pair_videos, st.lists(st.permutations([1, 2, 3, 4]), min_size=5, max_size=5), st.sampled_from([0, 3]))
def test_the_result_does_not_depend_on_how_clusters_are_numbered(pairs, permutations, dilation):
    """Every pair numbered anew: the same labels and the same table, ties included."""
    anew = np.stack(
        [np.array([0, *permutation])[pair] for pair, permutation in zip(pairs, permutations, strict=False)]
    )
    spec = tracking_spec(border=(1, 0), parent_dilation=dilation)
    plain, other = (
        finish_tracks(np.stack(list(stitch_pairs(videos, 0.25))), spec) for videos in (pairs, anew)
    )
    np.testing.assert_array_equal(plain.labels, other.labels)
    assert plain.tracks == other.tracks


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


def in_order_of_appearance(labels: np.ndarray) -> np.ndarray:
    values, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    rank = np.zeros(len(values), int)
    rank[np.argsort(np.where(values == 0, -1, first))] = np.arange(len(values)) + (0 if 0 in values else 1)
    return rank[inverse].reshape(labels.shape)


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.sampled_from([(0, 0), (1, 1), (0, 2), (2, 1), (3, 3)]))
def test_one_pass_forwards_erases_in_the_border_as_going_backwards_does(pairs, border):
    labels = np.stack(list(stitch_pairs(pairs, 0.25)))
    expected = erase_backwards(labels, *border)
    np.testing.assert_array_equal(
        in_order_of_appearance(erase_in_border(labels, border)), in_order_of_appearance(expected)
    )


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.integers(1, 8), st.sampled_from([0, 3]), st.sampled_from([0.0, 0.01, 0.2]))
def test_parents_have_the_highest_volume_iou_of_a_plain_loop(pairs, parent_frames, dilation, minimum):
    labels = renumber(np.stack(list(stitch_pairs(pairs, 0.25))))
    for track in find_tracks(labels, dilation, parent_frames, minimum):
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
        assert track.parent == (min(label for label in ious if ious[label] == best) if best > minimum else 0)


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


def test_a_mother_whose_daughters_keep_dividing_every_frame():
    """Each frame the label that goes on loses a piece: all cuts together leave one track per piece and frame."""
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
