"""The command `cosembed suggest-spec --network`: cells as wide as the network to start from knows them."""

import numpy as np
import pytest
import tifffile
import yaml

from cosembed import specs
from cosembed.commands.main import main
from cosembed.networks.card import read_card
from cosembed.networks.catalogue import network_folder
from tests.helpers.builders import small_spec, untrained_run


def call(*arguments: str) -> int:
    """The command in this process; its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "suggest-spec", *arguments])
    return ended.value.code or 0


@pytest.fixture
def data(tmp_path):
    """A video of 300 x 300 pixels whose squares have as many pixels as discs 18 pixels wide."""
    root = tmp_path / "mydata"
    for folder, name, value in (("01", "t", 900), ("01_GT/SEG", "man_seg", 1)):
        (root / folder).mkdir(parents=True)
        image = np.zeros((300, 300), np.uint16)
        for cell in range(4):
            image[40 : 40 + 16, 60 * cell + 20 : 60 * cell + 20 + 16] = value + cell
        tifffile.imwrite(root / folder / f"{name}000.tif", image)
    return root


@pytest.mark.parametrize("name", ["simulated", "Fluo-N2DH-SIM+"])
def test_cells_are_as_wide_as_in_the_training_of_the_network(data, tmp_path, capsys, name):
    output = tmp_path / "my data.yaml"
    assert call(f"--data={data}", f"--output={output}", f"--network={name}") == 0
    said = capsys.readouterr().out
    assert f"--profile=cpu --start_from={name}" in said and "warning" not in said

    folder = network_folder(name)
    card, trained = read_card(folder), specs.load(folder / "spec.yaml")
    zoom = trained.inference.scale or trained.network.image_size / np.sqrt(np.prod(card.expects.image_shape))
    known = np.sqrt(card.expects.cell_area[1]) * zoom
    assert yaml.safe_load(output.read_text())["inference"]["scale"] == pytest.approx(known / 16, rel=0.02)
    spec = specs.resolve_file(output, "paper", "cpu", start=trained)
    assert spec.network.form() == trained.network.form()
    assert spec.network.image_size == trained.network.image_size


def test_a_network_that_does_not_know_its_cells_is_refused(data, tmp_path, capsys):
    run = untrained_run(tmp_path / "run", small_spec("network.levels=2"))
    output = tmp_path / "mine.yaml"
    for network, sentence in (
        (str(run), "does not say how large the cells are"),
        ("simulatd", "did you mean 'simulated'?"),
    ):
        assert call(f"--data={data}", f"--output={output}", f"--network={network}") == 2
        (line,) = capsys.readouterr().err.splitlines()
        assert line.startswith("error: ") and sentence in line
        assert not output.exists()


def test_cells_that_stay_too_small_for_the_network_are_warned_of(data, tmp_path, capsys):
    # Those of DIC-C2DH-HeLa are 56 network pixels wide, these 36 at twice their size.
    output = tmp_path / "mine.yaml"
    assert call(f"--data={data}", f"--output={output}", "--network=DIC-C2DH-HeLa") == 0
    assert "warning: cells are smaller than the network knows them" in capsys.readouterr().out
    assert yaml.safe_load(output.read_text())["inference"]["scale"] == 2.0


@pytest.mark.parametrize(("side", "crowded"), [(60, False), (95, True)])
def test_where_cells_cover_much_the_background_is_not_sought_by_the_median(tmp_path, side, crowded):
    """Six squares in an image of 300 x 300 pixels cover 24 and 60 % of it."""
    labels = np.zeros((300, 300), np.uint16)
    for number in range(6):
        row, column = 100 * (number // 3), 100 * (number % 3)
        labels[row : row + side, column : column + side] = number + 1
    for folder, name in (("01", "t"), ("01_GT/SEG", "man_seg")):
        (tmp_path / "mydata" / folder).mkdir(parents=True)
        tifffile.imwrite(tmp_path / "mydata" / folder / f"{name}000.tif", labels * np.uint16(100))
    output = tmp_path / "mine.yaml"
    assert call(f"--data={tmp_path / 'mydata'}", f"--output={output}") == 0
    assert ("background: densest" in output.read_text()) == crowded
    spec = specs.resolve_file(output, "paper", "cpu")
    assert spec.tracking.background == ("densest" if crowded else "estimated")
