"""Holds the size of a pixel and the time between frames, and converts the units in which files state them.

Lengths are micrometres and times minutes everywhere in this package. Knows no file format.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from cosembed.errors import DataError

# The unit's names in OME's XML, OME-Zarr and ImageJ -> how many micrometres, or minutes, it has.
MICROMETRES = {
    "m": 1e6,
    "meter": 1e6,
    "cm": 1e4,
    "centimeter": 1e4,
    "mm": 1e3,
    "millimeter": 1e3,
    "µm": 1.0,
    "μm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "å": 1e-4,
    "angstrom": 1e-4,
}
MINUTES = {
    "d": 1440.0,
    "day": 1440.0,
    "h": 60.0,
    "hour": 60.0,
    "hours": 60.0,
    "min": 1.0,
    "minute": 1.0,
    "minutes": 1.0,
    "s": 1 / 60,
    "sec": 1 / 60,
    "second": 1 / 60,
    "seconds": 1 / 60,
    "ms": 1 / 60e3,
    "msec": 1 / 60e3,
    "millisecond": 1 / 60e3,
}
# Two statements of the same value differ by no more than this share of it.
TOLERANCE = 0.01


class Calibration(NamedTuple):
    """Says what a pixel and a frame are in the world.

    Attributes:
        pixel_size: Side of a pixel in micrometres; None if it is not known.
        frame_interval: Time from one frame to the next in minutes; None if it is not known.
    """

    pixel_size: float | None = None
    frame_interval: float | None = None

    def facts(self) -> list[tuple[str, str]]:
        """Names what is known, for the screen and the report."""
        found = []
        if self.pixel_size:
            found.append(("Pixel size", f"{self.pixel_size:.6g} micrometres"))
        if self.frame_interval:
            found.append(("Frame interval", f"{self.frame_interval:.6g} minutes"))
        return found

    def described(self) -> str:
        """Words what is known for the end of a line."""
        return ", ".join(f"{name.lower()} {value}" for name, value in self.facts()) or "in pixels and frames"


UNKNOWN = Calibration()


def in_micrometres(value: float | None, unit: str | None) -> float | None:
    """Converts a length; None if the unit is no length, or the value states nothing."""
    return _converted(value, unit, MICROMETRES)


def in_minutes(value: float | None, unit: str | None) -> float | None:
    """Converts a time; None if the unit is no time, or the value states nothing."""
    return _converted(value, unit, MINUTES)


def differ(first: float, second: float) -> bool:
    """Tells whether two statements of a positive value contradict each other."""
    return abs(first - second) > TOLERANCE * max(first, second)


def _converted(value: float | None, unit: str | None, factors: dict[str, float]) -> float | None:
    factor = factors.get((unit or "").strip().lower())
    if value is None or factor is None or not 0 < value * factor < float("inf"):
        return None
    return value * factor


def square_pixel_size(path: Path, y: float | None, x: float | None) -> float | None:
    """Returns the side of a pixel of which a file states height and width in micrometres.

    Args:
        path: The file, for the message.
        y: Its height; None if it is not stated.
        x: Its width; None if it is not stated.

    Raises:
        DataError: They differ.
    """
    if y is None or x is None:
        return None
    if differ(y, x):
        raise DataError(
            f"{path}: states pixels of {y:.6g} x {x:.6g} micrometres, which are not square; resample the "
            "video, or give the size that counts with --pixel_size"
        )
    return x
