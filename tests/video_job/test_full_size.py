"""Doubtful places are found where they were put, and large frames are shown in full resolution."""

import numpy as np

from cosembed.datasets.ctc.track_table import Track
from cosembed.images.array_frames import ArrayFrames
from cosembed.reporting import tiles
from cosembed.video_job import full_size
from tests.video_job.test_video_report import report_of, shown


def square(labels: np.ndarray, label: int, middle: tuple[int, int], side: int) -> None:
    """Draws a cell."""
    (y, x), half = middle, side // 2
    labels[y - half : y - half + side, x - half : x - half + side] = label


def video() -> tuple[np.ndarray, list[Track]]:
    """1 stays, 2 grows, 3 vanishes, 4 appears, 5 divides into 6 and 7, 8 leaves at the border."""
    labels = np.zeros((3, 900, 1200), np.uint16)
    for frame in range(3):
        square(labels[frame], 1, (100, 100), 20)
        square(labels[frame], 2, (100, 500), 20 if frame < 2 else 40)
        if frame < 1:
            square(labels[frame], 3, (100, 900), 20)
            square(labels[frame], 5, (800, 500), 20)
            square(labels[frame], 8, (10, 700), 20)
        else:
            square(labels[frame], 6, (800, 480), 14)
            square(labels[frame], 7, (800, 520), 14)
        if frame == 2:
            square(labels[frame], 4, (800, 900), 20)
    ends = {1: (0, 2, 0), 2: (0, 2, 0), 3: (0, 0, 0), 4: (2, 2, 0), 5: (0, 0, 0), 6: (1, 2, 5), 7: (1, 2, 5)}
    return labels, [Track(label, *rest) for label, rest in (ends | {8: (0, 0, 0)}).items()]


def test_cells_that_appear_vanish_or_change_their_size_are_doubtful():
    labels, tracks = video()
    places = full_size.DoubtfulPlaces(tracks)
    for index, frame in enumerate(labels):
        places.add(index, frame)
    found = {(place.label, place.frame): place.reason for place in places.worst()}
    assert found == {
        (2, 2): "has 4 times the area of the frame before",
        (3, 1): "is gone, without daughters",
        (4, 2): "appears, without a parent",
    }
    assert places.worst()[0].label == 2


def test_places_next_to_each_other_are_shown_once_and_few_are_kept():
    labels = np.zeros((2, 600, 600), np.uint16)
    for label in range(1, 801):
        square(labels[0], label, (20 + label // 29 * 20, 20 + label % 29 * 20), 10)
    places = full_size.DoubtfulPlaces([Track(label, 0, 0, 0) for label in range(1, 801)])
    for index, frame in enumerate(labels):
        places.add(index, frame)
    worst = places.worst()
    assert 1 < len(worst) <= full_size.PLACES
    for place in worst:
        near = [
            other for other in worst if max(abs(other.y - place.y), abs(other.x - place.x)) < full_size.SIDE
        ]
        assert near == [place]


def test_a_report_of_large_frames_leads_to_them_and_one_of_small_frames_does_not(tmp_path, monkeypatch):
    monkeypatch.setattr(full_size, "LARGE", 1000)
    monkeypatch.setattr(tiles, "TILE", 600)
    labels, tracks = video()
    report_of(tmp_path / "res", labels, tracks)
    text = shown(tmp_path / "res" / "report.html")
    assert 'href="pictures/full_size.html"' in text
    assert "Frame 2: cell 2 has 4 times the area of the frame before." in text
    pictures = tmp_path / "res" / "pictures"
    names = sorted(str(path.relative_to(pictures)) for path in (pictures / "full_size").rglob("*.jpg"))
    finest = [f"full_size/0/0/{row}_{column}.jpg" for row in range(2) for column in range(2)]
    assert names == [*finest, "full_size/0/1/0_0.jpg"]
    assert 'data-viewer="tiles"' in (pictures / "full_size.html").read_text()
    monkeypatch.setattr(full_size, "LARGE", 1500)
    report_of(tmp_path / "res", labels, tracks)
    assert "full_size" not in shown(tmp_path / "res" / "report.html")
    assert not list(pictures.glob("full_size*"))


def test_crops_are_in_full_resolution():
    labels, _ = video()
    place = full_size.Place(1.0, 2, 2, 100, 500, "is odd")
    (row,) = full_size.crops([place], ArrayFrames((labels > 0).astype(np.uint8)), labels.__getitem__, {})
    assert row.caption == "Frame 2: cell 2 is odd."
    assert [picture.caption for picture in row.pictures] == ["frame 1", "frame 2"]
    y, x = full_size._around(place, labels.shape[1:])
    assert (y, x) == (slice(0, 256), slice(372, 628))
