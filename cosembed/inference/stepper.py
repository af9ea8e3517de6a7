"""Runs a trained network over a video, one frame at a time, with the state carried on.

This module knows no clustering and no files. The state starts at zero and is never reset, so that memory and
the one trace do not depend on the video's length.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from cosembed.models import StackedHourglass
from cosembed.models.stacked_hourglass import States
from cosembed.preprocessing.frames import preprocess_frame
from cosembed.preprocessing.geometry import fit_frame, shape_of_test
from cosembed.specs import TrainedSpec


def prepare_frames(frames: Iterable[NDArray], spec: TrainedSpec) -> Iterator[NDArray[np.float32]]:
    """Prepares frames as the network sees them at test time.

    Args:
        frames: Arrays [H, W] or [H, W, C] in their native dtype.
        spec: Gives preprocessing and size.

    Yields:
        float32 [h, w, C], about -1..1; the network's square, or all of what is cut into tiles.
    """
    for frame in frames:
        image = preprocess_frame(frame, spec.preprocessing)
        yield fit_frame(image, spec.preprocessing, shape_of_test((image.shape[0], image.shape[1]), spec))


class FrameStepper:
    """Runs a network frame by frame; one trace serves every video of one image size.

    Args:
        model: The trained network.
        normalise: L2-normalise the second hourglass's output (embeddings, paper section 2.1), or leave it raw
            (logits).
    """

    def __init__(self, model: StackedHourglass, *, normalise: bool = True) -> None:
        def step(image: tf.Tensor, states: States) -> tuple[tf.Tensor, States]:
            (_, output), states = model.step(image[None], states)
            return tf.math.l2_normalize(output[0], axis=-1, epsilon=1e-12) if normalise else output[0], states

        self._model = model
        # The step has no control flow on tensors, and tracing with AutoGraph takes about twice as long.
        self._step = tf.function(step, autograph=False)

    def __call__(self, images: Iterable[NDArray[np.float32]]) -> Iterator[NDArray[np.float32]]:
        """Runs the network over the frames of one video, whose state begins at zero and is carried on.

        Args:
            images: float32 [N, N, C], in the order of time.

        Yields:
            float32 [N, N, D].
        """
        states: States = []
        for image in images:
            states = states or self._model.zero_states(1, *image.shape[:2])
            output, states = self._step(tf.convert_to_tensor(image), states)
            yield output.numpy()
