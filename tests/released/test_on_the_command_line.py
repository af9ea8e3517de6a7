"""A network of the authors is imported and used on the command line."""

import shutil

import numpy as np
import pytest
import tifffile

from cosembed import specs
from tests.helpers.builders import run_command
from tests.helpers.numpy_network import seeded_variables, write_checkpoint


@pytest.fixture(scope="module")
def imported(tmp_path_factory):
    """A small network under the authors' names, and what the command line made of it."""
    folder = tmp_path_factory.mktemp("released")
    write_checkpoint(folder / "model-40000", seeded_variables(11, levels=3, filters=4, outputs=8))
    result = run_command(
        "cosembed", "import-network", f"--checkpoint={folder}/model-40000", f"--output={folder}/network"
    )
    assert result.returncode == 0, result.stderr
    assert "miccai2018, 3 levels, 4 filters, 8 outputs, 1 input channel\n" in result.stdout
    return folder


def write_video(folder, frames=3):
    folder.mkdir()
    generator = np.random.default_rng(3)
    for index in range(frames):
        image = generator.normal(100, 5, (60, 80))
        image[20:40, 10 + 3 * index : 30 + 3 * index] += 80
        tifffile.imwrite(folder / f"t{index:03d}.tif", image.astype(np.uint16))


@pytest.mark.parametrize("source", ["network", "model-40000"])
def test_a_video_is_tracked_and_the_result_is_valid(imported, source, tmp_path):
    write_video(tmp_path / "01")
    flags = [
        f"--checkpoint={imported}/{source}",
        "--dataset=DIC-C2DH-HeLa",
        f"--input={tmp_path}/01",
        f"--output={tmp_path}/01_RES",
    ]
    result = run_command("cosembed", "track", *flags)
    assert result.returncode == 0, result.stderr
    result = run_command("cosembed", "validate", f"--result_dir={tmp_path}/01_RES")
    assert result.returncode == 0, result.stderr
    assert len(list((tmp_path / "01_RES").glob("mask*.tif"))) == 3


def test_a_network_of_the_follow_up_tracks_with_its_recipe(tmp_path):
    """Tiles of 256 x 256 pixels, of which DIC-HeLa has one, and windows in time, longer than this video."""
    write_checkpoint(tmp_path / "model-1", seeded_variables(12, levels=3, outputs=8, follow_up=True))
    write_video(tmp_path / "01")
    result = run_command(
        "cosembed",
        "track",
        f"--checkpoint={tmp_path}/model-1",
        "--dataset=DIC-C2DH-HeLa",
        f"--input={tmp_path}/01",
        f"--output={tmp_path}/01_RES",
        "--set=tracking.seeds=9",
    )
    assert result.returncode == 0, result.stderr
    assert "mean shift from 9 seeds" in result.stdout
    assert "follow-up" not in result.stdout + result.stderr
    result = run_command("cosembed", "validate", f"--result_dir={tmp_path}/01_RES")
    assert result.returncode == 0, result.stderr
    spec = specs.load(tmp_path / "01_RES" / "spec.yaml")
    assert (spec.recipe, spec.inference.window, spec.tracking.clean_up) == ("mia2019", 8, "original")


def test_mistakes_on_the_command_line_are_one_sentence_and_status_2(imported, tmp_path):
    write_video(tmp_path / "01")
    track = [f"--input={tmp_path}/01", f"--output={tmp_path}/01_RES"]
    network = f"--checkpoint={imported}/network"
    shutil.copytree(imported, tmp_path / "other")
    (tmp_path / "other" / "model-40000.data-00000-of-00001").unlink()
    for command, flags, message in [
        ("track", [network, *track], "dataset is missing"),
        ("track", [network, "--dataset=Fluo", *track], "unknown data set 'Fluo'"),
        (
            "track",
            [f"--checkpoint={tmp_path}/01", "--dataset=Fluo-C2DL-MSC", *track],
            "is none; leave it out",
        ),
        (
            "track",
            [f"--checkpoint={tmp_path}/other/model-40000", "--dataset=Fluo-C2DL-MSC", *track],
            "no such file",
        ),
        ("track", ["--checkpoint=.", *track], "holds no trained network"),
        ("import-network", [f"--output={tmp_path}/new"], "--checkpoint is missing"),
        (
            "import-network",
            [f"--checkpoint={tmp_path}/other/model-40000", f"--output={tmp_path}/new"],
            "no such file",
        ),
        (
            "import-network",
            [f"--checkpoint={imported}/model-40000", f"--output={imported}"],
            "exists already",
        ),
    ]:
        result = run_command("cosembed", command, *flags)
        assert result.returncode == 2, (command, flags, result.stderr)
        assert message in result.stderr
        assert result.stderr.startswith("error: "), result.stderr
        assert result.stderr.count("\n") == 1
    assert not (tmp_path / "01_RES").exists()
    assert not (tmp_path / "new").exists()
