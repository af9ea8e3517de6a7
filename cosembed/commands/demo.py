"""Shows all of it in a minute: simulates a video, tracks it with a network of the package, scores it.

    cosembed demo --output=demo
    cosembed demo --output=unseen --network=runs/demo/test_02 --frames=40 --seed=71 --videos=3

Needs no data, no GPU and no network access. Writes the video (OUTPUT/01), its truth (OUTPUT/01_GT), and the
tracks with a report (OUTPUT/01_RES), and prints the scores and the report's path; of several videos also the
mean scores. The network that comes with the package has not seen the videos.
"""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from cosembed.commands import command_line
from cosembed.errors import InputError

if TYPE_CHECKING:
    from cosembed.inference.networks import Network

NETWORK = "simulated"
# The look of the videos that the network was trained on; those have the seeds 1 and 2.
SIZE, CELLS, DIFFICULTY = 192, 20, 1.0
SCORES = ("SEG", "DET", "TRA")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of this command."""
    flags.DEFINE_string("output", "", "Folder to write; it must not exist yet.", flag_values=flag_values)
    flags.DEFINE_string(
        "network", NETWORK, "Name or folder of the network, as for cosembed track.", flag_values=flag_values
    )
    flags.DEFINE_integer("frames", 20, "Number of frames of a video.", flag_values=flag_values)
    flags.DEFINE_integer("seed", 3, "Another seed gives another video.", flag_values=flag_values)
    flags.DEFINE_integer(
        "videos",
        1,
        "Number of videos; each has the seed after that of the one before.",
        flag_values=flag_values,
    )


def main(flag_values: flags.FlagValues) -> None:
    """Simulates, tracks and scores.

    Raises:
        InputError: A missing flag, a number out of range, or an output folder that exists.
    """
    from cosembed.files.writing import atomic_folder
    from cosembed.requirements import check_tensorflow

    command_line.require(flag_values, "output")
    output, count = Path(flag_values.output), flag_values.videos
    if not 1 <= count <= 99:
        raise InputError(f"--videos={count}: must be 1 to 99")
    with atomic_folder(output) as folder:
        from cosembed.simulation import simulate_video, write_video

        seeds = {f"{number:02d}": flag_values.seed + number - 1 for number in range(1, count + 1)}
        for video, seed in seeds.items():
            content = simulate_video(flag_values.frames, SIZE, CELLS, DIFFICULTY, seed)
            write_video(folder, video, content)
        check_tensorflow()
        from cosembed.inference.networks import load_network

        network = load_network(flag_values.network)
        scores = {video: _track_and_score(folder, video, output, network) for video in seeds}
    for video, seed in seeds.items() if count > 1 else ():
        print(f"seed {seed}: {', '.join(f'{name} {scores[video][name]:.3f}' for name in SCORES)}")
    for name in SCORES:
        mean = statistics.fmean(found[name] for found in scores.values())
        print(f"{name} {mean:.3f}{f', mean of {count} videos' if count > 1 else ''}")
    for video in seeds:
        print(f"{output / f'{video}_RES' / 'report.html'}: open it in a browser")


def _track_and_score(folder: Path, video: str, output: Path, network: Network) -> dict[str, float]:
    """Tracks a video in `folder`, which will be called `output`; gives its scores."""
    from cosembed.images.frames import open_frames
    from cosembed.metrics.ctc import evaluate_ctc
    from cosembed.video_job.job import run_job
    from cosembed.video_job.planning import plan_job

    result = folder / f"{video}_RES"
    job = plan_job(open_frames(folder / video), str(output / video), network, {})
    for title, fact in job[-1]:
        print(f"{title}: {fact}", flush=True)
    run_job(*job).save(result)
    scores = evaluate_ctc(result, folder / f"{video}_GT")
    return {name: scores[name] for name in SCORES}
