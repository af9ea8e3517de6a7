"""The line about progress says which share of the time the data were waited for."""

import logging

from cosembed.training.progress import Progress


def test_a_line_tells_the_share_of_waiting_since_the_line_before(caplog):
    with caplog.at_level(logging.INFO), Progress(40, 0, "train") as progress:
        for step, waited in enumerate((0.5, 0.1, 0.0, 0.0), start=1):
            progress.update(step, 1.0, 1.0, waited)
    assert [record.getMessage().partition(", ")[2] for record in caplog.records] == [
        "loss 1.0000, 1.00 s a step, 30 % of it waiting for data, about 1 min left",
        "loss 1.0000, 1.00 s a step, 0 % of it waiting for data, about 1 min left",
    ]
