"""Holds the values of the classical cell tracker; `tuning` finds them on frames with truth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

# What separates cells from background: they are brighter, darker, or more varied than it.
Feature = Literal["brightness", "darkness", "texture"]
# What has a maximum in every cell's middle: the distance to the background, the feature, or their product.
Seeds = Literal["distance", "feature", "both"]
FEATURES: tuple[Feature, ...] = get_args(Feature)
SEEDS: tuple[Seeds, ...] = get_args(Seeds)


@dataclass(frozen=True)
class BaselineValues:
    """Holds what the classical tracker does to a video. Lengths are in pixels of the frames.

    Attributes:
        feature: One of `FEATURES`; texture is the standard deviation in a Gaussian window.
        smoothing: Sigma of the Gaussian over the frame; for texture, of its window.
        window: Side of the square whose mean is the background of its middle; 0 takes one background for the
            whole frame, the lower quartile of the feature.
        threshold: Of the foreground, above the background; 1 is Otsu's threshold of the frame.
        share: A cell keeps the pixels that reach this share of its mean above the background; 0 keeps all.
        seeds: One of `SEEDS`.
        seed_scale: Sigma of the Gaussian over the map whose maxima are seeds: cells closer than about twice
            this become one.
        smallest: Smaller cells are dropped and smaller holes are filled; an area.
        reach: Cells of two frames whose centres are farther apart are linked only where they overlap.
        division: A new cell at most this far from a cell of the frame before may be its daughter; 0 finds no
            divisions.
        likeness: The least ratio of two daughters' areas, the smaller to the larger.
        shortest: Tracks of fewer frames are dropped if they begin and end within the video.
    """

    feature: Feature = "brightness"
    smoothing: float = 1.0
    window: int = 0
    threshold: float = 1.0
    share: float = 0.0
    seeds: Seeds = "distance"
    seed_scale: float = 3.0
    smallest: int = 50
    reach: float = 20.0
    division: float = 20.0
    likeness: float = 0.5
    shortest: int = 1
