"""A source of batches as a tf.data pipeline that can start at any index. Knows no images and no augmentation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf

PREFETCHED = 4
# Name -> (dtype, rank).
BatchSignature = Mapping[str, tuple[str, int]]


class BatchSource(Protocol):
    """Makes the batch of every step; everything about batch i is a function of (seed, i).

    Attributes:
        seed: Of every batch.
        signature: The arrays of a batch.
    """

    seed: int
    signature: BatchSignature

    def batch(self, index: int) -> Mapping[str, NDArray]:
        """The batch of step `index`, counted from 0."""


def stack_arrays(arrays: Sequence[NDArray]) -> NDArray:
    """As `np.stack`, without a copy of a batch's only element."""
    return np.stack(arrays) if len(arrays) > 1 else arrays[0][None]


def batch_dataset(source: BatchSource, start: int, stop: int) -> tf.data.Dataset:
    """The batches of steps `start` to `stop` (excluded), in order; it may start anywhere and gives the same batches."""
    import tensorflow as tf

    signature = source.signature

    def make(index: NDArray[np.int64]) -> list[NDArray]:
        batch = source.batch(int(index))
        return [batch[name] for name in signature]

    def load(index: tf.Tensor) -> dict[str, tf.Tensor]:
        tensors = tf.numpy_function(make, [index], [dtype for dtype, _ in signature.values()], stateful=False)
        for tensor, (_, rank) in zip(tensors, signature.values(), strict=True):
            tensor.set_shape([None] * rank)
        return dict(zip(signature, tensors, strict=True))

    return (
        tf.data.Dataset.range(start, stop)
        .map(load, num_parallel_calls=1, deterministic=True)
        .prefetch(PREFETCHED)
    )
