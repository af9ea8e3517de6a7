"""The Python interface: `import cosembed`, networks, arrays and paths in, labels and tracks out."""

import csv
import doctest
import importlib
import logging
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tifffile

import cosembed
from cosembed.datasets.ctc.validation import check_result
from cosembed.errors import CheckpointError, CosembedError, DataError, InputError, OutputError, SpecError
from cosembed.files.progress import with_progress
from cosembed.images.array_frames import ArrayFrames
from cosembed.tracking import CellRow
from tests.helpers.builders import ROOT, moving_squares, run_command, small_spec, untrained_run

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
IMAGES = moving_squares(4)[0]
# Modules of the interface, whose examples are run.
DOCUMENTED = ("cosembed.inference.networks", "cosembed.video_job.job", "cosembed.images.array_frames")


@pytest.fixture(scope="module")
def run_folder(tmp_path_factory) -> Path:
    return untrained_run(tmp_path_factory.mktemp("run") / "net", SPEC)


@pytest.fixture(scope="module")
def network(run_folder) -> cosembed.Network:
    return cosembed.load_network(run_folder)


class Lazy:
    """Slices like an array, and counts what is read; never hands out more than one frame."""

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.read: list[int] = []

    def __getitem__(self, index: int) -> np.ndarray:
        assert isinstance(index, int), "a lazy array is read frame by frame"
        self.read.append(index)
        return self.array[index]

    def __array__(self, *_: object) -> np.ndarray:
        raise AssertionError("a lazy array is never converted as a whole")


def test_importing_the_package_imports_nothing_heavy():
    code = (
        "import sys, cosembed; dir(cosembed); cosembed.__version__; "
        "print({'tensorflow', 'numpy', 'scipy', 'absl'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("set()\n", "")


def test_public_names_are_listed_and_there():
    assert set(cosembed.__all__) <= set(dir(cosembed))
    for name in cosembed.__all__:
        assert getattr(cosembed, name) is not None
    with pytest.raises(AttributeError, match="module 'cosembed' has no attribute 'tarck'"):
        cosembed.tarck  # noqa: B018


@pytest.mark.parametrize("module", DOCUMENTED)
def test_examples_of_the_documentation_run(module, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    untrained_run(tmp_path / "runs" / "demo" / "test_02", small_spec())
    found = importlib.import_module(module)
    failed, count = doctest.testmod(found, optionflags=doctest.ELLIPSIS)
    assert failed == 0
    assert count > 0 or module.endswith("array_frames")


def test_the_command_and_the_interface_give_the_same_bits(run_folder, network, tmp_path):
    tifffile.imwrite(tmp_path / "video.tif", IMAGES, photometric="minisblack")
    done = run_command(
        "cosembed",
        "track",
        f"--network={run_folder}",
        f"--input={tmp_path / 'video.tif'}",
        f"--output={tmp_path / 'RES'}",
    )
    assert done.returncode == 0, done.stderr
    masks = np.stack([tifffile.imread(path) for path in sorted((tmp_path / "RES").glob("mask*.tif"))])
    table = [line.split() for line in (tmp_path / "RES" / "res_track.txt").read_text().splitlines()]
    videos = {
        "array": IMAGES,
        "one channel": IMAGES[..., None],
        "big-endian": IMAGES.astype(">u2"),
        "lazy": Lazy(IMAGES),
        "list": list(IMAGES),
        "path": tmp_path / "video.tif",
        "text": str(tmp_path / "video.tif"),
    }
    for kind, frames in videos.items():
        video = cosembed.track(frames, network, progress=False)
        assert video.labels.dtype == np.uint16, kind
        np.testing.assert_array_equal(video.labels, masks, err_msg=kind)
        assert [tuple(track) for track in video.tracks] == [tuple(map(int, row)) for row in table], kind
    with (tmp_path / "RES" / "tracks.csv").open() as file:
        rows = [tuple(float(row[name]) for name in CellRow._fields) for row in csv.DictReader(file)]
    assert rows and [tuple(map(float, row)) for row in video.table()] == rows
    video.save(tmp_path / "SAVED")
    written, saved = (
        {
            str(path.relative_to(tmp_path / name)): path
            for path in (tmp_path / name).rglob("*")
            if path.is_file()
        }
        for name in ("RES", "SAVED")
    )
    assert written.keys() == saved.keys() and "report.html" in saved and "pictures/overlay.gif" in saved
    for name in written.keys() - {"report.html", "track.json"}:
        assert written[name].read_bytes() == saved[name].read_bytes(), name
    page = (tmp_path / "SAVED" / "report.html").read_text()
    assert "SAVED: tracked cells" in page and ".partial" not in page


def test_a_lazy_array_is_read_frame_by_frame_and_nothing_is_written(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    lazy = Lazy(IMAGES)
    video = cosembed.track(lazy, network, progress=False)
    assert lazy.read == [0, 1, 2, 3] * 2
    assert video.labels.shape == IMAGES.shape and list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="read-only"):
        video.labels[0] = 1
    assert repr(video) == "<TrackedVideo of 4 frames of 48 x 40 pixels>"


def test_many_videos_are_tracked_with_one_trace(network):
    for frames in (IMAGES, IMAGES[:2, :30], IMAGES[:1].astype(np.float32)):
        cosembed.track(frames, network, progress=False)
    assert network.stepper._step.experimental_get_tracing_count() == 1


def test_a_channel_and_settings_can_be_chosen(network):
    one = cosembed.track(IMAGES, network, progress=False)
    noise = np.random.default_rng(0).integers(0, 999, IMAGES.shape).astype(np.uint16)
    two = cosembed.track(np.stack([noise, IMAGES], axis=-1), network, channel=2, progress=False)
    np.testing.assert_array_equal(one.labels, two.labels)
    none = cosembed.track(IMAGES, network, settings={"tracking.min_points": 100_000}, progress=False)
    assert none.labels.max() == 0 and none.tracks == [] and none.table() == []


def test_frames_of_a_folder_are_chosen_as_on_the_command_line(network, tmp_path):
    (tmp_path / "video").mkdir()
    for number, image in zip((0, 5, 10, 15), IMAGES, strict=True):
        tifffile.imwrite(tmp_path / "video" / f"a_t{number:03d}_c1.tif", image)
        tifffile.imwrite(tmp_path / "video" / f"a_t{number:03d}_c2.tif", IMAGES[0])
    wanted = cosembed.track(IMAGES, network, progress=False).labels

    def tracked(**choice: str) -> cosembed.TrackedVideo:
        return cosembed.track(tmp_path / "video", network, progress=False, **choice)

    np.testing.assert_array_equal(tracked(pattern="a_t*_c1.tif", order="name").labels, wanted)
    held = tracked(pattern="a_t{frame}_c1.tif", gaps="hold")
    assert held.labels.shape[0] == 16 and any("Frames 1, 2, 3, 4, 6" in text for text in held.warnings)
    for choice, message in [
        ({"pattern": "a_t*_c1.tif"}, "--pattern=a_t\\*_c1.tif: must hold {frame} once"),
        ({"pattern": "b{frame}.tif"}, "holds no TIFF or PNG file named b{frame}.tif"),
        ({"pattern": "a_t{frame}_c1.tif"}, "a_t001_c1.tif: is missing"),
        ({"order": "time"}, "order: is 'time'; choose number or name"),
        ({"gaps": "fill"}, "gaps: is 'fill'; choose refuse or hold"),
    ]:
        with pytest.raises(InputError, match=message):
            tracked(**choice)


def test_a_blank_frame_of_an_array_is_held_and_other_choices_are_for_folders(network):
    blank = IMAGES * (np.arange(4) != 1)[:, None, None]
    video = cosembed.track(blank, network, gaps="hold", progress=False)
    assert "Frame 1 is missing or blank" in " ".join(video.warnings)
    before = IMAGES[[0, 0, 2, 3]]
    np.testing.assert_array_equal(video.labels, cosembed.track(before, network, progress=False).labels)
    for choice in ({"pattern": "t{frame}.tif"}, {"order": "name"}):
        with pytest.raises(InputError, match="is for a folder of frames"):
            cosembed.track(IMAGES, network, progress=False, **choice)


def test_what_is_saved_is_complete_or_absent(network, tmp_path, monkeypatch):
    video = cosembed.track(IMAGES, network, progress=False)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match="mine: exists already"):
        video.save(tmp_path / "mine")

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device", str(tmp_path / "RES"))

    with monkeypatch.context() as patch:
        patch.setattr("cosembed.video_job.job.write_video_report", fails)
        with pytest.raises(OutputError, match="RES: cannot be written"):
            video.save(tmp_path / "RES")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]
    video.save_tracks(tmp_path / "TRACKS")
    assert [fault for fault in check_result(tmp_path / "TRACKS") if not fault.warning] == []
    assert not (tmp_path / "TRACKS" / "report.html").exists()
    video.save(str(tmp_path / "RES"))
    assert [fault for fault in check_result(tmp_path / "RES") if not fault.warning] == []


PRESENT = (np.arange(4) != 1)[:, None, None]


def spoilt(value: float) -> np.ndarray:
    """The images as floats, with a value that is none in one pixel."""
    images = IMAGES.astype(np.float32)
    images[2, 3, 4] = value
    return images


WRONG_ARRAYS = {
    "an image": (IMAGES[0], DataError, r"frames: has the shape \(40, 48\); give \[T, H, W\]"),
    "too many axes": (IMAGES[None, None], DataError, r"has the shape \(1, 1, 4, 40, 48\)"),
    "no frame": (IMAGES[:0], DataError, r"has the shape \(0, 40, 48\), which holds no pixel"),
    "no pixel": (IMAGES[:, :0], DataError, "holds no pixel"),
    "objects": (IMAGES.astype(object), DataError, "is of type object; convert it"),
    "complex": (IMAGES.astype(complex), DataError, "is of type complex128"),
    "bool": (IMAGES > 1300, DataError, "is of type bool"),
    "texts": (IMAGES.astype(str), DataError, "is of type <U"),
    "NaN": (spoilt(np.nan), DataError, r"frames\[2\]: holds values that are not finite"),
    "infinity": (spoilt(np.inf), DataError, r"frames\[2\]: holds values that are not finite"),
    "an empty frame": (IMAGES * PRESENT, DataError, r"frames\[1\]: every pixel has the value 0"),
    "channels": (np.stack([IMAGES] * 3, axis=-1), InputError, "has 3 channels, the network reads 1"),
    "channels first": (IMAGES[:, None], InputError, "frames: has 48 channels"),
    "a list of unequal frames": ([IMAGES[0], IMAGES[0, 1:]], DataError, "list of unequal frames"),
    "an empty list": ([], DataError, r"has the shape \(0,\)"),
    "None": (None, DataError, "is a NoneType, not an array"),
    "a number": (3, DataError, "is a int, not an array"),
    "a path": ("nowhere.tif", DataError, "nowhere.tif: does not exist"),
}


@pytest.mark.parametrize("kind", WRONG_ARRAYS)
def test_wrong_frames_are_an_exception_of_the_package(network, kind, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    frames, error, message = WRONG_ARRAYS[kind]
    with pytest.raises(error, match=message):
        cosembed.track(frames, network, progress=False)
    assert list(tmp_path.iterdir()) == []


def test_an_array_that_breaks_while_it_is_read_is_named(network):
    class Broken(Lazy):
        def __getitem__(self, index: int) -> np.ndarray:
            if index == 2:
                raise RuntimeError("chunk 7 is missing")
            return super().__getitem__(index)

    with pytest.raises(DataError, match=r"frames\[2\]: cannot be read \(chunk 7 is missing\)"):
        cosembed.track(Broken(IMAGES), network, progress=False)

    class Liar(Lazy):
        def __getitem__(self, index: int) -> np.ndarray:
            return super().__getitem__(index)[1:]

    with pytest.raises(DataError, match=r"frames\[0\]: has the shape \(39, 48\)"):
        cosembed.track(Liar(IMAGES), network, progress=False)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"channel": 2}, InputError, "channel 2: frames holds 1 channel"),
        ({"channel": 0}, InputError, "channel 0: frames holds 1 channel"),
        ({"settings": {"tracking.min_pints": 3}}, SpecError, r"tracking\.min_points"),
        ({"settings": {"tracking.min_points": "many"}}, SpecError, "min_points"),
        ({"settings": {"network.levels": 3}}, SpecError, "was decided when the network was trained"),
    ],
)
def test_wrong_choices_are_an_exception_of_the_package(network, changes, error, message):
    with pytest.raises(error, match=message):
        cosembed.track(IMAGES, network, progress=False, **changes)


@pytest.mark.parametrize(
    ("place", "dataset", "message"),
    [
        ("DIC-C2DH-HeLo", None, "'DIC-C2DH-HeLo' is neither the name of a network nor a run folder"),
        (".", None, "holds no trained network"),
        (3, None, "is a int; give the path of a network"),
        (None, None, "is a NoneType; give the path of a network"),
        ("{run}", "DIC-C2DH-HeLa", "is for networks of the authors, and .* is none"),
        ("{run}", "Mouse", "unknown data set 'Mouse'; known: DIC-C2DH-HeLa"),
        ("{run}/spec.yaml", None, "spec.yaml"),
    ],
)
def test_what_is_no_network_is_an_exception_of_the_package(
    run_folder, place, dataset, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    path = place.format(run=run_folder) if isinstance(place, str) else place
    with pytest.raises(InputError, match=message):
        cosembed.load_network(path, dataset)
    if dataset is None:
        with pytest.raises(InputError):
            cosembed.track(IMAGES, path, progress=False)


def test_a_network_may_be_given_by_its_path(run_folder, network):
    video = cosembed.track(IMAGES, run_folder, progress=False)
    np.testing.assert_array_equal(video.labels, cosembed.track(IMAGES, network, progress=False).labels)
    checkpoint = next((run_folder / "checkpoints").glob("*.index"))
    assert cosembed.load_network(checkpoint).spec == network.spec


def test_every_error_has_one_family():
    for error in (CheckpointError, DataError, InputError, OutputError, SpecError):
        assert issubclass(error, CosembedError)


def test_another_tensorflow_is_named_before_it_is_imported(monkeypatch):
    for name in ("track", "load_network"):
        monkeypatch.delitem(vars(cosembed), name, raising=False)
    monkeypatch.setattr("importlib.metadata.version", lambda _: "2.18.1")
    with pytest.raises(InputError, match=r"TensorFlow 2\.18\.1 is installed, cosembed needs 2.15 or 2.21"):
        cosembed.track  # noqa: B018
    assert cosembed.evaluate_ctc is not None


def test_progress_is_a_bar_where_somebody_watches_and_can_be_switched_off(network, capsys, monkeypatch):
    cosembed.track(IMAGES, network)
    assert capsys.readouterr() == ("", "")
    # What a notebook has imported.
    monkeypatch.setitem(sys.modules, "ipykernel", sys.modules[__name__])
    video = cosembed.track(IMAGES, network)
    assert "tracking: 100%" in capsys.readouterr().err
    silent = cosembed.track(IMAGES, network, progress=False)
    assert silent.labels.shape == IMAGES.shape and capsys.readouterr() == ("", "")
    assert video.labels.shape == IMAGES.shape and "upsampling: 100%" in capsys.readouterr().err
    assert list(with_progress(range(3), 3, "counting")) == [0, 1, 2]


def test_logging_is_left_as_it_is(network):
    root = logging.getLogger()
    before = (list(root.handlers), root.level)
    cosembed.track(IMAGES, network, progress=False)
    assert (list(root.handlers), root.level) == before


def test_array_frames_are_a_sequence_of_frames():
    frames = ArrayFrames(IMAGES)
    assert (len(frames), frames.shape, frames.dtype, frames.channels) == (4, (40, 48), "uint16", 1)
    assert frames.numbers == [0, 1, 2, 3]
    np.testing.assert_array_equal(np.stack(list(frames)), IMAGES)
    np.testing.assert_array_equal(frames[-1], IMAGES[3])
    with pytest.raises(IndexError):
        frames[4]


def test_a_path_that_is_not_utf_8_is_tracked_and_reported(network, tmp_path):
    video = tmp_path / "b\udcffd.tif"
    tifffile.imwrite(video, IMAGES, photometric="minisblack")
    cosembed.track(video, network, progress=False).save(tmp_path / "RES")
    assert "b\\udcffd.tif" in (tmp_path / "RES" / "report.html").read_text()
