"""Which device computes, said aloud, and how strictly. Knows nothing of networks."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import tensorflow as tf

from cosembed.errors import InputError
from cosembed.files.wording import counted
from cosembed.processes.cores import available_cores
from cosembed.training.execution import CompilerChoice

# There where NVIDIA's driver is loaded and its GPUs are within reach of this process.
DRIVER = Path("/dev/nvidiactl")


def make_deterministic() -> None:
    """Makes the same seed on the same machine give the same bits.

    TensorFlow then uses only operations whose sums have a fixed order.
    """
    tf.config.experimental.enable_op_determinism()


def compiles(choice: CompilerChoice) -> bool:
    """Says whether XLA compiles the training step: as chosen, and with `auto` where there is a GPU."""
    return bool(tf.config.list_logical_devices("GPU")) if choice == "auto" else choice == "on"


def choose_gpus() -> tuple[list[Any], str]:
    """Chooses the GPUs that TensorFlow's build can drive, and hides the others from it.

    Called before TensorFlow computes anything.

    Returns:
        The GPUs, and why there is one that is not used; empty if there is none.
    """
    gpus = tf.config.list_physical_devices("GPU")
    faults = {gpu: fault for gpu in gpus if (fault := _unfit(_details(gpu)))}
    usable = [gpu for gpu in gpus if gpu not in faults]
    if faults:
        tf.config.set_visible_devices(usable, "GPU")
    return usable, "; ".join(dict.fromkeys(faults.values()))


def describe_device(require_gpu: bool = False) -> str:
    """Starts the device: the GPUs of `choose_gpus`, otherwise the CPU.

    Returns:
        One phrase such as `GPU, NVIDIA A100` or `CPU, 2 cores`, with the reason where there is a GPU that is
        not used.

    Raises:
        InputError: `require_gpu` and no GPU can be used, or a GPU cannot be started.
    """
    usable, unfit = choose_gpus()
    if usable:
        _start(usable)
        return f"GPU, {', '.join(_name(_details(gpu)) for gpu in usable)}"
    why = unfit or _why_none()
    if require_gpu:
        raise InputError(
            f"--require_gpu: {why or 'this machine has no NVIDIA GPU, or no driver for it'}, or drop the flag"
        )
    cores = f"CPU, {counted(available_cores(), 'core')}"
    return f"{cores} ({why})" if why else cores


def _unfit(details: dict[str, Any]) -> str:
    """Says why TensorFlow's build has no program for a GPU.

    The answer is empty if it has one, or if TensorFlow does not say what the GPU is.

    A program for one compute capability runs on those of the same major number that are not older. A newer
    GPU would have every operation compiled at its first use, for half an hour and more; an older one cannot
    run any.
    """
    capability = details.get("compute_capability")
    built = sorted(
        _capability(name) for name in tf.sysconfig.get_build_info().get("cuda_compute_capabilities", [])
    )
    if (
        not capability
        or not built
        or any(major == capability[0] and minor <= capability[1] for major, minor in built)
    ):
        return ""
    known = f"{_name(details)} has compute capability {_dotted(capability)}"
    if tuple(capability) < built[0]:
        return f"{known}, TensorFlow {tf.__version__} needs {_dotted(built[0])} or newer: use a newer GPU"
    most = _dotted(built[-1])
    return f"{known}, TensorFlow {tf.__version__} is built for {most} at most: install a newer TensorFlow"


def _why_none() -> str:
    """Says why TensorFlow lists no GPU where there may be one; empty where nothing hints at one."""
    if not DRIVER.exists() or os.environ.get("CUDA_VISIBLE_DEVICES") in ("", "-1"):
        return ""
    if not tf.sysconfig.get_build_info().get("is_cuda_build"):
        return (
            f"TensorFlow {tf.__version__} is built without CUDA: "
            "install the package tensorflow, not tensorflow-cpu"
        )
    return (
        f"there is an NVIDIA driver, but TensorFlow {tf.__version__} cannot load CUDA's libraries: "
        "run make setup GPU=1, or pip install 'cosembed[gpu]', "
        "and see that the driver is not too old for them"
    )


def _start(gpus: list[Any]) -> None:
    try:
        tf.config.list_logical_devices("GPU")
    except (tf.errors.OpError, RuntimeError) as error:
        raise InputError(
            f"{len(gpus)} GPU cannot be started ({str(error).splitlines()[0]}): update NVIDIA's driver, "
            "see that no other program holds the GPU, or compute on the CPU with CUDA_VISIBLE_DEVICES=-1"
        ) from error


def _details(gpu: Any) -> dict[str, Any]:
    return tf.config.experimental.get_device_details(gpu)


def _name(details: dict[str, Any]) -> str:
    return details.get("device_name", "GPU")


def _capability(name: str) -> tuple[int, int]:
    """`sm_89` or `compute_120` -> (8, 9) or (12, 0)."""
    digits = "".join(filter(str.isdigit, name.partition("_")[2]))
    return int(digits[:-1]), int(digits[-1])


def _dotted(capability: tuple[int, int]) -> str:
    return ".".join(map(str, capability))
