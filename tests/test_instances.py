"""Instance, neighbour and background masks against brute force."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed import specs
from cosembed.data.instances import background_mask, instance_masks, neighbours

LABELS = hnp.arrays(np.uint16, (2, 9, 9), elements=st.sampled_from([0, 0, 0, 1, 2, 3, 7]))


def instances_spec(**changes):
    return dataclasses.replace(specs.resolve("simulated").instances, **changes)


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
    assert not instance_masks(np.zeros((2, 5, 5), np.uint16), instances_spec(), np.random.default_rng(0)).any()


def test_background_counts_in_complete_frames_inside_the_loss_mask_only():
    labels = np.array([[[0, 1], [2, 0]]] * 2, np.uint16)
    loss_mask = np.array([[True, True], [True, False]])
    masks = background_mask(labels, loss_mask, np.array([True, False]))
    np.testing.assert_array_equal(masks[..., 0], [[[1, 2], [2, 0]], [[0, 0], [0, 0]]])
