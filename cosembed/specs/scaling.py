"""Turns the values of files into values at the size that a profile or a flag gives the network's pixels.

Files hold lengths in the network pixels of their own grid: the whole image at 256 x 256 in the paper, the
tiled image's size in the follow-up. Knows mappings only, no files.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from cosembed.specs.dataclass_mapping import merge

REFERENCE_SIZE = 256
# The released code ignores so many original pixels along the edge of an image, where it ignores any.
RELEASED_BORDER = 50


def scale(mapping: Mapping[str, Any], at_files_size: Mapping[str, Any]) -> dict[str, Any]:
    """Scales lengths by the change of the network's pixels, areas by its square.

    Elastic movement, drift and jiggle are seen in the window that the network is trained on, and follow its
    side. Everything that is measured on cells follows the size of cells in network pixels, but for what is
    measured in the original image.

    Args:
        mapping: The sections of a spec, with values as files hold them, at the size wanted.
        at_files_size: The same at the size that the files' values are given for.

    Returns:
        The sections of the spec with final values.
    """
    window = mapping["network"]["image_size"] / at_files_size["network"]["image_size"]
    mapping = _follow_window(mapping, at_files_size, window)
    cells = math.sqrt(math.prod(_shape(mapping)) / math.prod(_shape(at_files_size)))
    if window == 1 and cells == 1:
        return dict(mapping)
    augmentation = mapping["augmentation"]
    lengths = ("translation", "elastic_amplitude", "drift", "jiggle")
    scaled: dict[str, Any] = {
        "augmentation": {key: augmentation[key] * window for key in lengths},
        "preprocessing": {"label_smoothing": mapping["preprocessing"]["label_smoothing"] * cells},
    }
    if "instances" in mapping:
        scaled["instances"] = {"neighbour_radius": mapping["instances"]["neighbour_radius"] * cells}
    for section in mapping.keys() & {"tracking", "clustering"}:
        values = mapping[section]
        scaled[section] = {
            "min_points": max(3, round(values["min_points"] * cells * cells)),
            "coordinate_factor": values["coordinate_factor"] / cells,
        }
    if "tracking" in mapping and mapping["tracking"].get("clean_up") != "original":
        tracking = mapping["tracking"]
        scaled["tracking"] |= {
            "border": _scaled_border(tracking["border"], mapping["dataset"]["image_shape"], _shape(mapping)),
            "parent_dilation": _nearest_odd(tracking["parent_dilation"] * cells),
        }
    return merge(mapping, scaled)


def _follow_window(
    mapping: Mapping[str, Any], at_files_size: Mapping[str, Any], window: float
) -> Mapping[str, Any]:
    """Lets a tiled image, a tile's overlap and a stretch of time shrink with a profile's clips."""
    before, pieces = at_files_size.get("inference", {}), dict(mapping.get("inference", {}))
    size = pieces.get("size")
    if size and size == before.get("size"):
        pieces["size"] = [round(side * window) for side in size]
    if pieces.get("window") and pieces["window"] == before.get("window"):
        pieces["window"] = min(pieces["window"], mapping["training"]["clip_length"])
    if pieces.get("overlap") and not pieces.get("tile"):
        pieces["overlap"] = min(pieces["overlap"], mapping["network"]["image_size"] // 2)
    return merge(mapping, {"inference": pieces}) if pieces else mapping


def _shape(mapping: Mapping[str, Any]) -> tuple[float, float]:
    """Returns to how many network pixels the data set's image is brought at test time, (y, x)."""
    pieces = mapping.get("inference", {})
    size = mapping["network"]["image_size"]
    if pieces.get("scale"):
        height, width = mapping["dataset"]["image_shape"]
        return height * pieces["scale"], width * pieces["scale"]
    height, width = pieces.get("size", (0, 0))
    return (height, width) if height else (size, size)


def _scaled_border(border: list[int], image_shape: list[int], shape: tuple[float, float]) -> list[int]:
    """Gives the border in network pixels, where there is one in the data set's own values."""
    return [
        int(RELEASED_BORDER * count / side) if pixels else 0
        for pixels, side, count in zip(border, image_shape, shape, strict=True)
    ]


def _nearest_odd(diameter: float) -> int:
    return 0 if diameter == 0 else max(1, 2 * round((diameter - 1) / 2) + 1)
