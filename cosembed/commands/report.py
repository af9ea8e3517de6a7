"""Makes report and pictures of a result folder anew, for example after its masks were corrected by hand.

    cosembed report --result_dir=my_frames_RES
    cosembed report --result_dir=01_RES --frames=01

Writes report.html and pictures/ into the result folder, in the place of those that are there; masks and
tables stay as they are. A result of `cosembed track` knows where its frames are and how they were chosen;
those of any other result of the Cell Tracking Challenge are named with --frames. Without frames the masks are
shown alone.
"""

from __future__ import annotations

from pathlib import Path

from absl import flags

from cosembed.commands import command_line, video_flags
from cosembed.errors import InputError


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("result_dir", "", "Folder of maskNNN.tif and res_track.txt.", flag_values=flag_values)
    flags.DEFINE_string(
        "frames", "", "The frames that belong to it, where they are not known.", flag_values=flag_values
    )
    video_flags.define_flags(flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Makes the report.

    Raises:
        InputError: A missing flag, or one that is for frames without any; no result; frames of another video.
    """
    from cosembed.files.writing import finish_moving
    from cosembed.video_job.finishing import frames_of_result, make_report

    command_line.require(flag_values, "result_dir")
    folder = Path(flag_values.result_dir)
    for name in ("channel", "pattern", "order", "gaps"):
        if not flag_values.frames and not flag_values[name].using_default_value:
            raise InputError(f"--{name}: chooses among the frames of --frames; give both")
    finish_moving(folder)
    source = video_flags.source(flag_values, flag_values.frames) if flag_values.frames else None
    frames, warning = frames_of_result(folder, source)
    written = make_report(folder, frames)
    for title, finding in written.facts:
        print(f"{title}: {finding}")
    for text in [warning, *written.warnings]:
        if text:
            print(f"warning: {text}")
    print(f"{folder}: open {folder / 'report.html'} in a browser")
