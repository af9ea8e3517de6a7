"""Holds the size of a pixel and the time between frames, and converts the units in which files state them.

Lengths are micrometres and times minutes everywhere in this package. Knows no file format.
"""

from __future__ import annotations

from typing import NamedTuple

from cosembed.errors import DataError, InputError

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
# Statements of one size, or of one interval, that differ by no more than this share of it agree. Microscopes
# keep an interval less exactly than a size.
PIXEL_TOLERANCE, INTERVAL_TOLERANCE = 0.01, 0.05


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


class Stated(NamedTuple):
    """Holds everything that the metadata of a video state, which may be the same thing several times.

    Attributes:
        pixel_sizes: Heights and widths of pixels in micrometres.
        frame_intervals: Times between frames in minutes.
    """

    pixel_sizes: tuple[float, ...] = ()
    frame_intervals: tuple[float, ...] = ()


def settle(name: str, stated: Stated, given: Calibration = UNKNOWN) -> tuple[Calibration, list[str]]:
    """Decides what a pixel and a frame are: what a person says counts more than what the file states.

    Args:
        name: What the video is called in messages.
        stated: What its metadata state.
        given: What a person says.

    Returns:
        The calibration, and a sentence for every statement that was overruled.

    Raises:
        DataError: The metadata contradict each other, and a person says nothing.
    """
    pixel, doubts = _settled(
        name, stated.pixel_sizes, given.pixel_size, PIXEL_TOLERANCE, "pixels of {} micrometres", "pixel_size"
    )
    interval, more = _settled(
        name,
        stated.frame_intervals,
        given.frame_interval,
        INTERVAL_TOLERANCE,
        "{} minutes between frames",
        "frame_interval",
    )
    return Calibration(pixel, interval), doubts + more


def given_by_person(pixel_size: float | None, frame_interval: float | None) -> Calibration:
    """Takes what a person says.

    Args:
        pixel_size: Micrometres.
        frame_interval: Minutes.

    Raises:
        InputError: A value is not above 0, or not finite.
    """
    for name, value in (("pixel_size", pixel_size), ("frame_interval", frame_interval)):
        if value is not None and not 0 < value < float("inf"):
            raise InputError(f"{name}={value}: must be above 0, and finite")
    return Calibration(pixel_size, frame_interval)


def in_micrometres(value: float | None, unit: str | None) -> tuple[float, ...]:
    """Converts a length; nothing if the unit is no length, or the value states nothing."""
    return _converted(value, unit, MICROMETRES)


def in_minutes(value: float | None, unit: str | None) -> tuple[float, ...]:
    """Converts a time; nothing if the unit is no time, or the value states nothing."""
    return _converted(value, unit, MINUTES)


def _converted(value: float | None, unit: str | None, factors: dict[str, float]) -> tuple[float, ...]:
    factor = factors.get((unit or "").strip().lower())
    if value is None or factor is None or not 0 < value * factor < float("inf"):
        return ()
    return (value * factor,)


def _settled(
    name: str, stated: tuple[float, ...], given: float | None, tolerance: float, words: str, flag: str
) -> tuple[float | None, list[str]]:
    """Decides one value, and words what was overruled."""
    texts = [words.format(f"{value:.6g}") for value in stated]
    if given is not None:
        overruled = [
            text for value, text in zip(stated, texts, strict=True) if _differ(value, given, tolerance)
        ]
        doubt = f"{name} states {overruled[0]}; --{flag}={given:g} counts." if overruled else ""
        return given, [doubt] if doubt else []
    for value, text in zip(stated, texts, strict=True):
        if _differ(value, stated[0], tolerance):
            raise DataError(
                f"{name}: its metadata contradict each other, they state {texts[0]} and {text}; give what "
                f"counts with --{flag} (in Python {flag})"
            )
    return (stated[0] if stated else None), []


def _differ(first: float, second: float, tolerance: float) -> bool:
    return abs(first - second) > tolerance * max(first, second)
