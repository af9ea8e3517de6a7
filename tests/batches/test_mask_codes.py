"""The masks of a clip survive their codes: against looking them up pixel by pixel."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from cosembed import specs
from cosembed.batches import mask_codes
from cosembed.batches.clips import ClipSource
from cosembed.batches.instances import instance_table
from cosembed.batches.mask_codes import encode_masks, pack_table, packed_words, table_rows, unpack_masks
from cosembed.errors import DataError
from tests.helpers.builders import make_sequence, moving_squares, small_spec

LABELS = hnp.arrays(np.uint16, (2, 5, 5), elements=st.sampled_from([0, 0, 1, 2, 9, 300]))


def spec_of(**changes):
    return dataclasses.replace(specs.resolve("simulated").instances, **changes)


@settings(max_examples=60, deadline=None)
@given(
    labels=LABELS,
    loss_masks=hnp.arrays(bool, (2, 5, 5)),
    complete=hnp.arrays(bool, 2),
    maximum=st.sampled_from([1, 3, 15, 16, 40]),
)
def test_codes_give_labels_instances_and_background_back(labels, loss_masks, complete, maximum):
    spec = spec_of(maximum=maximum, neighbour_radius=1.0)
    coded = encode_masks(labels, loss_masks, complete, spec, np.random.default_rng(1))
    np.testing.assert_array_equal(coded.labels[coded.codes], labels)
    table = instance_table(labels, spec, np.random.default_rng(1))
    background = np.zeros(labels.shape, np.uint8)
    for place in np.ndindex(labels.shape):
        if loss_masks[place] and complete[place[0]]:
            background[place] = 1 if labels[place] == 0 else 2
    rows = table_rows(len(coded.labels))
    packed = pack_table(coded.masks, rows)
    assert packed.shape == (rows, packed_words(maximum + 1)) and packed.dtype == np.int32
    found, last = unpack_masks(tf.constant(coded.codes[None]), tf.constant(packed[None]), maximum)
    np.testing.assert_array_equal(found[0], table.masks[table.rows])
    np.testing.assert_array_equal(last[0, ..., 0], background)


def test_every_clip_of_a_batch_is_unpacked_with_its_own_table():
    images, labels, _ = moving_squares(frames=8)
    spec = small_spec("training.batch_size=3")
    source = ClipSource([make_sequence(images, labels)], spec, 1)
    batch, clips = source.batch(0), source.clips(0)
    step = tf.function(lambda codes, table: unpack_masks(codes, table, spec.instances.maximum))
    instances, background = step(batch["codes"], batch["code_masks"])
    for number, clip in enumerate(clips):
        np.testing.assert_array_equal(instances[number], clip.instances)
        np.testing.assert_array_equal(background[number], clip.background)
        np.testing.assert_array_equal(batch["code_labels"][number][batch["codes"][number]], clip.labels)
    assert instances.dtype == background.dtype == tf.uint8


def test_unpacking_compiles_with_xla():
    images, labels, _ = moving_squares(frames=8)
    spec = small_spec()
    batch = ClipSource([make_sequence(images, labels)], spec, 1).batch(0)
    arguments = tf.constant(batch["codes"]), tf.constant(batch["code_masks"]), spec.instances.maximum
    compiled = tf.function(unpack_masks, jit_compile=True)(*arguments)
    for found, expected in zip(compiled, unpack_masks(*arguments), strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("instances", [1, 16, 17, 33])
def test_packing_takes_two_bits_an_instance(instances):
    masks = np.random.default_rng(0).integers(0, 3, (7, instances)).astype(np.uint8)
    packed = pack_table(masks, 8).view(np.uint32)
    for row, column in np.ndindex(masks.shape):
        word, place = divmod(column, 16)
        assert packed[row, word] >> 2 * place & 3 == masks[row, column]
    assert not packed[7].any()
    assert packed.size * 4 <= 8 * (instances / 4 + 4)


def test_a_batch_of_the_papers_size_takes_at_most_six_megabytes():
    images, labels, _ = moving_squares(frames=10)
    source = ClipSource([make_sequence(images, labels)], specs.resolve("DIC-C2DH-HeLa"), 1)
    batch = source.batch(0)
    assert batch["image"].shape == (1, 10, 256, 256, 1)
    assert sum(array.nbytes for array in batch.values()) <= 4e6


def test_labels_that_rows_cannot_number_are_refused(monkeypatch):
    monkeypatch.setattr(mask_codes, "MOST_ROWS", 8)
    labels = np.arange(5, dtype=np.uint16).reshape(1, 1, 5)
    everywhere, spec = np.ones(labels.shape, bool), spec_of()
    encode_masks(labels, everywhere, np.ones(1, bool), spec, np.random.default_rng(0))
    with pytest.raises(DataError, match="4 labels; 3 are the most"):
        encode_masks(labels, everywhere, np.zeros(1, bool), spec, np.random.default_rng(0))
