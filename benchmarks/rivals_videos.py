"""Prepares videos for the comparison with other trackers: our result, the truth, the classical baseline.

What a folder holds already is kept if it was made from the same pixels, the same network and the same values;
the record beside it says so. After a change of the code, remove the folder. Knows no rivals and no flags.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from absl import logging

from benchmarks.rivals_scores import PreparedVideo
from cosembed import specs
from cosembed.baselines.cells import write_baseline
from cosembed.baselines.record import read_tuned, write_tuned
from cosembed.datasets.ctc.reader import write_truth_cut
from cosembed.files.writing import remove_folder
from cosembed.inference.networks import Network
from cosembed.inference.video import track_video
from cosembed.study.protocols import VideoRange
from cosembed.study.result_store import StoredResult
from cosembed.study.tasks.cells_baseline import tune_on
from cosembed.study.tasks.cells_files import frames_of


def prepare_video(
    network: Network, video: VideoRange, tuned_on: VideoRange | None, folder: Path
) -> PreparedVideo:
    """Tracks a video by the network and by the tuned baseline, and cuts the truth to its frames.

    Args:
        network: The network, and the values that belong to it.
        video: The frames to track; their truth lies beside them.
        tuned_on: Annotated frames to tune the baseline on; None leaves the baseline out.
        folder: Where everything is written.

    Returns:
        The folders, all of whose frames are numbered from 0.

    Raises:
        DataError: Frames or truth cannot be used.
    """
    pixels, name = _digest_of_frames(video), video.video
    weights = _digest(*(np.ascontiguousarray(part).tobytes() for part in network.model.get_weights()))
    made_from = [pixels, weights, specs.dump(network.spec)]
    result = _made_once(
        folder / f"{name}_RES",
        made_from,
        lambda path: track_video(network.stepper, frames_of(video), network.spec, path),
    )
    # Copying the truth takes no time worth a record.
    truth = folder / f"{name}_GT"
    remove_folder(truth)
    write_truth_cut(video.root, name, video.begin, video.end, truth)
    if tuned_on is None:
        return PreparedVideo(name, result, truth, None)
    tuning = [_digest_of_frames(tuned_on), _digest_of_truth(tuned_on)]
    values = _made_once(
        folder / "baseline_values.json", tuning, lambda path: write_tuned(path, tune_on((tuned_on,)))
    )
    baseline = _made_once(
        folder / f"{name}_baseline_RES",
        [pixels, *tuning],
        lambda path: write_baseline(frames_of(video), path, read_tuned(values).values),
    )
    return PreparedVideo(name, result, truth, baseline)


def _made_once(path: Path, made_from: list[str], make: Callable[[Path], object]) -> Path:
    """Gives a file or folder that is made unless it is there, made from the same things."""
    record = path.with_name(f"{path.name}.made.json")
    stored = StoredResult(path, record, _digest(*(part.encode() for part in made_from)))
    if stored.is_complete():
        logging.info("%s: complete, kept", path)
        return path
    stored.discard()
    path.parent.mkdir(parents=True, exist_ok=True)
    begun = time.process_time()
    make(path)
    stored.complete({"processor": round(time.process_time() - begun, 1)})
    return path


def _digest_of_frames(video: VideoRange) -> str:
    return _digest(*(np.ascontiguousarray(frame).tobytes() for frame in frames_of(video)))


def _digest_of_truth(video: VideoRange) -> str:
    """Digests the truth of a whole video."""
    files = sorted(path for path in (video.root / f"{video.video}_GT").rglob("*") if path.is_file())
    return _digest(f"{video.begin}:{video.end}".encode(), *(path.read_bytes() for path in files))


def _digest(*parts: bytes) -> str:
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "little"))
        digest.update(part)
    return digest.hexdigest()
