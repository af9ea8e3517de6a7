"""Training on one's own video: the suggested spec, the experiment, the snippet that opens a result."""

import json
import re
import sys
import types
from pathlib import Path

import numpy as np
import pytest
import tifffile
import yaml

from cosembed import specs
from cosembed.datasets.suggestion import measure_annotation, render_spec
from cosembed.errors import DataError, SpecError
from cosembed.study import own_data
from cosembed.study.runner import run_experiment
from tests.helpers.builders import ROOT, moving_squares, run_command, write_ctc
from tests.helpers.studies import make_settings


@pytest.fixture
def only_seg(tmp_path) -> Path:
    """Ten frames; SEG alone, with ids that do not agree over time, and frame 4 without annotation."""
    images, labels, tracks = moving_squares(10)
    shuffle = np.random.default_rng(0)
    for label in labels:
        label[:] = np.concatenate([[0], shuffle.permutation(np.arange(1, 40))])[label]
    root = write_ctc(tmp_path / "data" / "mydata", images, labels, tracks, seg=set(range(10)) - {4})
    for path in (root / "01_GT" / "TRA").iterdir():
        path.unlink()
    (root / "01_GT" / "TRA").rmdir()
    return root


def spec_file(root: Path) -> Path:
    path = root.parent / "mydata.yaml"
    path.write_text(render_spec(root.name, measure_annotation(root)))
    return path


def test_seg_alone_is_enough_from_suggestion_to_scores(only_seg, tmp_path):
    spec = specs.resolve_file(spec_file(only_seg), "paper", "smoke", {"network.levels": 2})
    folder = tmp_path / "runs" / "mydata"
    settings = make_settings(only_seg.parent, folder)
    run_experiment(own_data.EXPERIMENT, "all", spec, settings)
    metrics = json.loads((folder / "metrics.json").read_text())
    assert 0 <= metrics["SEG"] <= 1
    assert metrics["TRA"] is metrics["OP"] is None
    assert metrics["deviations"] == []
    (fold,) = metrics["folds"]
    assert (fold["train"], fold["test"], fold["seg_frames"]) == ("01 [0:7]", "01 [7:10]", 3)
    page = (folder / "report.html").read_text()
    assert "mydata: segmentation and tracking" in page
    assert "None" not in page and "Errors behind TRA" not in page


def test_the_suggested_values_fit_the_cells(only_seg):
    found = measure_annotation(only_seg)
    # Squares of 100 and of 64 or 128 pixels in an image of 40 x 48.
    assert found.areas.min() == pytest.approx(64 * 256**2 / (40 * 48))
    assert (found.videos, found.shape, found.channels) == (["01"], (40, 48), 1)
    spec = specs.resolve_file(spec_file(only_seg))
    assert spec.tracking.min_points == pytest.approx(0.5 * np.percentile(found.areas, 10), abs=1)
    assert spec.dataset.image_shape == (40, 48) and spec.dataset.videos == ("01",)
    assert spec.preprocessing.upper_percentile == (99.5 if found.covered < 0.2 else 95.0)


def test_tra_labels_are_markers_only_where_seg_is_larger(tmp_path):
    images, labels, tracks = moving_squares()
    root = write_ctc(tmp_path / "a", images, labels, tracks)
    assert measure_annotation(root).tra_masks == "full"
    for path in (root / "01_GT" / "TRA").glob("*.tif"):
        marked = np.zeros_like(tifffile.imread(path))
        marked[::3] = tifffile.imread(path)[::3]
        tifffile.imwrite(path, marked)
    assert measure_annotation(root).tra_masks == "markers"


def test_the_command_writes_a_commented_file_once(only_seg):
    arguments = [f"--data={only_seg}", f"--output={only_seg.parent / 'new.yaml'}"]
    done = run_command("cosembed", "suggest-spec", *arguments)
    assert done.returncode == 0, done.stderr
    assert "video 01: 10 frames, 9 completely segmented; trains on 0 to 3, 5 to 9" in done.stdout
    assert "# least size of a cluster" in (only_seg.parent / "new.yaml").read_text()
    again = run_command("cosembed", "suggest-spec", *arguments)
    assert (
        again.returncode == 2 and "new.yaml: exists already" in again.stderr and again.stderr.count("\n") == 1
    )


def test_data_without_annotation_are_refused(tmp_path):
    with pytest.raises(DataError, match="nowhere: does not exist"):
        measure_annotation(tmp_path / "nowhere")
    with pytest.raises(DataError, match="holds no annotated video"):
        measure_annotation(tmp_path)
    images, labels, _ = moving_squares(2)
    with pytest.raises(DataError, match="hold no labelled cell"):
        measure_annotation(write_ctc(tmp_path / "empty", images, 0 * labels, []))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"tracking": None}, "tracking. must be a mapping"),
        ({"tracking": {"min_points": "many"}}, r"tracking\.min_points' must be of type int"),
        ({"tracking": {"min_point": 3}}, r"unknown key 'tracking\.min_point'"),
        ({"network": {"image_size": "large"}}, r"network\.image_size"),
        ({"dataset": {"image_shape": [0, 3]}}, r"dataset\.image_shape"),
        ({"profiles": {"cpu": {}}}, "unknown key 'profiles'"),
        ({"task": "leaves"}, "task"),
    ],
)
def test_a_spec_of_ones_own_is_read_strictly(only_seg, change, sentence):
    path = spec_file(only_seg)
    content = yaml.safe_load(path.read_text())
    for key, value in change.items():
        content[key] = {**content.get(key, {}), **value} if isinstance(value, dict) else value
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(SpecError, match=sentence) as error:
        specs.resolve_file(path, profile="cpu")
    assert str(path) in str(error.value)


def test_the_spec_file_must_be_there(tmp_path):
    with pytest.raises(SpecError, match=r"none\.yaml: cannot be read"):
        specs.resolve_file(tmp_path / "none.yaml")


def test_the_snippet_for_napari_reads_a_result(tmp_path, monkeypatch):
    """Run as printed in docs/howto/view-results.md, with a viewer that records what it is given."""
    (snippet,) = re.findall(
        r"```python\n(.*?)```", (ROOT / "docs/howto/view-results.md").read_text(), re.DOTALL
    )
    images, labels, _ = moving_squares()
    for folder, name, stack in (("my_frames", "t", images), ("my_frames_RES", "mask", labels)):
        (tmp_path / folder).mkdir()
        for index, image in enumerate(stack):
            tifffile.imwrite(tmp_path / folder / f"{name}{index:03d}.tif", image)
    (tmp_path / "my_frames_RES" / "tracks.csv").write_text(
        "label,parent,frame,y,x,area\n3,0,2,33.50,11.50,128\n4,3,3,33.50,6.50,64\n5,3,3,33.50,17.50,64\n"
    )
    shown: dict = {}

    class Viewer:
        def __getattr__(self, name):
            return lambda data, **options: shown.update({name: (data, options)})

    napari = types.SimpleNamespace(Viewer=Viewer, run=lambda: None)
    monkeypatch.setitem(sys.modules, "napari", napari)
    monkeypatch.chdir(tmp_path)
    exec(compile(snippet, "howto", "exec"), {})
    np.testing.assert_array_equal(shown["add_image"][0], images)
    np.testing.assert_array_equal(shown["add_labels"][0], labels)
    tracks, options = shown["add_tracks"]
    np.testing.assert_array_equal(tracks, [[3, 2, 33.5, 11.5], [4, 3, 33.5, 6.5], [5, 3, 33.5, 17.5]])
    assert options["graph"] == {4: [3], 5: [3]}


@pytest.mark.parametrize(
    ("size", "side", "scale", "warns"), [(256, 24, 0.0, False), (512, 20, 1.06, False), (512, 4, 2.0, True)]
)
def test_suggest_spec_chooses_tiles_where_cells_are_small(tmp_path, size, side, scale, warns):
    # A cell needs 12 network pixels across, whole images have 128 with profile cpu; a square of side s is as
    # large as a disc that is 1.13 s wide.
    root = tmp_path / "mydata"
    for folder, name, value in (("01", "t", 900), ("01_GT/SEG", "man_seg", 1)):
        (root / folder).mkdir(parents=True)
        for frame in range(2):
            image = np.zeros((size, size), np.uint16)
            for cell in range(3):
                image[20 : 20 + side, 60 * cell + 20 : 60 * cell + 20 + side] = value + cell
            tifffile.imwrite(root / folder / f"{name}{frame:03d}.tif", image)
    output = tmp_path / "mydata.yaml"
    done = run_command("cosembed", "suggest-spec", f"--data={root}", f"--output={output}")
    assert (done.returncode, done.stderr) == (0, "")
    assert ("warning" in done.stdout) == warns
    assert ("in tiles" in done.stdout) == (scale > 0)
    content = yaml.safe_load(output.read_text())
    assert content.get("inference", {}).get("scale", 0.0) == scale
    small = int(re.search(r"small cells have (\d+) pixels", output.read_text())[1])
    zoom = scale or 256 / size
    assert small == pytest.approx((side * zoom) ** 2, rel=0.01)
    assert content["tracking"]["min_points"] <= small
    for profile in ("paper", "cpu", "smoke"):
        spec = specs.resolve_file(output, profile=profile)
        assert spec.inference.scale == scale
        if scale:
            # Tiles see cells at one size, whatever the profile.
            assert spec.tracking.min_points == content["tracking"]["min_points"]
            assert spec.tile_overlap >= min(1.13 * side * scale, spec.tile_side // 2)


def test_prepare_compares_channels_with_the_spec(only_seg, tmp_path):
    spec = specs.resolve_file(spec_file(only_seg), "paper", "smoke", {"network.channels": 3})
    settings = make_settings(only_seg.parent, tmp_path / "runs" / "mydata")
    with pytest.raises(
        DataError, match=r"01: its frames have 1 channel, but the spec says network\.channels=3"
    ):
        run_experiment(own_data.EXPERIMENT, "prepare", spec, settings)
