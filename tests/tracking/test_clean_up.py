"""Clean-up in masks of the original size: drawn cases of every rule, a plain loop, what must always hold."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed.datasets.ctc.track_table import Track
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import DataError, SpecError
from cosembed.preprocessing.geometry import Grid
from cosembed.specs import UpsamplingSpec
from cosembed.tracking import TrackingResult, finish_tracks, track_embeddings, write_result
from cosembed.tracking.clean_up import clean_up
from cosembed.tracking.label_maps import FrameTables
from cosembed.tracking.regions import measure_regions
from cosembed.tracking.writer import restore_resolution
from tests.helpers.label_videos import INTO_THE_BORDER, assert_consistent, tracking_spec, video
from tests.helpers.plain_lineage import find_tracks, plain_tracks
from tests.helpers.synthetic_embeddings import embeddings_of, moving_discs

SAME_SIZE = Grid(1, 0, 1, 0)
NEAREST = UpsamplingSpec(method="nearest_gaussian", sigma=0.0)
LABEL_GAUSSIAN = UpsamplingSpec(method="label_gaussian", sigma=1.0)


def original_spec(**changes):
    return tracking_spec(clean_up="original", **changes)


def cleaned(labels, spec):
    """Returns the masks and the table that labels, as they are after upsampling, become."""
    result = TrackingResult(labels.astype(np.uint16), [], spec)
    masks = np.zeros(labels.shape, np.uint16)
    restored = restore_resolution(result, SAME_SIZE, labels.shape[1:], NEAREST, masks)
    for track in restored.tracks:
        regions = restored.regions[track.label]
        assert sorted(regions) == list(range(track.begin, track.end + 1))
        for frame, region in regions.items():
            assert measure_regions(masks[frame])[track.label] == region
    return masks, restored.tracks


def test_a_short_track_without_a_parent_is_erased_and_one_with_a_parent_stays():
    labels = video(
        "11...5.",
        "11.2...",
        "111....",
        "1.3....",
        "11.....",
        "11....4",
    )  # fmt: skip
    # 1 was where 3 is; nothing was where 2 and 4 are, and before 5 nothing is known.
    masks, tracks = cleaned(labels, original_spec(minimum_length=2))
    assert tracks == [Track(1, 0, 2, 0), Track(2, 3, 3, 1), Track(3, 3, 5, 1)]
    np.testing.assert_array_equal(masks > 0, np.isin(labels, [1, 3]))
    assert len(cleaned(labels, original_spec())[1]) == 6


def test_what_was_erased_is_no_parent():
    labels = video(
        "1......",
        "1...2..",
        "1...3..",
        "1......",
    )  # fmt: skip
    assert cleaned(labels, original_spec(minimum_length=2))[1] == [Track(1, 0, 3, 0)]
    assert len(cleaned(labels, original_spec())[1]) == 3


def test_in_a_video_shorter_than_the_least_length_what_is_always_seen_stays():
    labels = video("11.2")
    assert cleaned(labels, original_spec(minimum_length=2))[1] == [Track(1, 0, 0, 0), Track(2, 0, 0, 0)]


def test_the_border_is_one_of_original_pixels():
    masks, tracks = cleaned(INTO_THE_BORDER, original_spec(border=(0, 2)))
    np.testing.assert_array_equal(masks[:, 0], [[0, 0, 1, 1, 0, 0], [0] * 6, [0, 0, 2, 2, 0, 0], [0] * 6])
    assert tracks == [Track(1, 0, 0, 0), Track(2, 2, 2, 1)]


def test_after_a_gap_comes_a_child():
    labels = video(
        "11.22",
        "11...",
        "11.22",
        "11.22",
    )  # fmt: skip
    assert cleaned(labels, original_spec())[1] == [Track(1, 0, 3, 0), Track(2, 0, 0, 0), Track(3, 2, 3, 2)]
    assert cleaned(labels, original_spec(parent_frames=1))[1][-1] == Track(3, 2, 3, 0)


def test_a_mother_ends_before_her_daughters():
    labels = video(
        "111111",
        "111.22",
        "11.322",
    )  # fmt: skip
    masks, tracks = cleaned(labels, original_spec(parent_frames=1))
    assert_consistent(masks, tracks)
    assert tracks == [Track(1, 0, 0, 0), Track(2, 1, 2, 1), Track(3, 2, 2, 0), Track(4, 1, 2, 1)]


def plain_clean_up(labels, spec):
    """The follow-up's order in plain words: short tracks, then all as it is done at network resolution."""
    labels = labels.copy()
    least = min(spec.minimum_length, len(labels))
    for begin in range(len(labels)):
        for label in np.unique(labels[begin][labels[begin] > 0]):
            frames = np.flatnonzero((labels == label).any(axis=(1, 2)))
            if frames[0] != begin or frames[-1] - begin + 1 >= least:
                continue
            relabelled, number = only_after(labels, label)
            table = find_tracks(relabelled, spec.parent_dilation, spec.parent_frames, spec.parent_iou)
            if not next(track for track in table if track.label == number).parent:
                labels[labels == label] = 0
    return plain_tracks(labels, spec)


def only_after(labels, label):
    """Numbers a video 1..n, as tracks are found in it; returns the number that a label has then."""
    present = np.unique(labels[labels > 0])
    table = np.zeros(labels.max() + 1, np.int32)
    table[present] = np.arange(1, len(present) + 1)
    return table[labels], int(table[label])


any_labels = hnp.arrays(
    np.int32, st.tuples(st.integers(1, 6), st.just(5), st.just(6)), elements=st.integers(0, 4)
)


@settings(max_examples=300, deadline=None)
@given(
    any_labels,
    st.integers(1, 8),
    st.sampled_from([(0, 0), (1, 1), (0, 2), (3, 3)]),
    st.sampled_from([0, 3, 5]),
    st.integers(1, 3),
    st.sampled_from([0.0, 0.01, 0.2]),
)
def test_frame_by_frame_equals_a_plain_loop_over_whole_videos(
    labels, parent_frames, border, dilation, minimum_length, iou
):
    spec = original_spec(
        parent_frames=parent_frames,
        border=border,
        parent_dilation=dilation,
        minimum_length=minimum_length,
        parent_iou=iou,
    )
    expected, table = plain_clean_up(labels, spec)
    masks, tracks = cleaned(labels, spec)
    assert tracks == table
    np.testing.assert_array_equal(masks, expected)
    assert_consistent(masks, tracks)
    # The same at the network's size, where there is no least length.
    spec = dataclasses.replace(spec, clean_up="network", minimum_length=1)
    expected, table = plain_tracks(labels, spec)
    result = finish_tracks(labels, spec)
    assert result.tracks == table
    np.testing.assert_array_equal(result.labels, expected)


@settings(max_examples=50, deadline=None)
@given(any_labels)
def test_stitched_labels_are_only_numbered_before(labels):
    result = finish_tracks(labels, original_spec(border=(3, 3)))
    assert result.to_clean_up == original_spec(border=(3, 3))
    np.testing.assert_array_equal(labels > 0, result.labels > 0)
    assert_consistent(result.labels, result.tracks)
    assert not any(track.parent for track in result.tracks)


def test_masks_are_read_once_and_few_are_held():
    class Counted:
        def __init__(self, masks):
            self.masks, self.read = masks, []

        def __getitem__(self, frame):
            self.read.append(frame)
            return self.masks[frame]

    labels = np.ones((30, 4, 4), np.uint16)
    masks = Counted(labels)
    clean_up(masks, FrameTables([{1: 16}] * 30), original_spec())
    assert masks.read == list(range(30))


def test_a_folder_with_gaps_after_upsampling_is_valid(tmp_path):
    """A cell of one network pixel can vanish in a frame when labels are enlarged."""
    labels = np.zeros((5, 12, 12), np.uint16)
    labels[:, 2:7, 2:7] = 1
    labels[:, 9, 9] = 2
    labels[[0, 1, 3, 4], 8:11, 8:11] = 2
    labels[2, 9, 9] = 0
    result = TrackingResult(labels, [], original_spec(minimum_length=2))
    tracks = write_result(tmp_path / "RES", result, Grid(2.5, 0.75, 2.5, 0.75), (30, 30), LABEL_GAUSSIAN)
    assert check_result(tmp_path / "RES") == []
    assert [(track.begin, track.end, track.parent) for track in tracks] == [(0, 4, 0), (0, 1, 0), (3, 4, 2)]


def test_known_instances_come_back_through_the_whole_way(tmp_path):
    spec = original_spec(
        method="mean_shift",
        background="fixed",
        background_measure="squared_dot",
        background_similarity=0.5,
        background_clusters=False,
        size_share=1.0,
        false_split_frames=10,
        minimum_length=2,
    )
    result = track_embeddings(embeddings_of(moving_discs()), spec)
    tracks = write_result(tmp_path / "RES", result, Grid(2, 0.5, 2, 0.5), (128, 128), LABEL_GAUSSIAN)
    assert [(track.begin, track.end, track.parent) for track in tracks] == [(0, 4, 0)] * 4
    assert check_result(tmp_path / "RES") == []


def test_more_tracks_than_16_bit_masks_hold_are_refused():
    """Where tracks are cut, there may be more of them than labels."""
    labels = np.zeros((3, 182, 362), np.uint16)
    labels[0] = np.arange(182 * 362).reshape(182, 362) % 65535 + 1
    labels[2] = labels[0]
    with pytest.raises(DataError, match="do not fit"):
        cleaned(labels, original_spec(parent_frames=1))


def test_a_least_length_needs_the_clean_up_in_original_pixels():
    with pytest.raises(SpecError, match="clean_up=original"):
        tracking_spec(minimum_length=2)
