"""Track tables (`man_track.txt`, `res_track.txt`): one line `label begin end parent` per track. Knows no masks."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from cosembed.data.sequence import Track
from cosembed.errors import DataError
from cosembed.files import atomic_write_text
from cosembed.reading import read_text, reason

MAX_LABEL = 65535
# A line for each label, of 32 bytes.
MAX_TABLE_BYTES = 2**21


def read_tracks(path: Path) -> tuple[Track, ...]:
    """Reads and checks a track table.

    Raises:
        DataError: Names the file and the line: not four whole numbers, a label out of range or listed twice, a track that
            ends before it begins, or a parent that no line lists.
    """
    try:
        text = read_text(path, MAX_TABLE_BYTES)
    except FileNotFoundError as error:
        raise DataError(
            f"{path}: does not exist; a track table belongs there (label begin end parent)"
        ) from error
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path}: is not a text file ({reason(error)}); restore the table (label begin end parent)"
        ) from error
    tracks: dict[int, Track] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        track = _parse(line, f"{path}, line {number}")
        if track.label in tracks:
            raise DataError(f"{path}, line {number}: label {track.label} is listed twice; keep one line")
        tracks[track.label] = track
    for track in tracks.values():
        if track.parent and track.parent not in tracks:
            raise DataError(
                f"{path}: label {track.label} has the unknown parent {track.parent}; add its line or write 0"
            )
    return tuple(tracks.values())


def write_tracks(path: Path, tracks: Iterable[Track]) -> None:
    """Writes a track table, sorted by label."""
    atomic_write_text(path, "".join("{} {} {} {}\n".format(*track) for track in sorted(tracks)))


def cut_tracks(tracks: Iterable[Track], begin: int, end: int) -> tuple[Track, ...]:
    """The tracks in frames `begin` to `end` (excluded), renumbered from 0; parents that are cut away become 0."""
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


def _parse(line: str, where: str) -> Track:
    words = line.split()
    if len(words) != 4 or not all(word.isascii() and word.isdigit() and len(word) < 10 for word in words):
        raise DataError(
            f"{where}: '{line.strip()[:60]}' is not four whole numbers; write label begin end parent"
        )
    track = Track(*map(int, words))
    if not 1 <= track.label <= MAX_LABEL or track.parent > MAX_LABEL:
        raise DataError(f"{where}: labels lie between 1 and {MAX_LABEL}; renumber label {track.label}")
    if track.begin > track.end:
        raise DataError(
            f"{where}: label {track.label} ends in frame {track.end}, before it begins in {track.begin}; correct it"
        )
    if track.parent == track.label:
        raise DataError(f"{where}: label {track.label} is its own parent; correct it")
    return track
