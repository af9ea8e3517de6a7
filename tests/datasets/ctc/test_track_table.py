"""Track tables: round trip, cutting against a frame-by-frame oracle, and every fault of a line."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed.datasets.ctc.track_table import (
    LineFault,
    Track,
    cut_tracks,
    parse_table,
    read_tracks,
    write_tracks,
)
from cosembed.errors import DataError


def test_round_trip(tmp_path: Path) -> None:
    tracks = (Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(65535, 5, 5, 1))
    write_tracks(tmp_path / "TRA" / "man_track.txt", reversed(tracks))
    assert read_tracks(tmp_path / "TRA" / "man_track.txt") == tracks
    assert (tmp_path / "TRA" / "man_track.txt").read_text() == "1 0 4 0\n2 5 9 1\n65535 5 5 1\n"


def test_other_editors_line_ends(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"\xef\xbb\xbf1 0 4 0\r\n\r\n 2\t5  9 1\r\n\r\n")
    assert read_tracks(tmp_path / "t.txt") == (Track(1, 0, 4, 0), Track(2, 5, 9, 1))


def test_an_empty_table_is_a_table(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("")
    assert read_tracks(tmp_path / "t.txt") == ()


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("two 0 3 0", "line 2: 'two 0 3 0' is not four whole numbers"),
        ("label begin end parent", "line 2: 'label begin end parent' is not four"),
        ("2 0 3", "line 2: '2 0 3' is not four"),
        ("2 0 3 0 0", "line 2: '2 0 3 0 0' is not four"),
        ("2 0 3.0 0", "line 2: '2 0 3.0 0' is not four"),
        ("-2 0 3 0", "line 2: '-2 0 3 0' is not four"),
        ("2 0 -3 0", "line 2: '2 0 -3 0' is not four"),
        ("2 0 ³ 0", "line 2: '2 0 ³ 0' is not four"),
        ("2 0 99999999999999999999 0", "line 2: '2 0 99999999999999999999 0' is not four"),
        ("1 5 6 0", "line 2: label 1 is listed twice"),
        ("0 0 3 0", "line 2: label 0 is not between 1 and 65535; renumber it"),
        ("65536 0 3 0", "line 2: label 65536 is not between 1 and 65535; renumber it"),
        ("2 4 3 0", "line 2: label 2 ends in frame 3, before it begins in frame 4"),
        ("2 4 5 2", "line 2: label 2 is its own parent"),
        ("2 4 5 7", "line 2: label 2 has the parent 7, which is not listed"),
    ],
)
def test_faults_name_file_and_line(tmp_path: Path, line: str, sentence: str) -> None:
    path = tmp_path / "man_track.txt"
    path.write_text(f"1 0 3 0\n{line}\n", encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_tracks(path)
    assert str(caught.value).startswith(str(path))
    assert sentence in str(caught.value)


def test_all_faults_are_collected_in_the_order_of_the_lines() -> None:
    table = parse_table("4 6 5 9\n1 0 3 0\n\n1 4 5 0\nx\n70000 0 1 0\n2 4 5 2\n")
    assert table.tracks == {4: Track(4, 6, 5, 9), 1: Track(1, 0, 3, 0), 2: Track(2, 4, 5, 2)}
    assert [(fault.line, fault.problem) for fault in table.faults] == [
        (1, "label 4 ends in frame 5, before it begins in frame 6"),
        (1, "label 4 has the parent 9, which is not listed"),
        (4, "label 1 is listed twice"),
        (5, "'x' is not four whole numbers (label begin end parent)"),
        (6, "label 70000 is not between 1 and 65535"),
        (7, "label 2 is its own parent"),
    ]
    assert table.faults[2] == LineFault(4, "label 1 is listed twice", "keep one line")


def test_a_parent_may_stand_below_its_child() -> None:
    assert parse_table("2 4 5 1\n1 0 3 0\n").faults == []


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"man_track\.txt: does not exist"):
        read_tracks(tmp_path / "man_track.txt")
    (tmp_path / "man_track.txt").write_bytes(b"\x89PNG\xff\xfe")
    with pytest.raises(DataError, match=r"man_track\.txt: is not a text file"):
        read_tracks(tmp_path / "man_track.txt")


def test_a_cut_division() -> None:
    tracks = (Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 6, 1), Track(4, 7, 9, 3))
    assert cut_tracks(tracks, 2, 7) == (Track(1, 0, 2, 0), Track(2, 3, 4, 1), Track(3, 3, 4, 1))
    # The mother is cut away at the frame of the division, and before it.
    assert cut_tracks(tracks, 5, 7) == (Track(2, 0, 1, 0), Track(3, 0, 1, 0))
    assert cut_tracks(tracks, 6, 9) == (Track(2, 0, 2, 0), Track(3, 0, 0, 0), Track(4, 1, 2, 3))


@st.composite
def lineages(draw: st.DrawFn) -> list[Track]:
    """Tracks whose parents end before they begin."""
    tracks: list[Track] = []
    for label in range(1, draw(st.integers(1, 8)) + 1):
        begin = draw(st.integers(0, 12))
        ended = [track.label for track in tracks if track.end < begin]
        tracks.append(
            Track(label, begin, begin + draw(st.integers(0, 6)), draw(st.sampled_from([0, *ended])))
        )
    return tracks


@given(lineages(), st.integers(0, 12), st.integers(1, 8))
def test_cut_equals_frame_by_frame_presence(tracks: list[Track], begin: int, length: int) -> None:
    end = begin + length
    cut = {track.label: track for track in cut_tracks(tracks, begin, end)}
    for track in tracks:
        frames = [frame - begin for frame in range(track.begin, track.end + 1) if begin <= frame < end]
        assert (track.label in cut) == bool(frames)
        if frames:
            assert (cut[track.label].begin, cut[track.label].end) == (frames[0], frames[-1])
            assert cut[track.label].parent == (track.parent if track.parent in cut else 0)
