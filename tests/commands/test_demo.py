"""The command `cosembed demo`: everything from a video to its scores, with a network that comes with it."""

import numpy as np
import pytest
import tifffile

from cosembed.commands.demo import CELLS, DIFFICULTY, SIZE
from cosembed.commands.main import main
from cosembed.datasets.ctc.validation import check_result
from cosembed.metrics import evaluate_ctc
from cosembed.networks.catalogue import network_folder
from cosembed.simulation import simulate_video
from tests.helpers.builders import run_command


def test_the_demo_leaves_a_video_its_tracks_and_a_report(tmp_path):
    output = tmp_path / "demo"
    done = run_command("cosembed", "demo", f"--output={output}", "--frames=4", "--seed=5")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in output.iterdir()) == ["01", "01_GT", "01_RES"]
    assert len(list((output / "01_RES").glob("mask*.tif"))) == 4
    assert [fault for fault in check_result(output / "01_RES") if not fault.warning] == []
    scores = evaluate_ctc(output / "01_RES", output / "01_GT")
    for name in ("SEG", "DET", "TRA"):
        assert f"{name} {scores[name]:.3f}\n" in done.stdout
    # Easily reached by a trained network; an untrained one finds no cell.
    assert scores["SEG"] > 0.5 and scores["TRA"] > 0.5
    report = output / "01_RES" / "report.html"
    assert done.stdout.endswith(f"{report}: open it in a browser\n")
    assert ".partial" not in report.read_text(encoding="utf-8")


def test_several_videos_have_seeds_in_a_row_and_a_mean(tmp_path, capsys):
    output = tmp_path / "demo"
    network = str(network_folder("simulated"))
    flags = (f"--output={output}", f"--network={network}", "--frames=3", "--seed=5", "--videos=2")
    with pytest.raises(SystemExit, match="0"):
        main(["cosembed", "demo", *flags])
    said = capsys.readouterr().out
    scores = [evaluate_ctc(output / f"{video}_RES", output / f"{video}_GT") for video in ("01", "02")]
    for seed, found in zip((5, 6), scores, strict=True):
        assert (
            f"seed {seed}: SEG {found['SEG']:.3f}, DET {found['DET']:.3f}, TRA {found['TRA']:.3f}\n" in said
        )
        video = simulate_video(3, SIZE, CELLS, DIFFICULTY, seed)
        np.testing.assert_array_equal(tifffile.imread(output / f"0{seed - 4}" / "t002.tif"), video.images[2])
    assert f"SEG {(scores[0]['SEG'] + scores[1]['SEG']) / 2:.3f}, mean of 2 videos\n" in said
    assert said.endswith(f"{output / '02_RES' / 'report.html'}: open it in a browser\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--output is missing"),
        (["--output=."], "exists already"),
        (["--output=new", "--frames=0"], "frames"),
        (["--output=new", "--seed=-1"], "seed"),
        (["--output=new", "--videos=0"], "--videos=0"),
        (["--output=new", "--frames=2", "--network=simulatde"], "simulated"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_left(tmp_path, monkeypatch, capsys, arguments, words):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(SystemExit) as ended:
        main(["cosembed", "demo", *arguments])
    said = capsys.readouterr()
    assert ended.value.code == 2
    assert said.err.startswith("error: ") and words in said.err and said.err.count("\n") == 1
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
