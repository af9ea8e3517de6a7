"""Instance and neighbour masks against brute force."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed import specs
from cosembed.batches.instances import instance_table, neighbours

# Cells of three pixels a side, so that lives, gaps and regions differ.
LABELS_IN_TIME = hnp.arrays(np.uint16, (4, 4, 4), elements=st.sampled_from([0, 0, 0, 0, 1, 2, 7])).map(
    lambda labels: labels.repeat(3, axis=1).repeat(3, axis=2)
)
LABELS = hnp.arrays(np.uint16, (2, 9, 9), elements=st.sampled_from([0, 0, 0, 1, 2, 3, 7]))


def instances_spec(**changes):
    return dataclasses.replace(specs.resolve("simulated").instances, **changes)


def instance_masks(labels, spec, generator):
    """The masks of every pixel, [T, N, N, I]."""
    table = instance_table(labels, spec, generator)
    np.testing.assert_array_equal(table.labels[table.rows], labels)
    return table.masks[table.rows]


def brute_force(labels, radius, rule):
    """{i: neighbours of i} by comparing every pixel with every pixel."""
    present = sorted(set(labels.ravel().tolist()) - {0})
    result = {}
    for i in present:
        result[i] = set()
        own_all = np.argwhere(labels == i)[:, 1:]
        for j in present:
            if i == j:
                continue
            if rule == "centre_circle":
                distances = np.linalg.norm(np.argwhere(labels == j)[:, 1:] - own_all.mean(axis=0), axis=1)
                near = (distances <= radius).any()
            else:
                near = False
                for frame in labels:
                    a, b = np.argwhere(frame == i), np.argwhere(frame == j)
                    if len(a) and len(b):
                        near |= np.linalg.norm(a[:, None] - b[None], axis=-1).min() <= radius
            if near:
                result[i].add(j)
    return result


def region(labels, own, radius):
    """The follow-up's region of an instance, every pixel of every frame by itself: bool [T, N, N]."""
    places = np.argwhere(labels == own)
    centre, life = places[:, 1:].mean(axis=0), sorted(set(places[:, 0].tolist()))
    inside = np.zeros(labels.shape, bool)
    for t, y, x in np.ndindex(*labels.shape):
        if not life[0] - 1 <= t <= life[-1] + 1:
            continue
        # One frame before the first and after the last, the mask is that of the adjacent frame.
        mask = np.argwhere(labels[min(max(t, life[0]), life[-1])] == own)
        inside[t, y, x] = np.hypot(*(centre - [y, x])) <= radius or (
            len(mask) and np.hypot(*(mask - [y, x]).T).min() <= 2.5
        )
    return inside


@settings(max_examples=60, deadline=None)
@given(labels=LABELS_IN_TIME, radius=st.sampled_from([0.0, 1.5, 3.3]))
def test_neighbours_in_life_are_those_with_a_pixel_in_the_region(labels, radius):
    spec = instances_spec(neighbour_radius=radius, neighbours="lifetime_region")
    present, rows = np.unique(np.append(0, labels), return_inverse=True)
    near = neighbours(rows[1:].reshape(labels.shape), len(present) - 1, spec)
    for column, own in enumerate(present[1:]):
        expected = set(labels[region(labels, own, radius)].tolist()) - {0, own}
        assert set(present[1:][near[:, column]].tolist()) == expected


def test_a_mother_and_her_daughters_are_neighbours_in_life():
    labels = np.zeros((4, 9, 9), np.intp)
    labels[:2, 3:6, 3:6] = 1
    labels[2:, 3:6, 3:4], labels[2:, 3:6, 5:6] = 2, 3
    spec = instances_spec(neighbour_radius=0.0, neighbours="lifetime_region")
    assert (neighbours(labels, 3, spec) == ~np.eye(3, dtype=bool)).all()
    # Two frames later they are not, but sisters still are.
    labels[2] = 0
    np.testing.assert_array_equal(
        neighbours(labels, 3, spec), [[False, False, False], [False, False, True], [False, True, False]]
    )


@pytest.mark.parametrize("rule", ["mask_distance", "centre_circle"])
@settings(max_examples=60, deadline=None)
@given(labels=LABELS, radius=st.sampled_from([0.0, 1.0, 1.5, 2.0, 3.3, 6.0, 20.0]))
def test_neighbours_equal_brute_force(rule, labels, radius):
    spec = instances_spec(neighbour_radius=radius, neighbours=rule)
    masks = instance_masks(labels, spec, np.random.default_rng(0))
    expected = brute_force(labels, radius, rule)
    found = {}
    for channel in range(masks.shape[-1]):
        own = set(labels[masks[..., channel] == 1].tolist())
        if own:
            (label,) = own
            np.testing.assert_array_equal(masks[..., channel] == 1, labels == label)
            found[label] = set(labels[masks[..., channel] == 2].tolist())
            # Whole masks, in all frames.
            np.testing.assert_array_equal(masks[..., channel] == 2, np.isin(labels, list(found[label])))
    assert found == expected


@pytest.mark.parametrize(("radius", "together"), [(4.0, False), (5.0, True)])
def test_masks_that_meet_in_one_frame_only_are_near_in_all(radius, together):
    labels = np.zeros((3, 8, 30), np.uint16)
    labels[:, 2:4, 1:4] = 5
    labels[:, 2:4, 25:28] = 9
    # 3 rows and 4 columns apart.
    labels[1, 2:4, 25:28] = 0
    labels[1, 6:8, 7:10] = 9
    spec = instances_spec(neighbour_radius=radius, neighbours="mask_distance")
    masks = instance_masks(labels, spec, np.random.default_rng(0))
    assert ((masks == 2).any(axis=(1, 2)).sum(axis=1) == (2 if together else 0)).all()


@pytest.mark.parametrize("turns", range(4))
def test_a_block_is_as_far_from_a_bar_as_from_the_middle_of_its_side(turns):
    labels = np.zeros((24, 24), np.intp)
    labels[2:6, 1:23] = 1
    # Nine rows below the bar's last one, far from its ends.
    labels[14:17, 10:13] = 2
    for radius, expected in ((9.0, True), (8.99, False)):
        spec = instances_spec(neighbour_radius=radius, neighbours="mask_distance")
        assert neighbours(np.rot90(labels, turns)[None], 2, spec)[0, 1] == expected


def test_an_instance_that_is_absent_from_a_frame_does_not_hide_the_others():
    labels = np.zeros((2, 4, 20), np.intp)
    labels[0, :, 0:3], labels[0, :, 4:7], labels[0, :, 17:20] = 1, 2, 3
    labels[1, :, 0:3], labels[1, :, 4:7] = 1, 3
    spec = instances_spec(neighbour_radius=2.0, neighbours="mask_distance")
    near = neighbours(labels, 3, spec)
    np.testing.assert_array_equal(near, [[False, True, True], [True, False, False], [True, False, False]])


def test_one_instance_that_fills_a_frame_is_near_nothing():
    spec = instances_spec(neighbour_radius=5.0, neighbours="mask_distance")
    assert not neighbours(np.ones((1, 6, 6), np.intp), 1, spec).any()


def test_no_more_than_the_maximum_are_kept_and_neighbours_come_from_all():
    labels = np.zeros((1, 4, 40), np.uint16)
    for label in range(1, 11):
        labels[0, :, 4 * label - 4 : 4 * label] = label
    spec = instances_spec(maximum=3, neighbour_radius=1.0, neighbours="mask_distance")
    kept = set()
    for seed in range(30):
        masks = instance_masks(labels, spec, np.random.default_rng(seed))
        assert masks.shape == (1, 4, 40, 3)
        for channel in range(3):
            (own,) = set(labels[masks[..., channel] == 1].tolist())
            kept.add(own)
            near = set(labels[masks[..., channel] == 2].tolist())
            assert near == {own - 1, own + 1} & set(range(1, 11))
    assert kept == set(range(1, 11))


def test_no_instance_gives_empty_masks():
    assert not instance_masks(
        np.zeros((2, 5, 5), np.uint16), instances_spec(), np.random.default_rng(0)
    ).any()
