"""Draws a slice of the heart as the networks see and segment it: single frames, and a whole heartbeat.

This module knows arrays only. Truth is drawn in the frames that are labelled.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.heart.slices import CAVITY, HeartSlice
from cosembed.reporting import figures
from cosembed.reporting.movie import encode_gif, in_shared_colours, movie_frames, shrink, titled
from cosembed.reporting.overlays import overlay, stretch
from cosembed.reporting.panels import grey_rgb, picture_row, resized

# In the movie, a picture's longer side is enlarged to so many pixels at least: four fit the report's width.
MOVIE_SIDE = 150

# Network -> the classes that it found, uint8 [T, H, W].
Found = Mapping[str, NDArray[np.uint8]]


def frames_to_see(cine: HeartSlice) -> dict[str, int]:
    """Chooses the ends of a heartbeat and a frame between them, name -> frame.

    End-diastole is the labelled frame with the largest true cavity, end-systole the one with the smallest. A
    frame that would be shown twice is shown once.
    """
    known = np.flatnonzero(cine.labelled)
    areas = (cine.labels[known] == CAVITY).sum(axis=(1, 2))
    begin, end = int(known[areas.argmax()]), int(known[areas.argmin()])
    # The heartbeat goes round.
    between = (begin + (end - begin) % len(cine.frames) // 2) % len(cine.frames)
    frames: dict[str, int] = {}
    for name, frame in (("end-diastole", begin), ("end-systole", end), ("between", between)):
        if frame not in frames.values():
            frames[name] = frame
    return {name: frames[name] for name in ("end-diastole", "between", "end-systole") if name in frames}


def frame_panels(cine: HeartSlice, found: Found, time: int) -> dict[str, NDArray[np.uint8]]:
    """Draws input, truth and what every network found in one frame: title -> RGB uint8 [H, W, 3]."""
    frame = shrink(cine.frames[time])
    classes = {"truth": cine.labels} if cine.labelled[time] else {}
    classes |= found
    drawn = {name: overlay(frame, resized(maps[time], frame.shape)) for name, maps in classes.items()}
    return {"input": grey_rgb(stretch(frame)), **drawn}


def heartbeat_movie(cine: HeartSlice, found: Found) -> bytes:
    """Makes a movie of a heartbeat as an animated GIF: input, truth and every network side by side.

    Where the truth is not known, its place shows the input.
    """
    return encode_gif(
        in_shared_colours(_movie_row(cine, found, time)) for time in movie_frames(len(cine.frames))
    )


def cavity_curves(cine: HeartSlice, found: Found) -> bytes:
    """Draws the area of the cavity over a heartbeat, of the truth and of what every network found, as PNG."""
    truth = np.where(cine.labelled, _areas(cine.labels), np.nan)
    return figures.areas_over_time({"truth": truth} | {name: _areas(maps) for name, maps in found.items()})


def _movie_row(cine: HeartSlice, found: Found, time: int) -> NDArray[np.uint8]:
    panels = frame_panels(cine, found, time)
    panels = {"input": panels["input"], "truth": panels["input"]} | panels
    return titled(picture_row([*panels.values()], MOVIE_SIDE), f"frame {time}")


def _areas(classes: NDArray[np.uint8]) -> NDArray[np.float64]:
    return (classes == CAVITY).sum(axis=(1, 2)).astype(np.float64)
