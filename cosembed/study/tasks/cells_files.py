"""Says where the frames and the results of a fold of videos lie. Reads and writes nothing itself."""

from __future__ import annotations

from pathlib import Path

from cosembed.images.frames import Frames, open_frames
from cosembed.specs import CellsSpec
from cosembed.study.protocols import VideoRange
from cosembed.study.result_store import StoredResult, stored_result


def frames_of(tested: VideoRange) -> Frames:
    """Opens the tested frames of a video."""
    return open_frames(tested.root / tested.video).cut(tested.begin, tested.end)


def tracked_result(folder: Path, spec: CellsSpec, tested: VideoRange) -> StoredResult:
    """Gives the result folder of a tested video; `folder` is that of the fold."""
    extent = f"{tested.begin} {tested.end}"
    return stored_result(folder, f"{tested.video}_RES", tested.video, spec, extent)


def result_before(folder: Path, spec: CellsSpec, tested: VideoRange) -> StoredResult:
    """Gives what the network that the training started from made of a tested video."""
    return tracked_result(folder / "before", spec, tested)


def samples_file(folder: Path, tested: VideoRange) -> Path:
    """Gives the file of the embeddings of a few frames, which the report shows."""
    return folder / "results" / f"{tested.video}_samples.npz"


def compared_with(folder: Path, tested: VideoRange) -> tuple[Path, Path]:
    """Gives the folders of the truth of the tested frames, and of the classical baseline's result."""
    return folder / "truth" / f"{tested.video}_GT", folder / "baseline" / f"{tested.video}_RES"
