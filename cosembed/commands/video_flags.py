"""The flags of all commands that open a person's own video: which files, which channel. Knows no command."""

from __future__ import annotations

from typing import TYPE_CHECKING

from absl import flags

if TYPE_CHECKING:
    from cosembed.images.calibration import Calibration
    from cosembed.video_job.source import Source


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags that choose frames and channel."""
    flags.DEFINE_integer(
        "channel",
        None,
        "The channel to track, counted from 1; needed if frames have several.",
        flag_values=flag_values,
    )
    flags.DEFINE_string(
        "pattern",
        "",
        "The frames' file name, {frame} for the number and * for anything: t{frame}_ch00.tif.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "order",
        "number",
        ["number", "name"],
        "Frames by the numbers in their names, or one after the other by name, numbered from 0.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "gaps",
        "refuse",
        ["refuse", "hold"],
        "What becomes of a missing or blank frame: hold uses the frame before.",
        flag_values=flag_values,
    )


def define_calibration(flag_values: flags.FlagValues) -> None:
    """Defines the flags that say what a pixel and a frame are."""
    flags.DEFINE_float(
        "pixel_size",
        None,
        "Side of a pixel in micrometres; default: what the input says.",
        flag_values=flag_values,
    )
    flags.DEFINE_float(
        "frame_interval",
        None,
        "Time between two frames in minutes; default: what the input says.",
        flag_values=flag_values,
    )


def calibration(flag_values: flags.FlagValues) -> Calibration:
    """Reads what the flags say of pixels and frames.

    Raises:
        InputError: A value is not above 0, or not finite.
    """
    from cosembed.images.calibration import given_by_person

    return given_by_person(flag_values.pixel_size, flag_values.frame_interval)


def source(flag_values: flags.FlagValues, path: str) -> Source:
    """Says which frames of a folder or stack the flags choose.

    Raises:
        InputError: The pattern does not say where the number is.
    """
    from cosembed.images.frame_files import FrameChoice
    from cosembed.video_job.source import Source

    choice = FrameChoice(flag_values.pattern, flag_values.order, flag_values.gaps)
    return Source(path, flag_values.channel, choice)
