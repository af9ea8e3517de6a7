"""Numbers and their nouns, and that no sentence of the package says "1 frames"."""

import re

import pytest

from cosembed.files.wording import counted
from tests.helpers.builders import ROOT


@pytest.mark.parametrize(("number", "words"), [(0, "0 frames"), (1, "1 frame"), (2, "2 frames")])
def test_one_is_singular(number, words):
    assert counted(number, "frame") == words


def test_counts_of_frames_channels_tracks_and_masks_are_worded_in_one_place():
    counts = re.compile(
        r"\{(len\([^}]*\)|[\w.\[\]'-]*(channels|frames|count))\} (frame|channel|track|mask|core)s"
    )
    # These are only said of more than one, or of too many.
    plural = {"{len(tracks)} tracks do not fit 16-bit masks"}
    found = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in sorted((ROOT / "cosembed").rglob("*.py"))
        for line in path.read_text().splitlines()
        if counts.search(line) and not any(words in line for words in plural)
    ]
    assert not found, found
