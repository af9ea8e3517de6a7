"""Says which device computes, and makes it compute the same every time. Knows nothing of networks."""

from __future__ import annotations

import os

import tensorflow as tf

from cosembed.errors import InputError


def make_deterministic() -> None:
    """Makes the same seed on the same machine give the same bits.

    TensorFlow then uses only operations whose sums have a fixed order.
    """
    tf.config.experimental.enable_op_determinism()


def describe_device(require_gpu: bool = False) -> str:
    """Names the device in a phrase, such as `CPU, 2 cores` or `GPU, NVIDIA A100`.

    Raises:
        InputError: `require_gpu` and TensorFlow sees none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    if gpus:
        names = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name) for gpu in gpus]
        return f"GPU, {', '.join(names)}"
    if require_gpu:
        raise InputError("--require_gpu: TensorFlow sees no GPU; install its CUDA libraries or drop the flag")
    return f"CPU, {len(os.sched_getaffinity(0))} cores"
