"""Joins the shards of a video that `cosembed track --shard=i/n` made into one result folder.

    cosembed track --network=NAME --input=my_video --output=my_video_RES --shard=1/8
    ... and the other seven, on any machines that see the same folders
    cosembed merge --output=my_video_RES

The shards lie beside the output as my_video_RES.shard-1-of-8 and so on. The result is, bit by bit, what one
run without --shard writes. Shards that are missing are named with the command that makes them; those of
another video, another network or other values are refused. The shards stay, and can be removed afterwards.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "output", "", "Result folder to write, as it was given to the shards.", flag_values=flag_values
    )


def main(flag_values: flags.FlagValues) -> None:
    """Joins the shards.

    Raises:
        InputError: A missing flag, or shards that are missing, damaged or do not belong together.
        OSError: The output folder cannot be written.
    """
    from cosembed.commands.track_shards import merge_shards

    command_line.require(flag_values, "output")
    merge_shards(Path(flag_values.output))
