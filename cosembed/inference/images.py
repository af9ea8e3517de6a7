"""A trained network on single images and on heartbeats: everything between pixels and a label image.

Knows no files.

Videos of instances go another way, through `cosembed.inference.video`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from cosembed.clustering import choose_background, cluster_pair
from cosembed.datasets.heart.slices import HeartSlice
from cosembed.inference.stepper import FrameStepper, prepare_frames
from cosembed.preprocessing.geometry import frame_grid, inverse, resample_linear, shape_of_test
from cosembed.specs import HeartSpec, LeavesSpec, UpsamplingSpec
from cosembed.tracking.upsample import upsample_labels

# The released code for still images smooths nothing when it enlarges labels.
UNSMOOTHED = UpsamplingSpec(method="nearest_gaussian", sigma=0.0)


def segment_image(stepper: FrameStepper, image: NDArray, spec: LeavesSpec) -> NDArray[np.uint16]:
    """The instances of a still image (paper section 2.3, for one frame).

    Args:
        stepper: Of the trained network, normalising.
        image: [H, W, C], any numeric dtype.
        spec: Preprocessing and clustering.

    Returns:
        uint16 [H, W]; 0 is background.
    """
    (embedding,) = stepper(prepare_frames([image], spec))
    still = embedding[None]
    (labels,) = cluster_pair(still, choose_background(still, spec.clustering), spec.clustering)
    height, width = image.shape[:2]
    grid = frame_grid((height, width), spec.preprocessing, shape_of_test((height, width), spec))
    return upsample_labels(labels.astype(np.uint16), grid, (height, width), UNSMOOTHED)


def segment_cycle(stepper: FrameStepper, cine: HeartSlice, spec: HeartSpec) -> dict[str, NDArray[np.uint8]]:
    """The classes of every frame of a heartbeat, from logits enlarged linearly.

    Args:
        stepper: Of the trained network, not normalising.
        cine: Frames [T, H, W].
        spec: Preprocessing; whether the network is recurrent.

    Returns:
        uint8 [T, H, W] by name: `warmed`, for a recurrent network after one heartbeat that warms its state,
        whose own result is `unwarmed`.
    """
    height, width = cine.frames.shape[1:3]
    to_image = inverse(frame_grid((height, width), spec.preprocessing, shape_of_test((height, width), spec)))
    images = list(prepare_frames(cine.frames, spec))
    cycles = 2 if spec.network.recurrent else 1
    classes = [
        resample_linear(logits, to_image, (height, width)).argmax(axis=-1)
        for logits in stepper(images * cycles)
    ]
    parts = np.stack(classes).astype(np.uint8).reshape(cycles, len(images), height, width)
    return {"warmed": parts[-1]} | ({"unwarmed": parts[0]} if spec.network.recurrent else {})
