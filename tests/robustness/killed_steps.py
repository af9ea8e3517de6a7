"""Small steps that write files, for `killing`: the real functions on tiny data, without training."""

import http.server
import io
import os
import threading
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from cosembed.datasets.ctc.track_table import Track
from cosembed.datasets.fetch import fetch
from cosembed.files.writing import atomic_folder, finish_moving
from cosembed.preprocessing.geometry import frame_grid
from cosembed.simulation import simulate_video, write_video
from cosembed.simulation.leaves import write_plants
from cosembed.specs import CellsDatasetSpec
from cosembed.tracking import write_result
from cosembed.tracking.tracker import TrackingResult
from cosembed.training.run_folder import Record, RunFolder
from tests.helpers.builders import moving_squares, small_spec, write_ctc
from tests.helpers.studies import make_settings
from tests.robustness.killing import Step


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
    dataset = CellsDatasetSpec(
        name="tiny",
        paper_name="tiny",
        archive="tiny.zip",
        licence="Free.",
        videos=("01",),
        tra_masks="markers",
        complete_frames={},
        loss_border=0,
        image_shape=(4, 4),
    )
    base_url = f"http://127.0.0.1:{server.server_address[1]}/training-datasets"

    def run(folder: Path) -> None:
        fetch(dataset, folder, base_url)

    return Step(run, ("tiny",))


def track() -> Step:
    """A result folder; one that is there is kept, as by the experiments."""
    _, labels, tracks = moving_squares(3)
    spec = small_spec()
    grid = frame_grid(labels.shape[1:], spec.preprocessing, (spec.network.image_size,) * 2)
    side = spec.network.image_size
    result = TrackingResult(np.resize(labels[:, :side, :side], (3, side, side)), [tracks[0]._replace(end=2)])

    def run(folder: Path) -> None:
        if not (folder / "RES").exists():
            write_result(folder / "RES", result, grid, labels.shape[1:], spec.upsampling)

    return Step(run, ("RES",))


def fill_working_folder() -> Step:
    """A result in the working folder, which stays while files are moved up into it."""

    def run(folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        # In a process of its own.
        os.chdir(folder)
        finish_moving(Path())
        if not Path("mask000.tif").exists():
            with atomic_folder(Path()) as partial:
                for name in ("mask000.tif", "mask001.tif", "track.json"):
                    (partial / name).write_text(name)

    return Step(run, ())


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
    """Predict, evaluate and collect of an experiment; a stand-in takes the place of the network."""
    from cosembed.study import fold_training
    from cosembed.study.tasks import cells_stages

    # In the process of `killing`, which does nothing else.
    cells_stages.track_video = track_as_one
    fold_training.load_finished_network = lambda *_: None
    return Step(lambda folder: run_modes(folder, ("predict", "evaluate")), ())


def track_as_one(stepper, frames, spec, output, sample_frames):
    """As `inference.video.track_video`: one instance that fills the image."""
    from cosembed.inference.video import WrittenVideo

    count, side = len(frames), spec.network.image_size
    found = TrackingResult(np.ones((count, side, side), np.uint16), [Track(1, 0, count - 1, 0)])
    write_result(
        output,
        found,
        frame_grid(frames.shape, spec.preprocessing, (side, side)),
        frames.shape,
        spec.upsampling,
    )
    return WrittenVideo(count, 1, {"network": 1.0}, {0: np.zeros((4, 4, 2), np.float32)}, [])


def run_modes(folder: Path, modes: Iterable[str], test_frames: tuple[int, int] = (1, 3)) -> None:
    """Runs modes of an experiment on a video beside `folder`, whose frame 0 has trained it, then collects."""
    from cosembed.study.folds import Fold
    from cosembed.study.protocols import VideoRange
    from cosembed.study.runner import collect_scores, run_fold
    from cosembed.study.tasks.cells_stages import CellsStages

    root = folder.parent / "data" / "simulated"
    if not root.exists():
        images, labels, tracks = moving_squares(3)
        write_ctc(root, images, labels, [track._replace(end=2) for track in tracks[:3]])
    settings, spec, stages = make_settings(root.parent, folder), small_spec(), CellsStages()
    trained, tested = VideoRange(root, "01", 0, 1), VideoRange(root, "01", *test_frames)
    fold = Fold("test_01", 0, (trained,), (tested,))
    RunFolder(folder / fold.name).open(spec, {"train": str(trained)})
    for mode in modes:
        run_fold(stages, fold, spec, settings, mode)
    collect_scores(stages, [fold], spec, settings)


STEPS: dict[str, Callable[[], Step]] = {
    step.__name__: step
    for step in (simulate, simulate_leaves, download, track, fill_working_folder, open_run, predict_and_score)
}
