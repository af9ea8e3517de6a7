"""Tables of cells and lineages say what becomes of cells, in pixels and in units."""

import csv
import math
from collections.abc import Iterable

import pytest

from cosembed.datasets.ctc.track_table import Track
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.tracking.cell_tables import Life, cells_table, describe_lives, lineages_table
from cosembed.tracking.regions import Region, Shape

# 1 divides in frame 3 into 2 and 3. 3 is continued by 4 alone, after a gap, which divides in frame 9. 5 and 6
# come from it; 7 comes from nowhere.
TRACKS = [
    Track(1, 1, 2, 0),
    Track(2, 3, 5, 1),
    Track(3, 3, 4, 1),
    Track(4, 6, 8, 3),
    Track(5, 9, 10, 4),
    Track(6, 9, 9, 4),
    Track(7, 4, 10, 0),
]
FRAMES = range(1, 11)
REGIONS = {
    track.label: {
        frame: Region(10.0 * track.label + 3 * frame, 4.0 * frame, 20 + frame)
        for frame in range(track.begin, track.end + 1)
    }
    for track in TRACKS
}
SHAPES = {
    label: {frame: Shape(16.5, 0.5, 100 + frame) for frame in regions} for label, regions in REGIONS.items()
}
FIRST = ["label", "parent", "frame", "y", "x", "area"]
CELLS = [*FIRST, "perimeter", "eccentricity", "mean_intensity", "speed", "generation", "division_time"]
LINEAGES = [
    "label",
    "parent",
    "daughters",
    "generation",
    "birth",
    "death",
    "fate",
    "division_time",
    "path_length",
]


def read(lines: Iterable[str]) -> tuple[list[str], list[dict[str, str]]]:
    reader = csv.DictReader(lines)
    rows = list(reader)
    return list(reader.fieldnames), rows


def test_lives_are_followed_through_divisions_and_continuations():
    assert describe_lives(TRACKS, 10) == {
        1: Life((2, 3), 0, None, "divides"),
        2: Life((), 1, None, "disappears"),
        3: Life((4,), 1, None, "continues"),
        4: Life((5, 6), 1, 6, "divides"),
        5: Life((), 2, None, "video_ends"),
        6: Life((), 2, None, "disappears"),
        7: Life((), 0, None, "video_ends"),
    }
    assert describe_lives([], 10) == {}


def test_columns_of_before_come_first_and_those_in_units_only_where_units_are_known():
    for calibration, more in (
        (UNKNOWN, []),
        (Calibration(0.5), ["y_um", "x_um", "area_um2", "perimeter_um"]),
        (Calibration(None, 5), ["time_min", "division_time_min"]),
        (
            Calibration(0.5, 5),
            ["y_um", "x_um", "area_um2", "perimeter_um", "time_min", "division_time_min", "speed_um_per_min"],
        ),
    ):
        names, rows = read(cells_table(TRACKS, REGIONS, SHAPES, FRAMES, calibration))
        assert names == CELLS + more and len(rows) == sum(len(regions) for regions in REGIONS.values())
    for calibration, more in (
        (UNKNOWN, []),
        (Calibration(0.5), ["path_length_um"]),
        (Calibration(0.5, 5), ["birth_min", "death_min", "division_time_min", "path_length_um"]),
    ):
        names, rows = read(lineages_table(TRACKS, REGIONS, FRAMES, calibration))
        assert names == LINEAGES + more and [int(row["label"]) for row in rows] == list(range(1, 8))


def test_rows_of_cells_hold_pixels_and_units():
    _, rows = read(cells_table(TRACKS, REGIONS, SHAPES, FRAMES, Calibration(0.5, 5)))
    by_place = {(int(row["label"]), int(row["frame"])): row for row in rows}
    assert list(by_place) == sorted(by_place)
    first, second = by_place[4, 6], by_place[4, 7]
    assert (first["y"], first["x"], first["area"], first["parent"]) == ("58.00", "24.00", "26", "3")
    # From the frame before: 3 pixels down and 4 to the right, of 0.5 micrometres in 5 minutes.
    assert first["speed"] == first["speed_um_per_min"] == ""
    assert (float(second["speed"]), float(second["speed_um_per_min"])) == (5, 0.5)
    assert (second["generation"], second["division_time"], second["division_time_min"]) == ("1", "6", "30")
    assert (float(second["y_um"]), float(second["x_um"])) == (30.5, 14)
    assert (float(second["area_um2"]), float(second["perimeter_um"])) == (27 / 4, 8.25)
    assert (second["time_min"], by_place[1, 1]["time_min"]) == ("30", "0")
    assert float(second["mean_intensity"]) == 107 and float(second["eccentricity"]) == 0.5


def test_rows_of_lineages_hold_pixels_and_units():
    _, rows = read(lineages_table(TRACKS, REGIONS, FRAMES, Calibration(0.5, 5)))
    assert dict(rows[3]) == {
        "label": "4",
        "parent": "3",
        "daughters": "5 6",
        "generation": "1",
        "birth": "6",
        "death": "8",
        "fate": "divides",
        "division_time": "6",
        "path_length": "10",
        "birth_min": "25",
        "death_min": "35",
        "division_time_min": "30",
        "path_length_um": "5",
    }
    assert rows[5]["path_length"] == "0" and rows[5]["daughters"] == rows[5]["division_time"] == ""


def test_a_mean_that_is_not_known_is_empty():
    shapes = {
        label: {frame: shape._replace(mean_intensity=math.nan) for frame, shape in found.items()}
        for label, found in SHAPES.items()
    }
    _, rows = read(cells_table(TRACKS, REGIONS, shapes, FRAMES))
    assert {row["mean_intensity"] for row in rows} == {""}


@pytest.mark.parametrize("calibration", [UNKNOWN, Calibration(0.5, 5)])
def test_without_cells_there_is_a_heading(calibration):
    assert len(read(cells_table([], {}, {}, FRAMES, calibration))[0]) > 6
    assert len(list(lineages_table([], {}, FRAMES, calibration))) == 1
