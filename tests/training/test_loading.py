"""The number of workers: by cores, device and memory, or what was asked for if it can be."""

import os

import pytest

from cosembed.errors import InputError
from cosembed.training import loading
from cosembed.training.loading import WORKER_BYTES, choose_workers


@pytest.fixture
def machine(monkeypatch):
    def build(cores, workers_of_memory):
        memory = None if workers_of_memory is None else workers_of_memory * WORKER_BYTES + 5
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(cores)))
        monkeypatch.setattr(loading, "available_memory", lambda: memory)

    return build


@pytest.mark.parametrize(
    ("cores", "memory", "on_gpu", "augment", "expected"),
    [
        (16, 1000, True, "simpleitk", 14),
        (16, None, True, "simpleitk", 14),
        (16, 3, True, "simpleitk", 3),
        (16, 0, True, "simpleitk", 0),
        (1, 1000, True, "simpleitk", 1),
        (256, 1000, True, "simpleitk", 16),
        (16, 1000, False, "simpleitk", 0),
        (16, 1000, True, "graph", 0),
    ],
)
def test_the_default_goes_by_cores_device_and_memory(machine, cores, memory, on_gpu, augment, expected):
    machine(cores, memory)
    assert choose_workers(None, on_gpu, augment) == expected


def test_what_is_asked_for_is_taken(machine):
    machine(2, 5)
    assert [choose_workers(count, False, "simpleitk") for count in (0, 1, 5)] == [0, 1, 5]
    assert choose_workers(0, True, "graph") == 0


def test_what_cannot_be_is_refused_in_one_sentence(machine):
    machine(2, 5)
    with pytest.raises(
        InputError, match=r"^--workers=6: a worker takes 150 MB, but there is memory for 5 workers"
    ):
        choose_workers(6, True, "simpleitk")
    with pytest.raises(InputError, match=r"^--workers=-1: choose 0 "):
        choose_workers(-1, True, "simpleitk")
    with pytest.raises(InputError, match=r"^--workers=2: --augment=graph needs no workers"):
        choose_workers(2, True, "graph")
