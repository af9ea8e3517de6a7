"""A trained network over a video, one frame at a time with the state carried on. Knows no clustering and no files.

The state starts at zero and is never reset, so memory and the one trace do not depend on the video's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.data.preprocessing import fit_frame, preprocess_frame
from cosembed.models import StackedHourglass
from cosembed.specs import ExperimentSpec


def prepare_frames(frames: Iterable[NDArray], spec: ExperimentSpec) -> Iterator[NDArray[np.float32]]:
    """Frames as the network sees them at test time.

    Args:
        frames: Arrays [H, W] or [H, W, C] in their native dtype.
        spec: Gives preprocessing and image size.

    Yields:
        float32 [N, N, C], about -1..1.
    """
    for frame in frames:
        yield fit_frame(preprocess_frame(frame, spec.preprocessing), spec.preprocessing, spec.network.image_size)


def embed_frames(model: StackedHourglass, images: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
    """Embeddings of the second hourglass, L2-normalised per pixel (paper section 2.1).

    Args:
        model: The trained network.
        images: float32 [N, N, C], in the order of time.

    Yields:
        float32 [N, N, D], unit length.
    """

    @tf.function(reduce_retracing=True)
    def step(image: tf.Tensor, states: list[tf.Tensor] | None) -> tuple[tf.Tensor, list[tf.Tensor]]:
        (_, embeddings), states = model.step(image[None], states)
        return tf.math.l2_normalize(embeddings[0], axis=-1, epsilon=1e-12), states

    states = None
    for image in images:
        embeddings, states = step(tf.convert_to_tensor(image), states)
        yield embeddings.numpy()
