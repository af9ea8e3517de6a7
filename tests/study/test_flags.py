"""Flags of experiments are defined on whatever FlagValues a program chooses, and become settings."""

from pathlib import Path

import pytest
from absl import flags

from cosembed.errors import InputError
from cosembed.study import own_data
from cosembed.study.flags import define_flags, make_settings, recipe_and_profile, run_from_flags
from experiments import lv


def parsed(*arguments, define=define_flags):
    values = flags.FlagValues()
    define(values)
    values(["program", *arguments])
    return values


def test_programs_of_one_process_do_not_share_flags():
    first, second = parsed("--fold=1"), parsed(define=own_data.define_flags)
    assert (first.fold, second.fold) == (1, -1)
    assert "spec" in second and "spec" not in first


def test_defining_flags_twice_changes_nothing():
    values = parsed("--fold=1", "--spec=a.yaml", define=own_data.define_flags)
    own_data.define_flags(values)
    assert (values.fold, values.spec) == (1, "a.yaml")


def test_settings_are_the_flags_typed():
    arguments = ["--out_dir=runs", "--name=mine", "--train_frames=0:45", "--test_frames=45:65", "--recompute"]
    settings = make_settings(parsed(*arguments), "experiment", "the command")
    assert settings.folder == Path("runs/mine")
    assert (settings.train_frames, settings.test_frames) == ((0, 45), (45, 65))
    assert settings.execution.recompute and not settings.execution.mixed_precision
    assert settings.execution.xla == "auto"
    assert make_settings(parsed("--xla=on"), "experiment", "").execution.xla == "on"
    assert settings.fold is settings.base_url is settings.checkpoints is settings.workers is None
    assert make_settings(parsed("--workers=3"), "experiment", "").workers == 3
    assert settings.command == "the command"
    assert make_settings(parsed(), "experiment", "").folder == Path("runs/experiment")


def test_hosts_that_cannot_be_used_are_refused_at_once(monkeypatch):
    monkeypatch.setenv("TF_CONFIG", "host0")
    assert make_settings(parsed("--strategy=mirrored"), "experiment", "").execution.strategy == "mirrored"
    with pytest.raises(InputError, match="--strategy=multiworker: TF_CONFIG is no JSON"):
        make_settings(parsed("--strategy=multiworker"), "experiment", "")


@pytest.mark.parametrize("flag", ["--scheduler=local:2", "--seeds=1,2"])
def test_hosts_that_share_one_training_run_no_others(monkeypatch, flag):
    monkeypatch.setenv(
        "TF_CONFIG", '{"cluster": {"worker": ["a:1"]}, "task": {"type": "worker", "index": 0}}'
    )
    experiment = lv.EXPERIMENT
    values = parsed("--strategy=multiworker", flag)
    with pytest.raises(InputError, match="does not go with --strategy=multiworker"):
        run_from_flags(experiment, values, "the command")


def test_networks_of_the_authors_imply_recipe_and_profile():
    assert recipe_and_profile(parsed("--recipe=released", "--profile=cpu")) == ("released", "cpu")
    assert recipe_and_profile(parsed("--checkpoints=nets")) == ("released", "paper")
    with pytest.raises(InputError, match="--profile=cpu: the networks of --checkpoints go with paper"):
        recipe_and_profile(parsed("--checkpoints=nets", "--profile=cpu"))


def test_flags_of_cells_are_refused_elsewhere():
    with pytest.raises(InputError, match="--train_frames: is for the cell data sets only"):
        run_from_flags(lv.EXPERIMENT, parsed("--train_frames=0:5"), "")


def test_own_data_need_a_spec_file(tmp_path):
    with pytest.raises(InputError, match="--spec is missing: write one with cosembed suggest-spec"):
        own_data.run_from_flags(parsed(define=own_data.define_flags), "")
