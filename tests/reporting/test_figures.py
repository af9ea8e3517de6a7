"""Figures are drawn for any numbers, and families stay together in a lineage."""

import imagecodecs
import numpy as np
from matplotlib.figure import Figure

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting import figures


def test_figures_are_pngs():
    tracks = [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 7, 9, 2), Track(5, 0, 9, 0)]
    steps = np.arange(1, 201)
    for png in (
        *figures.lineage(tracks, 10, "a division"),
        *figures.lineage([], 10, "nothing"),
        figures.training_curves(steps, 1 / steps, np.full(200, 1e-3)),
        figures.training_curves(steps[:1], np.ones(1), np.ones(1)),
        figures.frame_scores([0, 1], [0.5, float("nan")], None),
    ):
        assert imagecodecs.png_decode(png).ndim == 3


def pages_of(tracks: list[Track]) -> list[list[int]]:
    return figures._lineage_pages(figures._children(tracks))


def test_families_stay_together_in_the_lineage():
    tracks = [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 0, 9, 0), Track(5, 0, 9, 77)]
    assert pages_of(tracks) == [[2, 1, 3, 4, 5]]


def drawn_pages(tracks: list[Track], frames: int, monkeypatch) -> list[Figure]:
    """The figures themselves, not their pixels."""
    pages: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        pages.append(figure)
        return b""

    monkeypatch.setattr(figures, "_png", keep)
    figures.lineage(tracks, frames, "")
    return pages


def labels_on(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.axes[0].texts]


def test_item_17_all_of_many_tracks_are_drawn_with_their_labels(monkeypatch):
    tracks = [Track(label, 0, 9, 0) for label in range(1, 665)]
    pages = drawn_pages(tracks, 10, monkeypatch)
    assert [len(labels_on(page)) for page in pages[:-1]] == [figures.TRACKS_PER_PAGE] * (len(pages) - 1)
    assert [label for page in pages for label in labels_on(page)] == [str(track.label) for track in tracks]
    for page in pages:
        height = page.get_size_inches()[1]
        assert height < 15 and height / len(labels_on(page)) > 0.15, "labels of 0.1 inches do not overlap"
    assert figures.page_caption("664 tracks", 2, 9) == "664 tracks, page 2 of 9."
    assert figures.page_caption("5 tracks", 1, 1) == "5 tracks."


def test_item_17_a_family_larger_than_a_page_says_where_it_comes_from(monkeypatch):
    tracks = [Track(1, 0, 0, 0)] + [Track(label, label - 1, label - 1, label - 1) for label in range(2, 200)]
    pages = drawn_pages(tracks, 200, monkeypatch)
    assert len(pages) == 3
    assert labels_on(pages[1])[:2] == ["81 (from 80)", "82"]


def test_a_family_that_fits_on_a_page_is_not_torn():
    single = [Track(label, 0, 9, 0) for label in range(1, figures.TRACKS_PER_PAGE)]
    family = [Track(900, 1, 2, 0), Track(901, 3, 9, 900), Track(902, 3, 9, 900)]
    assert pages_of([*single, *family])[1] == [901, 900, 902]


def test_item_17_a_continuation_is_not_drawn_as_a_division(monkeypatch):
    """Track 2 alone continues track 1; 4 and 5 are daughters of 3; 6 continues the daughter 4."""
    tracks = [
        *(Track(1, 0, 4, 0), Track(2, 6, 9, 1), Track(3, 0, 4, 0)),
        *(Track(4, 5, 6, 3), Track(5, 5, 9, 3), Track(6, 8, 9, 4)),
    ]
    (page,) = drawn_pages(tracks, 10, monkeypatch)
    drawn = [
        (line.get_color(), line.get_linestyle(), *(round(float(x), 1) for x in line.get_xdata()))
        for line in page.axes[0].lines
    ]
    assert (figures.BLUE, "-", 6.0, 9.8) in drawn, "no daughter's colour"
    assert (figures.GREY, ":", 4.8, 6.0) in drawn
    assert drawn.count((figures.GREEN, "-", 4.8, 5.0)) == 2
    assert [line for line in drawn if line[0] == figures.GREEN and line[2:] != (4.8, 5.0)] == []
    assert (figures.ORANGE, "-", 8.0, 9.8) in drawn and (figures.GREY, ":", 6.8, 8.0) in drawn
    assert min(page.axes[0].get_xticks()) >= 0
