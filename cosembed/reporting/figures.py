"""Draws the figures of a report as PNG: training curves, scores per frame, counts, areas, lineage, costs.

It knows numbers and track tables, not how they were made.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence

import matplotlib
import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting.lineage import born_by_division, family_order, followers

matplotlib.use("Agg")

# The width is in inches, so small that words can be read on a phone, where a figure is as wide as the screen.
WIDTH, DPI = 5.5, 200

BLUE, ORANGE, GREEN, GREY, BLACK = "#0072b2", "#d55e00", "#009e73", "#8a8a8a", "#1c1c1c"
# A picture of a lineage has at most so many tracks, so that it is not too tall for a screen or a page.
MOST_TRACKS = 80


def training_curves(steps: NDArray, losses: NDArray, rates: NDArray) -> bytes:
    """Draws loss and learning rate over the iterations; the loss also as a running mean.

    Args:
        steps: The iterations [N], ascending.
        losses: The embedding loss [N] of both hourglasses at each of them.
        rates: The learning rate [N] at each of them.
    """
    figure, (upper, lower) = _figure(4.2, rows=2, heights=[3, 1])
    window = max(1, len(losses) // 50)
    if window == 1:
        upper.plot(steps, losses, color=BLUE, label="each iteration")
    else:
        upper.plot(steps, losses, color=BLUE, alpha=0.25, linewidth=0.7, label="each iteration")
        mean = np.convolve(losses, np.ones(window) / window, mode="valid")
        upper.plot(steps[window - 1 :], mean, color=BLUE, linewidth=1.8, label=f"mean of {window} iterations")
    upper.set_ylabel("loss\n(both hourglasses)")
    upper.set_ylim(bottom=0)
    upper.legend(frameon=False)
    lower.plot(steps, rates, color=ORANGE, drawstyle="steps-mid")
    lower.set_yscale("log")
    lower.set_ylabel("learning rate")
    lower.set_xlabel("iteration")
    return _png(figure)


def frame_scores(frames: Sequence[int], scores: Mapping[str, Sequence[float]]) -> bytes:
    """Draws the mean IoU of the true cells over the frames, a curve for each method.

    Args:
        frames: Numbers of the frames with a score.
        scores: Method -> its score of each of them; at most three methods, ours first.
    """
    figure, (axes,) = _figure(2.8)
    for (name, values), color, marker in zip(scores.items(), (BLUE, GREY, ORANGE), "os^", strict=False):
        axes.plot(frames, values, color=color, marker=marker, markersize=3, label=name)
    axes.set_ylim(0, 1)
    axes.set_xlabel("frame")
    axes.set_ylabel("SEG of the frame")
    axes.legend(frameon=False, ncols=3)
    return _png(figure)


def population(areas: Sequence[Sequence[int]], first: int = 0) -> bytes:
    """Draws over the frames how many cells there are, and their area: median and middle half.

    Args:
        areas: Per frame, the areas of its cells in pixels.
        first: The number of the first frame.
    """
    figure, (upper, lower) = _figure(3.8, rows=2)
    frames = range(first, first + len(areas))
    marker = "o" if len(areas) == 1 else None
    counts = [len(cells) for cells in areas]
    upper.plot(frames, counts, color=BLUE, marker=marker)
    upper.set_ylim(0, 1.1 * max(1, *counts))
    upper.set_ylabel("number of cells")
    low, median, high = np.array(
        [np.percentile(cells, [25, 50, 75]) if len(cells) else [np.nan] * 3 for cells in areas]
    ).T
    lower.fill_between(frames, low, high, color=ORANGE, alpha=0.25, linewidth=0, label="middle half")
    lower.plot(frames, median, color=ORANGE, marker=marker, label="median")
    lower.set_ylim(bottom=0)
    lower.set_ylabel("area (pixels)")
    lower.set_xlim(first - 0.5, first + len(areas) - 0.5)
    lower.set_xlabel("frame")
    lower.legend(frameon=False, ncols=2)
    return _png(figure)


def areas_over_time(areas: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Draws how an area changes over the frames: the truth, and what several methods found.

    Args:
        areas: Name -> the area in pixels of every frame, NaN where it is not known; the truth, which lies
            over the others, first, at most four.
    """
    figure, (axes,) = _figure(2.8)
    styles = [(BLACK, "o", 3), (BLUE, "s", 2), (ORANGE, "^", 2), (GREEN, "D", 2)][: len(areas)]
    for (name, values), (color, marker, order) in zip(areas.items(), styles, strict=True):
        frames = range(len(values))
        axes.plot(frames, values, color=color, marker=marker, markersize=3, label=name, zorder=order)
    axes.set_ylim(0, 1.1 * max(1.0, *(np.nanmax(values) for values in areas.values())))
    axes.set_xlabel("frame")
    axes.set_ylabel("area (pixels)")
    axes.legend(frameon=False, ncols=3)
    return _png(figure)


def lineage(tracks: Sequence[Track], frames: int, title: str, first: int = 0) -> bytes:
    """Draws all tracks as horizontal lines over time, each with its label.

    A line joins a mother's end to her daughters' beginnings; a dashed one joins a track to the only one that
    continues it, which is no division. Of more than `MOST_TRACKS` tracks the picture would be too tall for a
    screen or a page.

    Args:
        tracks: The track table.
        frames: Number of frames of the video.
        title: The figure's title; may be empty.
        first: The number of the first frame.
    """
    table, children = {track.label: track for track in tracks}, followers(tracks)
    order, daughters = family_order(children), born_by_division(tracks, children)
    figure, (axes,) = _figure(max(2.2, 0.16 * len(tracks) + 1.0))
    rows = {label: row for row, label in enumerate(order)}
    for label, row in rows.items():
        track = table[label]
        mother = table.get(track.parent)
        divides = mother is not None and len(children[mother.label]) > 1
        axes.plot(
            [track.begin, track.end + 0.8],
            [row, row],
            color=ORANGE if label in daughters else BLUE,
            linewidth=2.0,
            solid_capstyle="butt",
        )
        if mother is not None:
            axes.plot(
                [mother.end + 0.8, track.begin],
                [rows[mother.label], row],
                color=GREEN if divides else GREY,
                linestyle="-" if divides else ":",
                linewidth=1.0,
            )
        axes.annotate(
            str(label),
            (track.begin, row),
            fontsize=7,
            ha="right",
            va="center",
            xytext=(-2, 0),
            textcoords="offset points",
            annotation_clip=False,
        )
    # A digit is a hundredth of the figure wide, about.
    margin = (0.02 + 0.012 * len(str(max(rows, default=0)))) * frames + 0.5
    axes.set_xlim(first - margin, first + frames)
    axes.set_xticks([tick for tick in axes.get_xticks() if first <= tick <= first + frames])
    axes.set_ylim(len(tracks), -1)
    axes.set_yticks([])
    axes.set_xlabel("frame")
    axes.set_ylabel("track (with its label)")
    axes.set_title(title, fontsize=10, loc="left")
    handles = [
        Line2D([], [], color=BLUE, linewidth=2.0, label="no division before"),
        Line2D([], [], color=ORANGE, linewidth=2.0, label="daughter"),
        Line2D([], [], color=GREEN, linewidth=1.0, label="division"),
        Line2D([], [], color=GREY, linewidth=1.0, linestyle=":", label="continued"),
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=4, frameon=False, fontsize=8)
    return _png(figure)


def scaling(curves: Mapping[str, Sequence[tuple[str, Sequence[float], Sequence[float]]]]) -> bytes:
    """Draws how costs grow, a panel per quantity, both axes logarithmic.

    Args:
        curves: Quantity -> the curves of its panel; each is the name of a cost, the quantity's values, and
            the seconds that the cost takes at each of them.
    """
    figure = Figure(figsize=(4.0 * len(curves), 3.6), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(curves), sharey=True, squeeze=False)[0]
    for axes, (quantity, lines) in zip(panels, curves.items(), strict=True):
        for (cost, values, seconds), colour, marker in zip(
            lines, (BLUE, ORANGE, GREEN, GREY, "#cc79a7"), "os^Dv", strict=False
        ):
            axes.loglog(values, seconds, color=colour, marker=marker, markersize=4, label=cost)
        axes.set_xlabel(quantity)
        axes.set_xticks(sorted({value for _, values, _ in lines for value in values}))
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.minorticks_off()
        axes.grid(color="#dddddd", linewidth=0.6)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
    panels[0].set_ylabel("seconds")
    return _png(figure)


def _figure(height: float, rows: int = 1, heights: Sequence[float] | None = None) -> tuple[Figure, list]:
    """Makes a figure of one column of axes that share the horizontal one.

    Args:
        height: The figure's height in inches.
        rows: Number of axes.
        heights: Relative heights of the axes; equal if None.
    """
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
        axis.grid(axis="y", color="#dddddd", linewidth=0.6)
        # Frames and iterations are whole numbers, so are their ticks.
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, list(axes)


def _png(figure: Figure) -> bytes:
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DPI)
    # The parts of a figure refer to each other, so that it would stay in memory.
    figure.clear()
    return buffer.getvalue()
