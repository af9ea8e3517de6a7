"""The device that computes, on machines whose GPUs and drivers TensorFlow is told of."""

import re

import pytest
import tensorflow as tf

from cosembed.errors import InputError
from cosembed.training import devices
from cosembed.training.devices import describe_device

# What TensorFlow 2.21 and 2.15 say of their builds.
CURRENT = ["sm_60", "sm_70", "sm_80", "sm_89", "compute_90"]
CLASSIC = ["sm_50", "sm_60", "sm_70", "sm_75", "compute_80"]


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """Makes a machine of GPUs {name: compute capability}; says which TensorFlow may see in the end."""
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    def make(gpus, built=CURRENT, driver=True, cuda=True):
        facts = {
            f"GPU:{number}": {"device_name": name, "compute_capability": capability}
            for number, (name, capability) in enumerate(gpus.items())
        }
        seen = list(facts)
        monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: seen if kind == "GPU" else [])
        monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind: seen)
        monkeypatch.setattr(tf.config.experimental, "get_device_details", facts.__getitem__)
        monkeypatch.setattr(
            tf.config, "set_visible_devices", lambda gpus, _: seen.__setitem__(slice(None), gpus)
        )
        build = {"is_cuda_build": cuda} | ({"cuda_compute_capabilities": built} if cuda else {})
        monkeypatch.setattr(tf.sysconfig, "get_build_info", lambda: build)
        monkeypatch.setattr(devices, "DRIVER", tmp_path / "nvidiactl")
        if driver:
            (tmp_path / "nvidiactl").touch()
        return seen

    return make


@pytest.mark.parametrize(
    ("built", "name", "capability"),
    [
        (CURRENT, "NVIDIA H100", (9, 0)),
        (CURRENT, "NVIDIA RTX 3090", (8, 6)),
        (CURRENT, "NVIDIA T4", (7, 5)),
        (CURRENT, "NVIDIA P100", (6, 0)),
        (CLASSIC, "NVIDIA RTX 4090", (8, 9)),
        (["sm_90", "compute_120"], "NVIDIA RTX 5090", (12, 0)),
    ],
)
def test_a_gpu_that_the_build_can_drive_is_used(machine, built, name, capability):
    machine({name: capability}, built)
    assert describe_device(require_gpu=True) == describe_device() == f"GPU, {name}"


@pytest.mark.parametrize(
    ("built", "name", "capability", "reason"),
    [
        (
            CURRENT,
            "NVIDIA B200",
            (10, 0),
            "NVIDIA B200 has compute capability 10.0, TensorFlow .* is built for 9.0 at most",
        ),
        (
            CURRENT,
            "NVIDIA RTX 5090",
            (12, 0),
            "12.0, TensorFlow .* is built for 9.0 at most: install a newer TensorFlow",
        ),
        (CLASSIC, "NVIDIA H100", (9, 0), "9.0, TensorFlow .* is built for 8.0 at most"),
        (CURRENT, "NVIDIA GTX 980", (5, 2), "5.2, TensorFlow .* needs 6.0 or newer: use a newer GPU"),
    ],
)
def test_a_gpu_too_new_or_too_old_is_hidden_from_tensorflow_and_the_reason_is_said(
    machine, built, name, capability, reason
):
    machine({name: capability}, built)
    with pytest.raises(InputError, match=f"^--require_gpu: .*{reason}.*or drop the flag$"):
        describe_device(require_gpu=True)
    seen = machine({name: capability}, built)
    assert re.match(rf"CPU, \d+ cores \(.*{reason}.*\)$", describe_device())
    assert seen == []


def test_of_several_gpus_those_that_fit_are_used(machine):
    seen = machine({"NVIDIA K80": (3, 7), "NVIDIA A100": (8, 0)})
    assert describe_device(require_gpu=True) == "GPU, NVIDIA A100"
    assert seen == ["GPU:1"]


def test_a_driver_without_cuda_libraries_names_the_packages(machine, monkeypatch):
    machine({})
    with pytest.raises(InputError, match=r"cannot load CUDA's libraries: run make setup GPU=1"):
        describe_device(require_gpu=True)
    assert "make setup GPU=1" in describe_device()
    # Who hides the GPU knows why.
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert "(" not in describe_device()


def test_a_tensorflow_without_cuda_is_named(machine):
    machine({}, cuda=False)
    with pytest.raises(
        InputError, match="is built without CUDA: install the package tensorflow, not tensorflow-cpu"
    ):
        describe_device(require_gpu=True)


def test_a_machine_without_driver_computes_on_the_cpu_and_says_nothing_of_gpus(machine):
    machine({}, driver=False)
    assert describe_device().endswith(" cores")
    with pytest.raises(
        InputError, match="--require_gpu: this machine has no NVIDIA GPU, or no driver for it"
    ):
        describe_device(require_gpu=True)


def test_a_gpu_that_cannot_be_started_is_one_sentence(machine, monkeypatch):
    machine({"NVIDIA A100": (8, 0)})

    def fail(_):
        raise tf.errors.InternalError(None, None, "cudaSetDevice() on GPU:0 failed. Status: out of memory")

    monkeypatch.setattr(tf.config, "list_logical_devices", fail)
    with pytest.raises(
        InputError, match=r"1 GPU cannot be started \(.*out of memory\): update NVIDIA's driver"
    ):
        describe_device()
