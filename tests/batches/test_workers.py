"""Batches made by workers are those of the source, in its order; their memory does not grow."""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from cosembed.batches import workers
from cosembed.batches.clips import ClipSource
from cosembed.batches.pipeline import iterate_batches
from cosembed.batches.workers import WorkerBatchSource, batches_by_workers
from cosembed.errors import DataError
from cosembed.processes.pool import WorkerPool
from tests.batches.test_heart_clips import HeartClipSource, beating, spec_of
from tests.helpers.builders import make_sequence, moving_squares, small_spec

STOP = 8


class Numbers:
    """A source whose batches grow and shrink, and some of which cannot be made."""

    seed = 7

    def __init__(self, deadly=(), wrong=()):
        self.signature = {"number": ("int64", 1), "where": ("int64", 1)}
        self.deadly, self.wrong = deadly, wrong

    def batch(self, index):
        if index in self.deadly:
            os.kill(os.getpid(), signal.SIGKILL)
        if index in self.wrong:
            raise DataError(f"frame {index}: is damaged")
        has_tensorflow = int("tensorflow" in sys.modules)
        return {"number": np.full(1 + index % 5, index), "where": np.array([os.getpid(), has_tensorflow])}


def cells():
    images, labels, _ = moving_squares(frames=8)
    spec = small_spec("training.batch_size=2", recipe="released")
    return ClipSource([make_sequence(images, labels, segments=((0, 2), (2, 8)))], spec, 3)


def leaves():
    images, labels, _ = moving_squares(frames=3)
    plants = [
        make_sequence(image[None], label[None], name=str(number))
        for number, (image, label) in enumerate(zip(images, labels, strict=True))
    ]
    return ClipSource(plants, small_spec("training.clip_length=1", "training.batch_size=2"), 3)


def heart():
    return HeartClipSource([beating(), beating(patient="b")], spec_of("training.batch_size=3"), 5)


def same(first, second):
    return first.keys() == second.keys() and all(
        first[name].dtype == second[name].dtype and np.array_equal(first[name], second[name])
        for name in first
    )


@pytest.mark.parametrize("make", [cells, leaves, heart])
def test_batches_are_those_of_the_source_in_its_order(make):
    expected = [make().batch(index) for index in range(STOP)]
    for count in (1, 3):
        with batches_by_workers(make(), count, STOP) as source:
            assert source.seed == make().seed and source.signature == make().signature
            for index in range(STOP):
                assert same(source.batch(index), expected[index])
            # A pipeline that begins anywhere gets the batch of its step.
            for index in (5, 2, 3, STOP):
                assert same(source.batch(index), make().batch(index))


def test_workers_make_them_beside_this_process_without_tensorflow():
    with batches_by_workers(Numbers(), 2, 20) as source:
        batches = list(iterate_batches(source, 0, 20))
    assert [int(batch["number"][0]) for batch in batches] == list(range(20))
    assert all(batch["number"].shape == (1 + index % 5,) for index, batch in enumerate(batches))
    processes = {int(batch["where"][0]) for batch in batches}
    assert os.getpid() not in processes and len(processes) == 2
    assert not any(int(batch["where"][1]) for batch in batches)


def test_without_workers_the_source_is_its_own():
    source = Numbers()
    with batches_by_workers(source, 0, 5) as found:
        assert found is source


def test_a_killed_worker_costs_no_batch():
    with batches_by_workers(Numbers(), 2, 30) as source:
        seen = []
        for index in range(30):
            batch = source.batch(index)
            seen.append(int(batch["number"][0]))
            if index in (3, 4, 11):
                os.kill(int(batch["where"][0]), signal.SIGKILL)
    assert seen == list(range(30))


def test_a_batch_that_kills_its_workers_is_named():
    with batches_by_workers(Numbers(deadly=(3,)), 2, 6) as source:
        assert [int(source.batch(index)["number"][0]) for index in range(3)] == [0, 1, 2]
        with pytest.raises(DataError, match=r"clip 3, seed 7: 3 worker processes died while they made it"):
            source.batch(3)


@pytest.mark.parametrize("count", [0, 2])
def test_errors_of_the_source_keep_their_class_and_words_and_nothing_else_is_said(count, capfd):
    with batches_by_workers(Numbers(wrong=(4,)), count, 9) as source:
        seen = []
        with pytest.raises(DataError, match=r"^frame 4: is damaged$"):
            seen.extend(int(batch["number"][0]) for batch in iterate_batches(source, 2, 9))
    assert seen == [2, 3]
    assert capfd.readouterr().err == ""


def test_any_executor_can_take_the_place_of_the_workers():
    with ThreadPoolExecutor(2) as executor:
        source = WorkerBatchSource(Numbers(), executor, 3, 10)
        batches = [source.batch(index) for index in range(10)]
    source.close()
    assert [int(batch["number"][0]) for batch in batches] == list(range(10))
    assert {int(batch["where"][0]) for batch in batches} == {os.getpid()}


def test_no_more_is_made_ahead_than_there_are_slots_and_nothing_beyond_the_end():
    made = []

    class Noting(ThreadPoolExecutor):
        def submit(self, function, shared, slot, index):
            made.append(index)
            return super().submit(function, shared, slot, index)

    with Noting(1) as executor:
        source = WorkerBatchSource(Numbers(), executor, 2, 4)
        source.batch(0)
        assert made == [0, 1, 2]
        for index in range(1, 4):
            source.batch(index)
        assert made == [0, 1, 2, 3]
    source.close()


def test_memory_and_descriptors_do_not_grow():
    def held(source):
        sizes = sum(os.fstat(slot.file.descriptor).st_size for slot in source._slots)
        return sizes, len(list(Path("/proc/self/fd").iterdir()))

    with batches_by_workers(cells(), 1, 200) as source:
        for index in range(20):
            source.batch(index)
        early = held(source)
        for index in range(20, 60):
            source.batch(index)
        assert held(source) == early
        assert len(source._ordered) <= workers.SLOTS
    before = len(list(Path("/proc/self/fd").iterdir()))
    with batches_by_workers(Numbers(), 2, 4) as source:
        source.batch(0)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize("name", ["WorkerPool", "share"])
def test_where_processes_cannot_share_memory_the_source_is_its_own_and_the_log_says_so(
    name, monkeypatch, caplog
):
    def refuse(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(workers, name, refuse)
    source = Numbers()
    with caplog.at_level("WARNING"), batches_by_workers(source, 2, 4) as found:
        assert found is source
    assert "batches are made in the training process" in caplog.text
    assert "No space left on device" in caplog.text


def test_the_pool_can_be_used_for_other_work_too():
    with WorkerPool(1) as pool:
        source = WorkerBatchSource(Numbers(), pool, 2, 3)
        other = pool.submit(abs, -3)
        assert int(source.batch(0)["number"][0]) == 0 and other.result() == 3
    source.close()
