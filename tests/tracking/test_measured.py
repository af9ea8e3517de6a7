"""What was measured of cells is found by label and frame, as in dictionaries."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed.tracking.measured import collect
from cosembed.tracking.regions import Region, region_columns

frames_of_cells = st.lists(st.sets(st.integers(1, 65535), max_size=5).map(sorted), min_size=1, max_size=6)


@given(frames_of_cells, st.integers(0, 9))
def test_rows_are_found_as_in_dictionaries(frames, first):
    expected, columns = {}, []
    for frame, labels in enumerate(frames, start=first):
        _, regions = region_columns(np.array([labels], np.uint16) if labels else np.zeros((1, 1), np.uint16))
        columns.append(regions)
        for place, label in enumerate(labels):
            expected.setdefault(label, {})[frame] = Region(0.0, float(place), 1)
    labels = [np.array(present, np.int32) for present in frames]
    found = collect(Region, range(len(frames)), labels, columns).numbered_from(first)
    assert dict(found) == expected and len(found) == len(expected)
    assert all(list(rows) == sorted(rows) for rows in found.values())
    assert all(found.at(label, frame) == row for label in expected for frame, row in expected[label].items())
    assert all(type(row.area) is int for rows in found.values() for row in rows.values())
    with pytest.raises(KeyError):
        found[70000]
