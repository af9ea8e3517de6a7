"""A choice goes through plain values, as they are written into the files of shards, and back."""

import json

import pytest

from cosembed.video_job.choice import Choice


@pytest.mark.parametrize(
    "choice", [Choice({}, ""), Choice({"inference.scale": 0.123}, "They are tracked in tiles.")]
)
def test_a_choice_comes_back_from_plain_values(choice):
    assert Choice.from_mapping(json.loads(json.dumps(choice.as_mapping()))) == choice


@pytest.mark.parametrize("values", [{}, {"settings": {}}, {"settings": 3, "reason": ""}])
def test_other_values_are_refused(values):
    with pytest.raises((KeyError, TypeError)):
        Choice.from_mapping(values)
