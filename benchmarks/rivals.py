"""Compares our linking with that of other trackers, on the same masks and by the same measures.

    python -m benchmarks.rivals --network=Fluo-N2DH-SIM+ --video=data/Fluo-N2DH-SIM+/01 --frames=45:65 \
        --tune_on=data/Fluo-N2DH-SIM+/01 --tune_frames=0:45 --out_dir=runs/rivals-sim
    python -m benchmarks.rivals --result_dir=01_RES --ground_truth_dir=01_GT --rivals=btrack

The first form tracks videos by a network and keeps the results in --out_dir, so that another call only links
them anew; the second one takes a result that exists. The rivals are btrack and LapTrack (pip install
"cosembed[rivals]") and the classical baseline's assignment, each on the masks of our result. The baseline as
a whole, with masks of its own, is compared, too: tuned on --tune_on, or from --baseline_dir. trackastra takes
no part: its weights are to be had from a hub only.
"""

from __future__ import annotations

import dataclasses
import importlib.metadata
import json
import platform
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from benchmarks.rivals_linking import LINKERS
from benchmarks.rivals_scores import PreparedVideo, compare, version_of
from benchmarks.rivals_table import as_table, means_over_videos
from benchmarks.video_ranges import video_range
from cosembed import specs
from cosembed.commands import command_line
from cosembed.errors import InputError
from cosembed.files.writing import atomic_write_text

FLAGS = flags.FLAGS

flags.DEFINE_string("network", "", "Name or folder of the network that tracks --video.")
flags.DEFINE_multi_string("video", [], "Annotated video DATA/01, its truth is DATA/01_GT; repeatable.")
flags.DEFINE_string("frames", "", "Frames of it to track, begin:end; all, if empty.")
flags.DEFINE_multi_string("set", [], "tracking.key=value in place of the network's; repeatable.")
flags.DEFINE_string("tune_on", "", "Annotated video DATA/01 to tune the classical baseline on.")
flags.DEFINE_string("tune_frames", "", "Frames of it to tune on, begin:end; all, if empty.")
flags.DEFINE_string("out_dir", "", "Folder that keeps what was tracked.")
flags.DEFINE_string("result_dir", "", "Instead of a network: our result, maskNNN.tif and res_track.txt.")
flags.DEFINE_string("ground_truth_dir", "", "Its truth: TRA, SEG, or both.")
flags.DEFINE_string("baseline_dir", "", "A result folder of the classical baseline, for the same frames.")
flags.DEFINE_list("rivals", list(LINKERS), "Which of them to compare with.")
flags.DEFINE_float("reach", None, "Pixels a cell may move between frames; 1.5 diameters, if left out.")
flags.DEFINE_string("json", "", "File to write all scores and versions to.")
flags.DEFINE_string("markdown", "", "File to write the table to.")


def main() -> None:
    """Scores our results and the rivals' links of their masks.

    Raises:
        InputError: A flag is missing or unknown, a package is not installed, or a folder cannot be used.
    """
    # Tracking may take long: a rival that is missing is told before.
    versions = {name: version_of(name) for name in FLAGS.rivals}
    facts: dict[str, Any] = {"python": platform.python_version(), "numpy": np.__version__}
    if FLAGS.network or FLAGS.video:
        videos = _track(facts)
    else:
        command_line.require(FLAGS, "result_dir", "ground_truth_dir")
        baseline = Path(FLAGS.baseline_dir) if FLAGS.baseline_dir else None
        result = Path(FLAGS.result_dir)
        videos = [PreparedVideo(result.name, result, Path(FLAGS.ground_truth_dir), baseline)]
    rows = [row for video in videos for row in compare(video, versions, FLAGS.reach)]
    means = means_over_videos(rows) if len(videos) > 1 else []
    shown = as_table([*rows, *means])
    print(shown)
    if FLAGS.markdown:
        atomic_write_text(Path(FLAGS.markdown), f"{shown}\n")
    if FLAGS.json:
        facts["py-ctcmetrics"] = importlib.metadata.version("py-ctcmetrics")
        content = {"made_with": facts, "rows": rows, "means": means}
        atomic_write_text(Path(FLAGS.json), json.dumps(content, indent=1) + "\n")


def _track(facts: dict[str, Any]) -> list[PreparedVideo]:
    """Tracks the videos that the flags name, unless that was done, and notes the network among the facts."""
    # TensorFlow is needed for tracking only.
    from benchmarks.rivals_videos import prepare_video
    from cosembed.inference.networks import load_network

    command_line.require(FLAGS, "network", "video", "out_dir")
    for name in ("result_dir", "ground_truth_dir", "baseline_dir"):
        if FLAGS[name].value:
            raise InputError(f"--network and --{name}: give a network and videos, or folders; leave one out")
    videos = [video_range(Path(path), FLAGS.frames, "frames") for path in FLAGS.video]
    names = [video.video for video in videos]
    for name in names:
        if names.count(name) > 1:
            raise InputError(f"--video: two videos are called {name}; compare them in two calls")
    tuned_on = None
    if FLAGS.tune_on:
        tuned_on = video_range(Path(FLAGS.tune_on), FLAGS.tune_frames, "tune_frames")
    network = load_network(FLAGS.network)
    settings = specs.parse_assignments(FLAGS.set)
    network = dataclasses.replace(network, spec=specs.override(network.spec, settings))
    facts |= {
        "network": network.description,
        "settings": settings,
        "frames": list(map(str, videos)),
        "tuned_on": tuned_on and str(tuned_on),
    }
    return [prepare_video(network, video, tuned_on, Path(FLAGS.out_dir)) for video in videos]


if __name__ == "__main__":
    command_line.run(main)
