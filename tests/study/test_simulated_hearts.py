"""Simulated hearts through all stages with two seeds: scores, comparison, and what the reports show."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from cosembed.study.experiment import Experiment
from cosembed.study.flags import run_from_flags
from cosembed.study.tasks.heart import HeartsSimulation, HeartTask
from experiments import simulated_hearts
from tests.helpers.studies import parsed_flags

SMALL: Experiment = replace(
    simulated_hearts.EXPERIMENT,
    task=HeartTask(HeartsSimulation(patients=4, frames=5, size=64, seed=5)),
)


@pytest.mark.slow
def test_two_seeds_of_simulated_hearts_are_compared_and_reported(tmp_path, capsys):
    arguments = parsed_flags(
        f"--data_dir={tmp_path}", f"--out_dir={tmp_path / 'runs'}", "--profile=smoke", "--seeds=3,5",
        "--fold=0", "--set=network.levels=1", "--set=training.iterations=2",
    )  # fmt: skip
    run_from_flags(SMALL, arguments, "the command")
    folder = tmp_path / "runs" / "simulated_hearts"
    summary = json.loads((folder / "seeds.json").read_text())
    scores = [json.loads((folder / f"seed_{seed}" / "metrics.json").read_text()) for seed in (3, 5)]
    for name in ("myocardium", "cavity"):
        ours, theirs = (
            np.array(
                [
                    [entry[name] for _, entry in sorted(run["variants"][network]["patients"].items())]
                    for run in scores
                ]
            )
            for network in ("recurrent", "non-recurrent")
        )
        assert ours.shape == (2, 2)
        found = summary["comparison"][name]
        assert found["difference"] == pytest.approx((ours.mean(axis=0) - theirs.mean(axis=0)).mean())
        assert found["by_seed"] == pytest.approx((ours - theirs).mean(axis=1).tolist())
        assert found["patients"] == 2
    assert len([name for name in summary["measures"] if "unwarmed" in name]) == 2
    said = " ".join(capsys.readouterr().out.split())
    # A clip of three frames against three single frames, all labelled.
    assert "sees 3.0 labelled frames in the recurrent network, 3.0 in the other" in said
    assert said.count("each patient's mean over 2 trainings") == 2
    assert "Table 1a" not in said and "paper's (96" not in said
    page = (folder / "seed_3" / "report.html").read_text()
    assert "Table 1a" not in page
    assert len(re.findall("data:image/gif;base64", page)) == 1
    for shown in ("end-diastole", "between", "end-systole", "Area of the cavity"):
        assert shown in page
