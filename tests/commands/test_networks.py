"""The command `cosembed networks`: list, show, verify, export, and what it says to wrong words."""

import shutil
import subprocess
import sys

import pytest
import yaml

import cosembed
from cosembed.commands.main import main
from cosembed.networks.catalogue import network_folder, network_names
from tests.helpers.builders import ROOT, moving_squares, small_spec, untrained_run, write_ctc


def call(*arguments: str) -> int:
    """The command in this process; its exit status."""
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "networks", *arguments])
    return ended.value.code or 0


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return untrained_run(tmp_path_factory.mktemp("run") / "test_02", small_spec("network.levels=2"))


@pytest.mark.parametrize("words", [(), ("list",)])
def test_every_network_is_listed_on_one_line(capsys, words):
    assert call(*words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == network_names()
    assert max(map(len, lines)) <= 110


def test_listing_and_showing_need_no_tensorflow():
    code = (
        "import sys\nfrom cosembed.commands.main import main\n"
        "try: main(['cosembed', 'networks', *sys.argv[1:]])\n"
        "except SystemExit: print('tensorflow' in sys.modules)"
    )
    for words in ([], ["show", "DIC-C2DH-HeLa"]):
        done = subprocess.run(
            [sys.executable, "-c", code, *words], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout.endswith("False\n") and done.stderr == ""


def test_show_prints_the_card(capsys):
    assert call("show", "DIC-C2DH-HeLa") == 0
    card = yaml.safe_load(capsys.readouterr().out)
    assert card["name"] == "DIC-C2DH-HeLa" and {"trained", "terms", "scores", "known_failures"} <= card.keys()


def test_a_run_is_exported_shown_checked_and_used(run, tmp_path, capsys):
    images, labels, tracks = moving_squares()
    write_ctc(tmp_path, images, labels, tracks)
    output = tmp_path / "mine"
    assert call("export", str(run), f"--output={output}", f"--truth={tmp_path / '01_GT'}") == 0
    assert "network mine, 4 steps; complete" in capsys.readouterr().out
    assert call("show", str(output)) == 0
    assert "cell_area:\n  - 64.0" in capsys.readouterr().out
    assert call("verify", str(output)) == 0
    assert capsys.readouterr().out.startswith("mine: hashes fit")
    assert cosembed.track(images, str(output), progress=False).labels.shape == images.shape
    assert call("export", str(run), f"--output={output}") == 2
    assert "exists already" in capsys.readouterr().err


def test_a_folder_may_have_another_name_than_the_network(run, tmp_path, capsys):
    assert call("export", f"--output={tmp_path / 'mine'}", "--name=cells", str(run)) == 0
    assert "network cells" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("shwo", "a"), "error: networks shwo a: is unknown; write list, show NAME, verify [NAME] or export"),
        (("show",), "error: networks show: is unknown; write list, show NAME"),
        (("list", "a"), "error: networks list a: is unknown"),
        (("export",), "error: networks export: is unknown"),
        (("export", "a"), "error: --output is missing; see --help"),
        (("show", "a", "b"), "error: unexpected argument 'b'"),
        (("show", "DIC-Hela"), "error: 'DIC-Hela' is neither the name of a network nor a folder with a card"),
        (("verify", "DIC-Hela"), "error: 'DIC-Hela' is neither the name of a network nor a folder with a"),
    ],
)
def test_wrong_words_are_one_sentence_and_status_2(capsys, words, sentence):
    assert call(*words) == 2
    said = capsys.readouterr()
    assert said.out == "" and said.err.startswith(sentence) and said.err.count("\n") == 1


def test_an_unknown_name_is_told_the_nearest(capsys):
    assert call("show", "DIC-Hela") == 2
    assert capsys.readouterr().err.endswith("; did you mean 'DIC-C2DH-HeLa'?\n")


def test_a_damaged_network_is_one_sentence_and_status_2(tmp_path, capsys):
    folder = shutil.copytree(network_folder("PhC-C2DH-U373"), tmp_path / "copy")
    (folder / "example.npz").write_bytes(b"")
    assert call("verify", str(folder)) == 2
    said = capsys.readouterr()
    assert said.out == "" and "example.npz: its SHA-256 is" in said.err and said.err.count("\n") == 1
