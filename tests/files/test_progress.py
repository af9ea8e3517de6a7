"""Without a terminal, a line of the log says now and then what is done and how much time is left."""

import logging

import pytest
from absl.logging import get_absl_logger

from cosembed.files import progress


@pytest.mark.parametrize(("seconds", "left"), [(2, "6 s"), (60, "3 min"), (3600, "3.0 h")])
def test_a_line_says_what_is_done_and_how_much_time_is_left(monkeypatch, caplog, seconds, left):
    """One of four tiles took so long."""
    times = iter([0.0, *(seconds * (number + 1.0) for number in range(20))])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(progress, "_can_draw", lambda: False)
    monkeypatch.setattr(progress, "SECONDS", 1)
    logger = get_absl_logger()
    monkeypatch.setattr(logger, "propagate", True)
    with caplog.at_level(logging.INFO, logger=logger.name):
        passed = progress.with_progress(range(4), 4, "tracking", "tile")
        assert [next(passed), next(passed)] == [0, 1]
    assert caplog.messages == [f"tracking: tile 1 of 4, about {left} left"]
