"""Threads work beside a loop: results come in order, the loop is never far ahead, and errors end all."""

import threading

import pytest

from cosembed.processes.threads import AHEAD, map_in_order


@pytest.mark.parametrize("workers", [0, 1, 3])
def test_results_come_in_the_order_of_the_items(workers):
    gate = threading.Barrier(workers) if workers > 1 else None

    def square(number):
        if gate is not None and number < workers:
            # All threads are at work before the first result.
            gate.wait(30)
        return number * number

    assert list(map_in_order(square, range(10), workers, "squares")) == [n * n for n in range(10)]


def test_items_are_made_only_a_few_ahead_of_the_results():
    made = []

    def items():
        for number in range(20):
            made.append(number)
            yield number

    results = map_in_order(lambda number: number, items(), 2, "ahead")
    for number in range(20):
        assert next(results) == number
        assert len(made) <= number + 2 * AHEAD + 1


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_of_a_thread_or_of_the_loop_ends_all_threads(workers):
    def broken(number):
        raise MemoryError("no room")

    def items():
        yield 1
        raise OSError("cannot be read")

    with pytest.raises(MemoryError):
        list(map_in_order(broken, range(30), workers, "failing"))
    with pytest.raises(OSError, match="cannot be read"):
        list(map_in_order(lambda number: number, items(), workers, "failing"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("failing")]
