"""Codes the masks of a clip as one number a pixel and a short table, and decodes them.

All pixels of one label belong to the same instances, so the masks of a clip are a table with a row for each
label, looked up by every pixel. What travels to the training step is the number of the row, `codes`, and the
table: two bits an instance, `OWN`, `NEIGHBOUR` or neither. At the paper's size that is 1.3 MB a clip, however
many instances there are, where the masks themselves take 21 MB. Knows label images only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from cosembed.batches.instances import instance_table
from cosembed.errors import DataError
from cosembed.preprocessing.label_values import NEIGHBOUR, OWN
from cosembed.specs import InstancesSpec

if TYPE_CHECKING:
    import tensorflow as tf

# Tables have a multiple of so many rows: a compiled step is compiled again for another number of rows.
ROWS = 256
# Instances in one int32 of the table, from the lowest bits on.
INSTANCES_PER_WORD = 16
MOST_ROWS = 2**16


class MaskCodes(NamedTuple):
    """Holds the labels and masks of a clip.

    Attributes:
        codes: uint16 [T, N, N]; the row of every pixel in the tables.
        labels: uint16 [R]; the label of a row.
        masks: uint8 [R, I + 1]; `OWN` or `NEIGHBOUR` of each instance, 0 for neither; the last column is the
            background's, an instance whose neighbours are all foreground pixels, and 0 where there is no
            loss.
    """

    codes: NDArray[np.uint16]
    labels: NDArray[np.uint16]
    masks: NDArray[np.uint8]


def encode_masks(
    labels: NDArray[np.uint16],
    loss_masks: NDArray[np.bool_],
    complete: NDArray[np.bool_],
    spec: InstancesSpec,
    generator: np.random.Generator,
) -> MaskCodes:
    """Makes the masks of a clip: of its instances and of its background.

    Args:
        labels: uint16 [T, N, N].
        loss_masks: bool [T, N, N]; True where the truth is reliable.
        complete: bool [T]; True for frames in which every instance is segmented.
        spec: Gives the radius and the rule of neighbourhood, and the maximum number of instances.
        generator: Chooses the instances.

    Raises:
        DataError: There are more labels than numbers of rows.
    """
    table = instance_table(labels, spec, generator)
    codes, count = table.rows, len(table.labels)
    background = np.where(table.labels == 0, np.uint8(OWN), np.uint8(NEIGHBOUR))
    row_labels, masks = table.labels, np.column_stack([table.masks, background])
    is_counted = loss_masks & complete[:, None, None]
    if not is_counted.all():
        # A label has a second row for pixels where the background has no loss.
        if 2 * count > MOST_ROWS:
            raise DataError(f"a clip shows {count - 1} labels; {MOST_ROWS // 2 - 1} are the most")
        codes = np.where(is_counted, codes, codes + np.uint16(count))
        row_labels = np.concatenate([row_labels, row_labels])
        masks = np.concatenate([masks, np.column_stack([table.masks, np.zeros_like(background)])])
    return MaskCodes(codes, row_labels, masks)


def pack_table(masks: NDArray[np.uint8], rows: int) -> NDArray[np.int32]:
    """Packs a table of masks, two bits an instance.

    Args:
        masks: uint8 [R, I]: values 0 to 3.
        rows: The number of rows of the result; those beyond R are 0.

    Returns:
        int32 [rows, W] with W = `packed_words(I)`.
    """
    words = packed_words(masks.shape[1])
    padded = np.zeros((rows, words, INSTANCES_PER_WORD), np.uint32)
    padded.reshape(rows, -1)[: len(masks), : masks.shape[1]] = masks
    shifts = np.arange(0, 2 * INSTANCES_PER_WORD, 2, dtype=np.uint32)
    return np.bitwise_or.reduce(padded << shifts, axis=-1).view(np.int32)


def packed_words(instances: int) -> int:
    """Counts the int32 that hold so many instances."""
    return -(-instances // INSTANCES_PER_WORD)


def table_rows(count: int) -> int:
    """Rounds the number of rows of a table up."""
    return -(-count // ROWS) * ROWS


def unpack_masks(codes: tf.Tensor, table: tf.Tensor, instances: int) -> tuple[tf.Tensor, tf.Tensor]:
    """Makes the masks of a batch from their codes, as part of a graph.

    Args:
        codes: uint16 [B, T, N, N].
        table: int32 [B, R, W], packed by `pack_table`.
        instances: The number I of instances, without the background.

    Returns:
        Masks of the instances, uint8 [B, T, N, N, I], and of the background, uint8 [B, T, N, N, 1].
    """
    import tensorflow as tf

    # Gathered as int32 and shifted as uint8, of which there are kernels on every device.
    words = tf.gather(table, tf.cast(codes, tf.int32), batch_dims=1)
    octets = tf.bitcast(words, tf.uint8)
    pairs = tf.bitwise.right_shift(octets[..., None], tf.constant([0, 2, 4, 6], tf.uint8))
    masks = tf.bitwise.bitwise_and(pairs, tf.constant(3, tf.uint8))
    columns = INSTANCES_PER_WORD * table.shape[-1]
    masks = tf.reshape(masks, tf.concat([tf.shape(codes), [columns]], axis=0))
    return masks[..., :instances], masks[..., instances : instances + 1]
