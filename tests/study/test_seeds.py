"""Several seeds: a run for each in a folder of its own, and mean and standard deviation over them."""

import json
from typing import Any

import numpy as np
import pytest

from cosembed import specs
from cosembed.errors import InputError
from cosembed.simulation import simulate_video, write_video
from cosembed.study.flags import parse_seeds, run_from_flags
from cosembed.study.scores import HeartScores, LeavesScores, read_scores
from cosembed.study.seeds import measures_of, summarize_seeds
from tests.helpers.studies import (
    CELLS_METRICS,
    HEART_METRICS,
    LEAVES_METRICS,
    SIMULATED,
    parsed_flags,
    write_metrics,
)

MEASURES = ("SEG", "DET", "TRA", "OP")


@pytest.mark.slow
def test_every_seed_has_a_run_of_its_own_and_they_are_summed_up(tmp_path, capsys):
    for video, seed in (("01", 1), ("02", 2)):
        write_video(tmp_path / "simulated", video, simulate_video(4, 64, 4, 0.5, seed))
    arguments = parsed_flags(
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


def heart_metrics(gain: float, labels: bool = True) -> dict[str, Any]:
    """Scores of six patients, in whose myocardium the recurrent network is better by `gain`."""
    seen = {"recurrent": 9.25, "non-recurrent": 10.0} if labels else {}
    variants = {
        name: {
            "patients": {
                f"p{number}": {"myocardium": 0.5 + 0.05 * number + more, "cavity": 0.8} for number in range(6)
            },
            **({"labels_per_step": seen[name]} if labels else {}),
        }
        for name, more in (("recurrent", gain), ("non-recurrent", 0.0))
    }
    return {**HEART_METRICS, "variants": variants, "comparison": {}}


def test_seeds_of_hearts_are_compared_over_patients(tmp_path, capsys):
    for seed, gain in ((1, 0.01), (2, 0.03)):
        (tmp_path / f"seed_{seed}").mkdir()
        write_metrics(tmp_path / f"seed_{seed}", heart_metrics(gain))
    summarize_seeds(tmp_path, [1, 2], "command")
    comparison = json.loads((tmp_path / "seeds.json").read_text())["comparison"]
    # Six differences of one sign, twice: still 2 / 2^6.
    assert comparison["myocardium"]["p"] == pytest.approx(2 / 2**6)
    assert comparison["myocardium"]["patients"] == 6
    assert comparison["myocardium"]["difference"] == pytest.approx(0.02)
    assert comparison["myocardium"]["by_seed"] == pytest.approx([0.01, 0.03])
    assert comparison["cavity"]["p"] == 1.0
    for text in (capsys.readouterr().out, (tmp_path / "seeds.md").read_text()):
        said = " ".join(text.split())
        assert "myocardium: +2.0 over 6 patients, more than chance (p = 0.031)" in said
        assert "each patient's mean over 2 trainings; by seed +1.0, +3.0." in said
        assert "sees 9.2 labelled frames in the recurrent network, 10.0 in the other" in said


def test_seeds_of_hearts_whose_labels_were_not_counted_are_summed_up_all_the_same(tmp_path, capsys):
    (tmp_path / "seed_4").mkdir()
    write_metrics(tmp_path / "seed_4", heart_metrics(0.02, labels=False))
    summarize_seeds(tmp_path, [4], "command")
    said = " ".join(capsys.readouterr().out.split())
    assert "each patient's mean over 1 training; by seed +2.0." in said and "labelled frames" not in said


def test_measures_of_leaves_and_hearts_are_means_over_plants_and_patients(tmp_path):
    leaves = measures_of(read_scores(LeavesScores, write_metrics(tmp_path, LEAVES_METRICS)))
    assert leaves == {"SBD": pytest.approx(0.8), "|DiC|": 1.0}
    heart = measures_of(read_scores(HeartScores, write_metrics(tmp_path, HEART_METRICS)))
    # One patient has no cavity.
    assert heart["IoU of cavity, recurrent"] == pytest.approx(0.8)
    assert heart["IoU of myocardium, recurrent"] == pytest.approx(0.6)
    assert heart["IoU of myocardium, non-recurrent"] == pytest.approx(0.4)
    assert heart["IoU of myocardium, recurrent unwarmed"] == pytest.approx(0.2)
    assert "IoU of myocardium, non-recurrent unwarmed" not in heart


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
        parse_seeds(parsed_flags(*arguments))


def test_without_the_flag_there_are_no_seeds():
    assert parse_seeds(parsed_flags()) == [] and parse_seeds(parsed_flags("--seeds=7")) == [7]
