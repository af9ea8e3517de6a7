"""Small steps that write files, for `killing`: the real functions on tiny data, without training."""

import http.server
import io
import threading
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
from builders import moving_squares, small_spec, write_ctc
from killing import Step

from cosembed.data.fetch import fetch
from cosembed.data.preprocessing import frame_grid
from cosembed.data.sequence import Track
from cosembed.simulation import simulate_video, write_video
from cosembed.simulation.leaves import write_plants
from cosembed.specs import DatasetSpec
from cosembed.tracking import write_result
from cosembed.tracking.tracker import TrackingResult
from cosembed.training.run_folder import Record, RunFolder


def simulate() -> Step:
    """Both videos' folders."""
    video = simulate_video(2, 64, 3, 0.5, seed=1)
    return Step(lambda folder: write_video(folder, "01", video), ("01", "01_GT"))


def simulate_leaves() -> Step:
    """Two plants."""
    return Step(lambda folder: write_plants(folder, 2, 64, seed=1), ("A1",))


def download() -> Step:
    """An archive from a server on this machine, unpacked, its checksum recorded."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name in ("01/t000.tif", "01/t001.tif", "01_GT/TRA/man_track.txt"):
            archive.writestr(f"tiny/{name}", f"content of {name}")

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(packed.tell()))
            self.end_headers()
            self.wfile.write(packed.getvalue())

        def log_message(self, *arguments: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    dataset = DatasetSpec(
        name="tiny", paper_name="tiny", archive="tiny.zip", licence="Free.", videos=("01",), tra_masks="markers",
        complete_frames={}, loss_border=0, image_shape=(4, 4),
    )  # fmt: skip
    base_url = f"http://127.0.0.1:{server.server_address[1]}/training-datasets"

    def run(folder: Path) -> None:
        fetch(dataset, folder, base_url)

    return Step(run, ("tiny",))


def track() -> Step:
    """A result folder; one that is there is kept, as by the experiments."""
    _, labels, tracks = moving_squares(3)
    spec = small_spec()
    grid = frame_grid(labels.shape[1:], spec.preprocessing, spec.network.image_size)
    side = spec.network.image_size
    result = TrackingResult(np.resize(labels[:, :side, :side], (3, side, side)), [tracks[0]._replace(end=2)])

    def run(folder: Path) -> None:
        if not (folder / "RES").exists():
            write_result(folder / "RES", result, grid, labels.shape[1:], spec.upsampling)

    return Step(run, ("RES",))


def open_run() -> Step:
    """A training run's folder and its history, which is written again and again."""
    spec = small_spec()

    def run(folder: Path) -> None:
        training = RunFolder(folder / "run")
        training.open(spec, {"train": "01 [0:8]"})
        for _ in range(2):
            training.write_history([Record(1, 0.5, 0.25, 0.001, 0.1)])

    return Step(run, ())


def predict_and_score() -> Step:
    """Predict, evaluate and collect of an experiment; truth takes the place of what a network finds."""
    from cosembed.pipeline import TrackedVideo
    from experiments import protocol, steps
    from experiments.runner import Settings

    spec = small_spec()
    images, labels, tracks = moving_squares(3)
    tracks = [track._replace(end=2) for track in tracks[:3]]

    def track_video(model, frames, spec, output, sample_frames):
        side = spec.network.image_size
        grid = frame_grid(frames.shape, spec.preprocessing, side)
        found = TrackingResult(np.ones((2, side, side), np.uint16), [Track(1, 0, 1, 0)])
        write_result(output, found, grid, frames.shape, spec.upsampling)
        return TrackedVideo(2, 1, {"network": 1.0}, {0: np.zeros((4, 4, 2), np.float32)})

    # In the process of `killing`, which does nothing else.
    steps.track_video, steps.load_finished = track_video, lambda *_: None

    def run(folder: Path) -> None:
        root = folder.parent / "data" / "simulated"
        settings = Settings(
            data_dir=root.parent, folder=folder / "run", protocol="crossval", train_frames=None, test_frames=None, fold=None,
            base_url=None, require_gpu=False, command="test",
        )  # fmt: skip
        if not root.exists():
            write_ctc(root, images, labels, tracks)
        (fold,) = protocol.crossval_folds(root, {"01": 3}, (0, 1), (1, 3))
        RunFolder(settings.folder / fold.name).open(spec, {"train": "01 [0:1]"})
        steps.predict(fold, spec, settings)
        steps.evaluate(fold, spec, settings)
        steps.collect([fold], spec, settings)

    return Step(run, ())


STEPS: dict[str, Callable[[], Step]] = {
    step.__name__: step for step in (simulate, simulate_leaves, download, track, open_run, predict_and_score)
}
