"""Shows all of it in a minute: simulates a video, tracks it with a network of the package, scores it.

    cosembed demo --output=demo

Needs no data, no GPU and no network access. Writes the video (OUTPUT/01), its truth (OUTPUT/01_GT), and the
tracks with a report (OUTPUT/01_RES), and prints the scores and the report's path. The network has not seen
the video.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from cosembed.commands import command_line

if TYPE_CHECKING:
    from cosembed.inference.networks import Network

NETWORK = "simulated"
# The look of the videos that the network was trained on; those have the seeds 1 and 2.
SIZE, CELLS, DIFFICULTY = 192, 20, 1.0
VIDEO = "01"


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.", flag_values=flag_values)
    flags.DEFINE_integer("frames", 20, "Number of frames of the video.", flag_values=flag_values)
    flags.DEFINE_integer("seed", 3, "Another seed gives another video.", flag_values=flag_values)


def main(flag_values: flags.FlagValues) -> None:
    """Simulates, tracks and scores.

    Raises:
        InputError: A missing flag, a number out of range, or an output folder that exists.
    """
    from cosembed.files.writing import atomic_folder
    from cosembed.requirements import check_tensorflow

    command_line.require(flag_values, "output")
    output = Path(flag_values.output)
    with atomic_folder(output) as folder:
        from cosembed.simulation import simulate_video, write_video

        video = simulate_video(flag_values.frames, SIZE, CELLS, DIFFICULTY, flag_values.seed)
        write_video(folder, VIDEO, video)
        check_tensorflow()
        from cosembed.inference.networks import load_network

        scores = _track_and_score(folder, output, load_network(NETWORK))
    for name, score in scores:
        print(f"{name} {score:.3f}")
    print(f"{output / f'{VIDEO}_RES' / 'report.html'}: open it in a browser")


def _track_and_score(folder: Path, output: Path, network: Network) -> list[tuple[str, float]]:
    """Tracks the video in `folder`, which will be called `output`; gives its scores."""
    from cosembed.images.frames import open_frames
    from cosembed.metrics.ctc import evaluate_ctc
    from cosembed.video_job.job import run_job
    from cosembed.video_job.planning import plan_job

    result = folder / f"{VIDEO}_RES"
    job = plan_job(open_frames(folder / VIDEO), str(output / VIDEO), network, {})
    for title, fact in job[-1]:
        print(f"{title}: {fact}", flush=True)
    run_job(*job).save(result)
    scores = evaluate_ctc(result, folder / f"{VIDEO}_GT")
    return [(name, scores[name]) for name in ("SEG", "DET", "TRA")]
