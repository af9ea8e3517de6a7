"""Figures are drawn for any numbers, and families stay together in a lineage."""

from collections.abc import Callable

import imagecodecs
import numpy as np
from matplotlib.figure import Figure

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting import figures


def test_figures_are_pngs():
    tracks = [Track(1, 0, 4, 0), Track(2, 5, 9, 1), Track(3, 5, 9, 1), Track(4, 7, 9, 2), Track(5, 0, 9, 0)]
    steps = np.arange(1, 201)
    for png in (
        figures.lineage(tracks, 10, "a division"),
        figures.lineage([], 10, "nothing"),
        figures.training_curves(steps, 1 / steps, np.full(200, 1e-3)),
        figures.training_curves(steps[:1], np.ones(1), np.ones(1)),
        figures.frame_scores([0, 1], {"ours": [0.5, float("nan")]}),
        figures.frame_scores([7], {"ours": [0.5], "classical baseline": [0.4], "before training": [0.1]}),
    ):
        assert imagecodecs.png_decode(png).ndim == 3


def drawn(draw: Callable[[], bytes], monkeypatch) -> Figure:
    """The figure itself that a function draws, not its pixels."""
    kept: list[Figure] = []

    def keep(figure: Figure) -> bytes:
        kept.append(figure)
        return b""

    monkeypatch.setattr(figures, "_png", keep)
    draw()
    return kept[0]


def test_areas_have_a_point_in_every_frame_in_which_they_are_known(monkeypatch):
    truth, ours = np.array([100.0, np.nan, 40.0]), np.array([90.0, 70.0, 50.0])
    figure = drawn(lambda: figures.areas_over_time({"truth": truth, "recurrent": ours}), monkeypatch)
    lines = figure.axes[0].lines
    for line, values in zip(lines, (truth, ours), strict=True):
        np.testing.assert_array_equal(line.get_xdata(), [0, 1, 2])
        np.testing.assert_array_equal(line.get_ydata(), values)
    assert [line.get_label() for line in lines] == ["truth", "recurrent"]
    assert lines[0].get_zorder() > lines[1].get_zorder()
    low, high = figure.axes[0].get_ylim()
    assert low == 0 and high > 100


def test_item_17_all_tracks_are_drawn_with_their_labels(monkeypatch):
    tracks = [Track(label, 0, 9, 0) for label in range(1, figures.MOST_TRACKS + 1)]
    figure = drawn(lambda: figures.lineage(tracks, 10, ""), monkeypatch)
    labels = [text.get_text() for text in figure.axes[0].texts]
    assert labels == [str(track.label) for track in tracks]
    height = figure.get_size_inches()[1]
    assert height < 15 and height / len(labels) > 0.15, "labels of 0.1 inches do not overlap"


def test_item_17_a_continuation_is_not_drawn_as_a_division(monkeypatch):
    """Track 2 alone continues track 1; 4 and 5 are daughters of 3; 6 continues the daughter 4."""
    tracks = [
        *(Track(1, 0, 4, 0), Track(2, 6, 9, 1), Track(3, 0, 4, 0)),
        *(Track(4, 5, 6, 3), Track(5, 5, 9, 3), Track(6, 8, 9, 4)),
    ]
    page = drawn(lambda: figures.lineage(tracks, 10, ""), monkeypatch)
    lines = [
        (line.get_color(), line.get_linestyle(), *(round(float(x), 1) for x in line.get_xdata()))
        for line in page.axes[0].lines
    ]
    assert (figures.BLUE, "-", 6.0, 9.8) in lines, "no daughter's colour"
    assert (figures.GREY, ":", 4.8, 6.0) in lines
    assert lines.count((figures.GREEN, "-", 4.8, 5.0)) == 2
    assert [line for line in lines if line[0] == figures.GREEN and line[2:] != (4.8, 5.0)] == []
    assert (figures.ORANGE, "-", 8.0, 9.8) in lines and (figures.GREY, ":", 6.8, 8.0) in lines
    assert min(page.axes[0].get_xticks()) >= 0
