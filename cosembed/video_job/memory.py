"""How much memory it takes to track a video, and how much there is. Knows sizes, holds no arrays.

The factors were measured on the package's own steps; what they multiply is what the steps hold at the same
time.
"""

from __future__ import annotations

import math

from cosembed.errors import InputError
from cosembed.files.packed_arrays import IN_MEMORY
from cosembed.inference.pieces import bytes_of_group, plan_pieces
from cosembed.preprocessing.geometry import shape_of_test
from cosembed.preprocessing.label_values import LARGEST_LABEL
from cosembed.specs import CellsSpec

MEGABYTE = 10**6
# Beside what grows: libraries that are loaded when they are first needed, compiled clustering, and buffers of
# TensorFlow's first step.
NETWORK_BASE = 300 * MEGABYTE
# Feature maps of the largest level alive in one step of the stacked network, its state included.
FEATURE_MAPS = 24
# Bytes per pixel and frame of packed label maps: as many at 96 x 96 pixels, fewer of larger ones.
PACKED = 0.1
# Bytes per pixel of each label map that is held to look back at, and while one is cleaned up.
HELD, CLEANED = 4, 24
# Bytes per cell and frame: columns of what is measured, and their copies while they are sorted. A cell is
# taken to have so many times the pixels that clustering needs as points.
MEASURED, PIXELS_PER_POINT = 250, 2
# Bytes per original pixel of the one frame being read or written, and per channel of it.
FRAME_PIXEL, FRAME_CHANNEL = 24, 12
# Bytes per network pixel of an image that is cut into tiles, for each of its channels; and while a pair is
# merged or stitched.
TILED_CHANNEL, MERGING = 12, 48
# Copies of the points that clustering and its trees hold, in float64.
POINT_COPIES = 6
FOREGROUND = 0.5


def estimate(frames: int, image_shape: tuple[int, int], spec: CellsSpec) -> dict[str, int]:
    """Bytes that tracking a video takes at its peak, beyond a loaded network, by what takes them.

    Args:
        frames: Number of frames.
        image_shape: Height and width of the original images.
        spec: Network values; half of the pixels are taken to be cells.
    """
    network, tracking = spec.network, spec.tracking
    whole = math.prod(shape_of_test(image_shape, spec))
    pixels = spec.tile_side**2 if spec.inference.tiled else whole
    points = int(FOREGROUND * 2 * pixels)
    # Those of the network's size are there while those of the frames' size are made.
    maps = sum(min(IN_MEMORY, int(PACKED * side * frames)) for side in (whole, math.prod(image_shape)))
    cells = min(LARGEST_LABEL, FOREGROUND * whole / (PIXELS_PER_POINT * tracking.min_points))
    cleaned = whole
    if tracking.clean_up == "original":
        cleaned = math.prod(image_shape)
    stitching = (MERGING + HELD * tracking.false_split_frames) * whole
    later = max(stitching, (CLEANED + HELD * (tracking.parent_frames + 1)) * cleaned)
    parts = {
        "network": NETWORK_BASE + FEATURE_MAPS * 4 * pixels * network.filters,
        "label maps": maps,
        "tables": int(MEASURED * cells * frames),
        "clustering": 8 * POINT_COPIES * points * (network.outputs + 2),
        "one frame": image_shape[0] * image_shape[1] * (FRAME_PIXEL + FRAME_CHANNEL * network.channels),
    }
    if spec.inference.tiled:
        parts["tiles"] = bytes_of_group(spec, plan_pieces(frames, image_shape, spec))
        parts["one frame"] += whole * TILED_CHANNEL * network.channels
        # Merging, cleaning up and tables come when tiles and frames have been left.
        parts["merging"] = max(0, later - parts["tiles"] - parts["one frame"])
        parts["tables"] = max(0, parts["tables"] - parts["tiles"])
    else:
        parts["label maps"] += later
    return parts


def check(parts: dict[str, int], free: int | None) -> str:
    """The estimate beside what is available, as one phrase.

    Raises:
        InputError: It does not fit; says what takes most and what to do.
    """
    total = sum(parts.values())
    listed = ", ".join(f"{name} {megabytes(size)}" for name, size in parts.items())
    if free is not None and total > free:
        remedy = "use a smaller network or a machine with more memory"
        if max(parts, key=lambda name: parts[name]) in ("merging", "one frame"):
            remedy = "cut the images into parts, or use a machine with more memory"
        if max(parts, key=lambda name: parts[name]) in ("tables", "masks"):
            remedy = "cut the video into shorter ones, or use a machine with more memory"
        raise InputError(
            f"memory: about {megabytes(total)} needed ({listed}), but {megabytes(free)} available; {remedy}"
        )
    beside = "" if free is None else f"; {megabytes(free)} available"
    return f"about {megabytes(total)} ({listed}){beside}"


def megabytes(size: int) -> str:
    """For people: `1,230 MB`."""
    return f"{max(1, round(size / MEGABYTE)):,} MB"
