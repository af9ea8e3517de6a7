"""Labels that are another label's are joined: drawn cases, and a plain loop over whole volumes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cosembed.datasets.ctc.track_table import Track
from cosembed.tracking import finish_tracks
from cosembed.tracking.false_splits import FalseSplits
from cosembed.tracking.stitch import append_pair, number_by_appearance, stitch_pairs
from tests.helpers.label_videos import in_order_of_appearance, pair_videos, tracking_spec, video


def joined(frames, longest):
    """Gives the frames of a video, already stitched, to the repair one by one."""
    splits = FalseSplits(longest)
    done = [splits.append(frame, repair=index > 1) for index, frame in enumerate(frames)]
    return np.stack([splits.named(frame) for frame in done])


# What stitching gives on the left, what it becomes on the right.
CASES = {
    # 2 comes out of 1 and turns into 1 again.
    "split off for two frames": """
        111111.   111111.
        111111.   111111.
        111222.   111111.
        111222.   111111.
        111111.   111111.
        """,
    # 1 ends, 2 goes on in its place, from frame 0 on.
    "another number from frame 0 on": """
        111....   222....
        111....   222....
        .222...   .222...
        """,
    # A real division at frame 2: the mother becomes the daughter that shares most with it, and is cut later.
    "the division of a label of frame 0": """
        1111111   2222222
        1111111   2222222
        2222.33   2222.33
        """,
    # 2 comes out of nothing: it is no part of 1.
    "a cell of its own that ends in another": """
        11.....   11.....
        11.....   11.....
        11..22.   11..22.
        111111.   111111.
        """,
    # 2 comes out of 1 and turns into 3.
    "out of one cell and into another": """
        111..33   111..33
        111..33   111..33
        1122.33   1122.33
        11..333   11..333
        11.3333   11.3333
        """,
    # The first pair was clustered as one: what it tells apart stays so.
    "the first pair": """
        111....   111....
        .222...   .222...
        .......   .......
        """,
    "a label that goes on beside a new one": """
        1111...   1111...
        1111...   1111...
        1111222   1111222
        """,
    "two that are joined at once": """
        11111111   11111111
        11111111   11111111
        11112233   11111111
        11111111   11111111
        """,
    # 2 is joined to 3, which came out of 1; then 3 turns into 1 and takes along what was 2.
    "two that are joined one after the other": """
        11111111   11111111
        11111111   11111111
        11113333   11111111
        11112233   11111111
        11113333   11111111
        11111111   11111111
        """,
}


@pytest.mark.parametrize("name", CASES)
def test_drawn_cases(name):
    left, right = zip(*(line.split() for line in CASES[name].strip().splitlines()), strict=True)
    np.testing.assert_array_equal(joined(video(*left), 10), video(*right))
    np.testing.assert_array_equal(plain_repair(video(*left), 10), video(*right))


@pytest.mark.parametrize(("frames", "is_joined"), [(11, True), (12, False)])
def test_only_short_labels_are_joined(frames, is_joined):
    """A limit of 10 is a life of 11 frames."""
    drawing = ["1111", "1111", *["1122"] * frames, "1111"]
    assert (2 not in joined(video(*drawing), 10)) == is_joined
    from_the_start = [*["11.."] * frames, ".22."]
    assert (1 not in joined(video(*from_the_start), 10)) == is_joined


def test_a_joined_division_is_still_a_division_in_the_end():
    stitched = video("1111111", "1111111", "1111111", "2222.33", "2222.33")
    repaired = joined(stitched, 10)
    assert 1 not in repaired
    result = finish_tracks(repaired, tracking_spec(parent_frames=8))
    assert result.tracks == [Track(1, 0, 2, 0), Track(2, 3, 4, 1), Track(3, 3, 4, 1)]


def plain_repair(frames, longest):
    """Follows the recovered facts on whole volumes, frame by frame, label by label."""
    volume = np.array(frames)
    for now in range(2, len(volume)):
        repair_frame(volume[: now + 1], longest)
    return volume


def repair_frame(volume, longest):
    def most(image, mask):
        values, counts = np.unique(image[mask & (image > 0)], return_counts=True)
        return values[np.argmax(counts)] if len(values) else 0

    for label in np.unique(volume[-2][volume[-2] > 0]):
        if not (volume[-2] == label).any():
            continue
        into = most(volume[-1], volume[-2] == label)
        present = np.flatnonzero((volume == label).any(axis=(1, 2)))
        if into in (0, label) or present[-1] - present[0] > longest:
            continue
        first = present[0]
        if first == 0 or most(volume[first - 1], volume[first] == label) == into:
            volume[volume == label] = into


def plain_stitching(pairs, longest):
    pairs = [number_by_appearance(pair) for pair in pairs]
    video, highest = np.array(pairs[0]), int(pairs[0].max())
    for pair in pairs[1:]:
        frame, highest = append_pair(video[-1], pair, highest, 0.25)
        video = np.concatenate([video, frame[None]])
        repair_frame(video, longest)
    return video


@settings(max_examples=300, deadline=None)
@given(
    st.integers(1, 7).flatmap(
        lambda count: st.lists(
            st.lists(st.sampled_from([0, 0, 1, 1, 1, 2, 3]), min_size=24, max_size=24),
            min_size=2 * count,
            max_size=2 * count,
        )
    ),
    st.sampled_from([1, 2, 3, 10]),
)
def test_stitching_with_repair_equals_a_plain_loop_over_volumes(frames, longest):
    pairs = np.array(frames, np.int32).reshape(-1, 2, 4, 6)
    np.testing.assert_array_equal(
        np.stack(list(stitch_pairs(pairs, 0.25, longest))), plain_stitching(pairs, longest)
    )


@settings(max_examples=150, deadline=None)
@given(pair_videos, st.integers(1, 10))
def test_repair_moves_no_outline_and_leaves_unbroken_labels(pairs, longest):
    plain = np.stack(list(stitch_pairs(pairs, 0.25)))
    repaired = np.stack(list(stitch_pairs(pairs, 0.25, longest)))
    assert len(plain) == len(repaired)
    np.testing.assert_array_equal(plain[:2] > 0, repaired[:2] > 0)
    for label in np.unique(repaired[repaired > 0]):
        present = np.flatnonzero((repaired == label).any(axis=(1, 2)))
        assert len(present) == present[-1] - present[0] + 1


@settings(max_examples=100, deadline=None)
@given(pair_videos, st.lists(st.permutations([1, 2, 3, 4]), min_size=5, max_size=5))
def test_the_numbers_of_a_pair_make_no_difference(pairs, permutations):
    anew = np.stack(
        [np.array([0, *permutation])[pair] for pair, permutation in zip(pairs, permutations, strict=False)]
    )
    one, other = (np.stack(list(stitch_pairs(some, 0.25, 3))) for some in (pairs, anew))
    np.testing.assert_array_equal(in_order_of_appearance(one), in_order_of_appearance(other))


def test_frames_come_as_soon_as_nothing_can_change_them():
    pair = np.ones((2, 3, 3), np.int32)
    given_pairs = []

    def pairs():
        for number in range(20):
            given_pairs.append(number)
            yield pair

    stitched = stitch_pairs(pairs(), 0.25, 4)
    next(stitched)
    # Five frames are held: those of the pairs 0 to 3, and the one that made the first final.
    assert len(given_pairs) == 5
    assert len(list(stitched)) == 20
