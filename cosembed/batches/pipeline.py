"""Wraps a source of batches into a tf.data pipeline that can start at any step.

Knows no images and no augmentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import tensorflow as tf

# So many batches are made ahead of the training step.
PREFETCHED = 4
# The arrays of a batch: name -> dtype and number of axes.
BatchSignature = Mapping[str, tuple[str, int]]


class BatchSource(Protocol):
    """Makes the batch of every step; everything about batch i is a function of (seed, i).

    Attributes:
        seed: Decides, with the number of a step, what is drawn for it.
        signature: Which arrays a batch holds.
    """

    seed: int
    signature: BatchSignature

    def batch(self, index: int) -> Mapping[str, NDArray]:
        """Makes the batch of step `index`, counted from 0."""


def stack_arrays(arrays: Sequence[NDArray]) -> NDArray:
    """Stacks arrays along a new first axis as `np.stack` does, but copies nothing where there is only one."""
    return np.stack(arrays) if len(arrays) > 1 else arrays[0][None]


def iterate_batches(source: BatchSource, start: int, stop: int) -> Iterator[dict[str, tf.Tensor]]:
    """Yields the batches of steps `start` to `stop` (excluded), in order, made ahead in another thread.

    Raises:
        Exception: What the source raises.
    """
    faults: dict[int, BaseException] = {}
    for index, batch in enumerate(batch_dataset(source, start, stop, faults), start):
        if index in faults:
            raise faults[index]
        yield batch


def batch_dataset(
    source: BatchSource, start: int, stop: int, faults: dict[int, BaseException] | None = None
) -> tf.data.Dataset:
    """Makes a pipeline of the batches of steps `start` to `stop` (excluded), in order.

    The batch of a step is the same wherever the pipeline starts.

    Args:
        source: Makes the batches.
        start: The first step, counted from 0.
        stop: The step after the last.
        faults: Receives what the source raises, by step; the pipeline then gives empty batches from this step
            on, for TensorFlow would hide the error's class and words behind its own. None: it is raised.
    """
    import tensorflow as tf

    signature = source.signature
    nothing = {name: np.zeros([0] * rank, dtype) for name, (dtype, rank) in signature.items()}

    def make(index: NDArray[np.int64]) -> list[NDArray]:
        try:
            batch = source.batch(int(index)) if not faults else nothing
        except BaseException as error:
            if faults is None:
                raise
            faults[int(index)], batch = error, nothing
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
