"""Reads from a TIFF file what OME and ImageJ state of pixel size and frame interval. Decodes no pixel."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import tifffile

from cosembed.images.calibration import Stated, in_micrometres, in_minutes
from cosembed.images.tiff import open_tiff


def read_stated(path: Path) -> Stated:
    """Reads what a TIFF file states; nothing if it is neither of OME nor of ImageJ, or cannot be understood.

    Raises:
        DataError: It cannot be read.
    """
    with open_tiff(path) as file, suppress(ET.ParseError, IndexError, TypeError, ValueError):
        if file.is_ome and file.ome_metadata:
            return _stated_by_ome(file.ome_metadata)
        if file.is_imagej and file.imagej_metadata:
            return _stated_by_imagej(file.imagej_metadata, file.pages[0].aspage())
    return Stated()


def _stated_by_ome(text: str) -> Stated:
    """Reads OME's XML; its units are micrometres and seconds unless it names others."""
    sizes: tuple[float, ...] = ()
    intervals: tuple[float, ...] = ()
    for pixels in ET.fromstring(text).iter():
        if _name(pixels) != "Pixels":
            continue
        for axis in "YX":
            unit = pixels.get(f"PhysicalSize{axis}Unit", "µm")
            sizes += in_micrometres(_number(pixels.get(f"PhysicalSize{axis}")), unit)
        intervals += in_minutes(_number(pixels.get("TimeIncrement")), pixels.get("TimeIncrementUnit", "s"))
        intervals += _interval_of_planes(pixels)
    return Stated(sizes, intervals)


def _interval_of_planes(pixels: ET.Element) -> tuple[float, ...]:
    """Finds the median time from one frame to the next, where each says when it was taken."""
    times: dict[int, float] = {}
    for plane in pixels:
        if _name(plane) == "Plane" and plane.get("TheC", "0") == plane.get("TheZ", "0") == "0":
            minutes = in_minutes(_number(plane.get("DeltaT")), plane.get("DeltaTUnit", "s"))
            # The first frame may have been taken at 0, which is no time span.
            times[int(plane.get("TheT", "0"))] = minutes[0] if minutes else 0.0
    steps = [times[second] - times[first] for first, second in pairwise(sorted(times))]
    return (median(steps),) if steps and min(steps) > 0 else ()


def _stated_by_imagej(metadata: dict[str, Any], page: tifffile.TiffPage) -> Stated:
    """Reads ImageJ's description; its unit of time is the second unless it names another."""
    # Old versions write the letter as an escape.
    units = [str(metadata.get(key) or "").replace("\\u00B5", "µ") for key in ("unit", "yunit")]
    sizes: tuple[float, ...] = ()
    for tag, unit in (("XResolution", units[0]), ("YResolution", units[1] or units[0])):
        resolution = page.tags.get(tag)
        if resolution is not None and resolution.value[0]:
            sizes += in_micrometres(resolution.value[1] / resolution.value[0], unit)
    return Stated(sizes, in_minutes(_number(metadata.get("finterval")), str(metadata.get("tunit") or "s")))


def _name(element: ET.Element) -> str:
    """Returns an element's name without its namespace, which has the version of the schema."""
    return str(element.tag).rpartition("}")[2]


def _number(text: Any) -> float | None:
    try:
        return float(text)
    except (TypeError, ValueError):
        return None
