"""Makes the tables of cells and of lineages, tracks.csv and lineages.csv, in pixels and in units.

Frames are counted in the video's own numbering. What is not known, or does not exist, is empty. Columns in
micrometres and minutes follow those in pixels and frames, and are there only where the units are known.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cosembed.datasets.ctc.track_table import Track
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.tracking.regions import Region, Shape

# A track ends where its cell divides, where another track alone continues it, with the video, or before.
DIVIDES, CONTINUES, VIDEO_ENDS, DISAPPEARS = "divides", "continues", "video_ends", "disappears"
Value = float | int | str | None
Regions = Mapping[int, Mapping[int, Region]]


@dataclass(frozen=True)
class Life:
    """Says what became of a track.

    Attributes:
        daughters: The labels of the tracks whose parent it is.
        generation: How many divisions lie before it in the video.
        division_time: Frames from the division that it came from to its own; None if either is not seen. A
            track that alone continues another one counts from the division before that.
        fate: `divides`, `continues`, `video_ends` or `disappears`.
    """

    daughters: tuple[int, ...]
    generation: int
    division_time: int | None
    fate: str


def describe_lives(tracks: Sequence[Track], last_frame: int) -> dict[int, Life]:
    """Follows all lineages: label -> what became of the track.

    Args:
        tracks: A valid table: parents end before their daughters begin.
        last_frame: The number of the video's last frame.
    """
    by_label = {track.label: track for track in tracks}
    daughters: dict[int, list[int]] = defaultdict(list)
    for track in sorted(tracks):
        daughters[track.parent].append(track.label)
    lives: dict[int, Life] = {}
    # The frame of the division that a track came from; None if it was not seen.
    born: dict[int, int | None] = {}
    for track in sorted(tracks, key=lambda track: track.begin):
        own = tuple(daughters.get(track.label, ()))
        generation, born[track.label] = 0, None
        if track.parent:
            divided = len(daughters[track.parent]) > 1
            generation = lives[track.parent].generation + divided
            born[track.label] = track.begin if divided else born[track.parent]
        division = min((by_label[label].begin for label in own), default=0)
        begin = born[track.label]
        lives[track.label] = Life(
            own,
            generation,
            division - begin if len(own) > 1 and begin is not None else None,
            _fate(track, len(own), last_frame),
        )
    return lives


def cells_table(
    tracks: Sequence[Track],
    regions: Regions,
    shapes: Mapping[int, Mapping[int, Shape]],
    frames: Sequence[int],
    calibration: Calibration = UNKNOWN,
) -> Iterator[str]:
    """Yields the lines of tracks.csv: a row for each cell and frame, by label and then by frame.

    Args:
        tracks: The track table.
        regions: Label -> frame -> centroid and area.
        shapes: Label -> frame -> outline and intensity.
        frames: The numbers of all frames.
        calibration: What a pixel and a frame are.
    """
    pixel, interval = calibration
    lives = describe_lives(tracks, frames[-1])

    def rows() -> Iterator[dict[str, Value]]:
        for track in sorted(tracks):
            life, measured = lives[track.label], shapes[track.label]
            before: Region | None = None
            for frame, region in sorted(regions[track.label].items()):
                shape = measured[frame]
                speed = _distance(before, region) if before else None
                row: dict[str, Value] = {
                    "label": track.label,
                    "parent": track.parent,
                    "frame": frame,
                    "y": f"{region.y:.2f}",
                    "x": f"{region.x:.2f}",
                    "area": region.area,
                    "perimeter": shape.perimeter,
                    "eccentricity": shape.eccentricity,
                    "mean_intensity": shape.mean_intensity,
                    "speed": speed,
                    "generation": life.generation,
                    "division_time": life.division_time,
                }
                if pixel:
                    row |= {
                        "y_um": region.y * pixel,
                        "x_um": region.x * pixel,
                        "area_um2": region.area * pixel**2,
                        "perimeter_um": shape.perimeter * pixel,
                    }
                if interval:
                    row |= {
                        "time_min": (frame - frames[0]) * interval,
                        "division_time_min": _times(life.division_time, interval),
                    }
                if pixel and interval:
                    row["speed_um_per_min"] = _times(speed, pixel / interval)
                yield row
                before = region

    columns = (
        "label,parent,frame,y,x,area,perimeter,eccentricity,mean_intensity,speed,generation,division_time"
    )
    columns += ",y_um,x_um,area_um2,perimeter_um" if pixel else ""
    columns += ",time_min,division_time_min" if interval else ""
    columns += ",speed_um_per_min" if pixel and interval else ""
    return _csv(columns, rows())


def lineages_table(
    tracks: Sequence[Track], regions: Regions, frames: Sequence[int], calibration: Calibration = UNKNOWN
) -> Iterator[str]:
    """Yields the lines of lineages.csv: a row for each track, by label; arguments as of `cells_table`."""
    pixel, interval = calibration
    lives = describe_lives(tracks, frames[-1])

    def rows() -> Iterator[dict[str, Value]]:
        for track in sorted(tracks):
            life = lives[track.label]
            places = [region for _, region in sorted(regions[track.label].items())]
            length = math.fsum(map(_distance, places[:-1], places[1:]))
            row: dict[str, Value] = {
                "label": track.label,
                "parent": track.parent,
                "daughters": " ".join(map(str, life.daughters)),
                "generation": life.generation,
                "birth": track.begin,
                "death": track.end,
                "fate": life.fate,
                "division_time": life.division_time,
                "path_length": length,
            }
            if interval:
                row |= {
                    "birth_min": (track.begin - frames[0]) * interval,
                    "death_min": (track.end - frames[0]) * interval,
                    "division_time_min": _times(life.division_time, interval),
                }
            if pixel:
                row["path_length_um"] = length * pixel
            yield row

    columns = "label,parent,daughters,generation,birth,death,fate,division_time,path_length"
    columns += ",birth_min,death_min,division_time_min" if interval else ""
    columns += ",path_length_um" if pixel else ""
    return _csv(columns, rows())


def _fate(track: Track, daughters: int, last_frame: int) -> str:
    if daughters:
        return DIVIDES if daughters > 1 else CONTINUES
    return VIDEO_ENDS if track.end == last_frame else DISAPPEARS


def _distance(first: Region, second: Region) -> float:
    return math.hypot(second.y - first.y, second.x - first.x)


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _csv(columns: str, rows: Iterator[dict[str, Value]]) -> Iterator[str]:
    """Yields the lines of rows whose keys are the columns, in their order."""
    yield columns
    for row in rows:
        assert ",".join(row) == columns
        yield ",".join(_text(value) for value in row.values())


def _text(value: Value) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)
