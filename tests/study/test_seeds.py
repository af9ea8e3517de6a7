"""Several seeds: a run for each in a folder of its own, and mean and standard deviation over them."""

import json

import numpy as np
import pytest
from absl import flags

from cosembed import specs
from cosembed.errors import InputError
from cosembed.simulation import simulate_video, write_video
from cosembed.study.flags import define_flags, parse_seeds, run_from_flags
from cosembed.study.scores import HeartScores, LeavesScores, read_scores
from cosembed.study.seeds import measures_of, summarize_seeds
from tests.helpers.studies import CELLS_METRICS, HEART_METRICS, LEAVES_METRICS, SIMULATED, write_metrics

MEASURES = ("SEG", "DET", "TRA", "OP")


def parsed(*arguments: str) -> flags.FlagValues:
    values = flags.FlagValues()
    define_flags(values)
    values(["program", *arguments])
    return values


@pytest.mark.slow
def test_every_seed_has_a_run_of_its_own_and_they_are_summed_up(tmp_path, capsys):
    for video, seed in (("01", 1), ("02", 2)):
        write_video(tmp_path / "simulated", video, simulate_video(4, 64, 4, 0.5, seed))
    arguments = parsed(
        f"--data_dir={tmp_path}", f"--out_dir={tmp_path / 'runs'}", "--profile=smoke", "--seeds=3,5",
        "--fold=0", "--set=network.levels=2", "--set=training.iterations=2",
    )  # fmt: skip
    run_from_flags(SIMULATED, arguments, "the command")
    folder = tmp_path / "runs" / "simulated"
    scores = []
    for seed in (3, 5):
        run = folder / f"seed_{seed}"
        assert specs.load(run / "test_02" / "spec.yaml").training.seed == seed
        scores.append(json.loads((run / "metrics.json").read_text()))
    assert (folder / "seed_3/test_02/history.csv").read_text() != (
        folder / "seed_5/test_02/history.csv"
    ).read_text()
    summary = json.loads((folder / "seeds.json").read_text())
    assert summary["seeds"] == [3, 5] and summary["command"] == "the command"
    for measure in MEASURES:
        values = [entry[measure] for entry in scores]
        found = summary["measures"][measure]
        assert found["values"] == values
        assert found["mean"] == pytest.approx(np.mean(values))
        assert found["deviation"] == pytest.approx(np.std(values, ddof=1))
    table = (folder / "seeds.md").read_text()
    assert "seed 3" in table and "not a reproduction" in table
    assert "mean ± deviation" in capsys.readouterr().out


def test_mean_and_sample_deviation(tmp_path):
    for seed, value in ((1, 0.2), (2, 0.4), (3, 0.9)):
        (tmp_path / f"seed_{seed}").mkdir()
        write_metrics(tmp_path / f"seed_{seed}", {**CELLS_METRICS, "SEG": value, "TRA": None})
    summarize_seeds(tmp_path, [1, 2, 3], "command")
    table = (tmp_path / "seeds.md").read_text()
    # The sum of squares about 0.5 is 0.09 + 0.01 + 0.16, halved 0.13.
    assert "| SEG     | 0.500 ± 0.361    | 0.200      | 0.400      | 0.900      |" in table
    assert "0.700 ± 0.000" in table
    measures = json.loads((tmp_path / "seeds.json").read_text())["measures"]
    assert measures["TRA"] == {"mean": None, "deviation": None, "values": [None] * 3}


def test_nothing_is_summed_up_before_every_seed_has_scores(tmp_path):
    (tmp_path / "seed_1").mkdir()
    write_metrics(tmp_path / "seed_1", CELLS_METRICS)
    summarize_seeds(tmp_path, [1, 2], "command")
    assert not (tmp_path / "seeds.json").exists()


def test_measures_of_leaves_and_hearts_are_means_over_plants_and_patients(tmp_path):
    leaves = measures_of(read_scores(LeavesScores, write_metrics(tmp_path, LEAVES_METRICS)))
    assert leaves == {"SBD": pytest.approx(0.8), "|DiC|": 1.0}
    heart = measures_of(read_scores(HeartScores, write_metrics(tmp_path, HEART_METRICS)))
    # One patient has no cavity.
    assert heart["IoU of cavity, recurrent"] == pytest.approx(0.8)
    assert heart["IoU of myocardium, recurrent"] == pytest.approx(0.6)
    assert heart["IoU of myocardium, non-recurrent"] == pytest.approx(0.4)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--seeds=1,x"], "write whole numbers"),
        (["--seeds=1,2,1"], "a seed is there twice"),
        (["--seeds=1,2", "--set=training.seed=3"], "names another one"),
    ],
)
def test_seeds_that_cannot_be_used_are_refused(arguments, words):
    with pytest.raises(InputError, match=words):
        parse_seeds(parsed(*arguments))


def test_without_the_flag_there_are_no_seeds():
    assert parse_seeds(parsed()) == [] and parse_seeds(parsed("--seeds=7")) == [7]
