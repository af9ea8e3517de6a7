"""Reads and writes track tables: one line `label begin end parent` per track. Knows no masks.

They are called `res_track.txt` in a result and `man_track.txt` in the truth.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from cosembed.errors import DataError
from cosembed.files.reading import read_text, reason
from cosembed.files.writing import atomic_write_text
from cosembed.preprocessing.label_values import LARGEST_LABEL

# A line for each possible label, of 32 bytes.
MAX_TABLE_BYTES = 2**21


class Track(NamedTuple):
    """Is one row of a track table: `label` exists in frames `begin` to `end`, both included.

    A parent of 0 means none.
    """

    label: int
    begin: int
    end: int
    parent: int


class LineFault(NamedTuple):
    """Says what is wrong in a line of a table, counted from 1, and what to do about it."""

    line: int
    problem: str
    remedy: str


class TrackTable(NamedTuple):
    """Holds the tracks that could be read, by label, and every fault, both in the order of the lines."""

    tracks: dict[int, Track]
    faults: list[LineFault]


def parse_table(text: str) -> TrackTable:
    """Reads a whole table and collects every fault that its lines show by themselves.

    Args:
        text: The content of the file; empty lines are allowed.

    Returns:
        The tracks of all lines with four whole numbers and a label that is in range and not there before, and
        the faults: other lines, a track that ends before it begins, and a parent that is the track itself or
        that no line lists.
    """
    tracks: dict[int, Track] = {}
    lines: dict[int, int] = {}
    faults: list[LineFault] = []
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words:
            continue
        if len(words) != 4 or not all(map(_is_whole_number, words)):
            shown = line.strip()[:60]
            problem = f"'{shown}' is not four whole numbers (label begin end parent)"
            faults.append(LineFault(number, problem, "correct or remove the line"))
            continue
        track = Track(*map(int, words))
        if track.label in tracks:
            faults.append(LineFault(number, f"label {track.label} is listed twice", "keep one line"))
        elif not 1 <= track.label <= LARGEST_LABEL:
            problem = f"label {track.label} is not between 1 and {LARGEST_LABEL}"
            faults.append(LineFault(number, problem, "renumber it"))
        else:
            tracks[track.label], lines[track.label] = track, number
    for track in tracks.values():
        faults += [LineFault(lines[track.label], *fault) for fault in _faults_of(track, tracks)]
    return TrackTable(tracks, sorted(faults))


def read_table(path: Path) -> TrackTable:
    """Reads a table as `parse_table` does.

    Raises:
        FileNotFoundError: There is no such file.
        OSError: It may not be read.
        ValueError: It is no text, or too large to be a table.
    """
    return parse_table(read_text(path, MAX_TABLE_BYTES))


def read_tracks(path: Path) -> tuple[Track, ...]:
    """Reads a table that must be right.

    Raises:
        DataError: There is none, or it has a fault; names the file and the line of the first one.
    """
    try:
        table = read_table(path)
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: does not exist; a track table belongs there (label begin end parent)"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: is not a text file ({reason(error)}); restore the table (label begin end parent)"
        ) from error
    for line, problem, remedy in table.faults:
        raise DataError(f"{path}, line {line}: {problem}; {remedy}")
    return tuple(table.tracks.values())


def write_tracks(path: Path, tracks: Iterable[Track]) -> None:
    """Writes a track table, sorted by label, complete or not at all."""
    atomic_write_text(path, "".join("{} {} {} {}\n".format(*track) for track in sorted(tracks)))


def cut_tracks(tracks: Iterable[Track], begin: int, end: int) -> tuple[Track, ...]:
    """Cuts tracks down to frames `begin` to `end` (excluded), renumbered from 0.

    A parent that is cut away becomes 0.
    """
    kept = [track for track in tracks if track.begin < end and track.end >= begin]
    labels = {track.label for track in kept}
    return tuple(
        Track(
            track.label,
            max(track.begin, begin) - begin,
            min(track.end, end - 1) - begin,
            track.parent if track.parent in labels else 0,
        )
        for track in kept
    )


def _is_whole_number(word: str) -> bool:
    return word.isascii() and word.isdigit() and len(word) < 10


def _faults_of(track: Track, tracks: dict[int, Track]) -> Iterable[tuple[str, str]]:
    """Finds what is wrong with a track among the others: problem and remedy."""
    if track.begin > track.end:
        moment = f"in frame {track.end}, before it begins in frame {track.begin}"
        yield f"label {track.label} ends {moment}", "correct it"
    if track.parent == track.label:
        yield f"label {track.label} is its own parent", "correct it"
    elif track.parent and track.parent not in tracks:
        problem = f"label {track.label} has the parent {track.parent}, which is not listed"
        yield problem, "add its line or write 0"
