"""Converts a result folder to GEFF, TrackMate or OME-Zarr labels, and GEFF back to a result folder.

    cosembed convert --input=my_frames_RES --output=tracks.geff
    cosembed convert --input=tracks.geff --output=my_frames_back
    cosembed convert --input=my_frames_RES --output=tracks.xml --pixel_size=0.65 --frame_interval=5
    cosembed convert --input=my_frames_RES --output=cells.zarr --ome_zarr=0.5

The input says which way it goes: a challenge folder (maskNNN.tif, res_track.txt) becomes what the name of the
output says, .geff (a graph of the cells with the label image inside), .xml (a file of TrackMate with its
divisions) or .zarr (the label image alone); a GEFF becomes a challenge folder. Nothing is lost on the way
there and back. Pixel size and frame interval are those of track.json or of the flags.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from cosembed.commands import command_line, video_flags
from cosembed.errors import InputError
from cosembed.files.wording import counted

if TYPE_CHECKING:
    from cosembed.exchange.ome_zarr_labels import Version
    from cosembed.exchange.result_folder import ResultFolder
    from cosembed.images.calibration import Calibration


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string(
        "input", "", "A result folder (maskNNN.tif, res_track.txt), or a GEFF.", flag_values=flag_values
    )
    flags.DEFINE_string(
        "output",
        "",
        "What to write, which must not exist: NAME.geff, NAME.xml, NAME.zarr; of a GEFF, a folder.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "ome_zarr", "0.4", ["0.4", "0.5"], "The version of OME-Zarr of label images.", flag_values=flag_values
    )
    video_flags.define_calibration(flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Converts in the direction that the input says.

    Raises:
        InputError: A missing flag; an input that is neither, or damaged; an output of an unknown kind.
        OutputError: The output exists already.
    """
    from cosembed.exchange.geff_reading import is_geff, read_geff, write_result_folder
    from cosembed.files.writing import refuse_existing

    command_line.require(flag_values, "input", "output")
    source, output = Path(flag_values.input), Path(flag_values.output)
    calibration = video_flags.calibration(flag_values)
    refuse_existing(output)
    if not is_geff(source):
        _convert_folder(source, output, calibration, flag_values.ome_zarr)
        return
    if output.suffix:
        raise InputError(f"--output={output}: a GEFF becomes a result folder; give a name without an ending")
    if any(calibration):
        raise InputError(
            "--pixel_size, --frame_interval: a result folder has no place for them; leave them out"
        )
    stored = read_geff(source)
    tracks = write_result_folder(stored, output).tracks
    print(f"{output}: {counted(len(stored.labels), 'mask')}, {counted(len(tracks), 'track')}")


def _convert_folder(folder: Path, output: Path, given: Calibration, version: Version) -> None:
    from cosembed.exchange.geff_writing import write_geff
    from cosembed.exchange.ome_zarr_labels import write_labels
    from cosembed.exchange.result_folder import open_result
    from cosembed.exchange.trackmate import write_trackmate
    from cosembed.images.calibration import UNKNOWN, Stated, settle
    from cosembed.video_job.record import RECORD, read_record

    writers: dict[str, Callable[[ResultFolder, Path, Calibration], None]] = {
        ".geff": partial(write_geff, version=version),
        ".xml": write_trackmate,
        ".zarr": partial(write_labels, version=version),
    }
    write = writers.get(output.suffix.lower())
    if write is None:
        raise InputError(
            f"--output={output}: its ending says what is written; a result folder becomes "
            f"{' or '.join(writers)}"
        )
    result = open_result(folder)
    record = read_record(folder)
    known = record.calibration if record else UNKNOWN
    stated = Stated(*((value,) if value else () for value in known))
    calibration, doubts = settle(str(folder / RECORD), stated, given)
    for doubt in doubts:
        print(f"warning: {doubt}")
    write(result, output, calibration)
    print(
        f"{output}: {counted(len(result.masks), 'frame')}, {counted(len(result.found.tracks), 'track')}, "
        f"{calibration.described()}"
    )
