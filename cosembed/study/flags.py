"""Defines the flags that all experiments share, and runs an experiment as they say.

This module knows no data and no network.

Nothing is defined when this module is imported: `define_flags` adds the flags to the `FlagValues` that a
program chooses, so that several programs can live in one process.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from cosembed import specs
from cosembed.augment import AUGMENTERS, DEFAULT_AUGMENTER
from cosembed.errors import InputError
from cosembed.specs import CellsSpec
from cosembed.study import protocols
from cosembed.study.settings import MODES, Settings
from cosembed.training.execution import COMPILER_CHOICES, STRATEGY_CHOICES, Execution
from cosembed.training.hosts import read_hosts

if TYPE_CHECKING:
    from cosembed.study.experiment import Experiment
    from cosembed.study.folds import Item
    from cosembed.study.task import Spec

# Flags that mean something for videos in the challenge's layout only.
CELLS_ONLY = ("protocol", "train_frames", "test_frames", "base_url", "checkpoints")


def define_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags of every experiment, unless they are defined already."""
    if "mode" in flag_values:
        return

    def text(name: str, default: str, help_text: str) -> None:
        flags.DEFINE_string(name, default, help_text, flag_values=flag_values)

    def switch(name: str, help_text: str) -> None:
        flags.DEFINE_bool(name, False, help_text, flag_values=flag_values)

    text("mode", "all", f"The step to run ({', '.join(MODES)}), or all of them in order.")
    text("data_dir", "data", "Folder that holds (or receives) <dataset>/01, 01_GT, 02, 02_GT.")
    text("out_dir", "runs", "Results go to <out_dir>/<experiment>/.")
    text("name", "", "Another name for the experiment's folder.")
    text("profile", "paper", "paper (GPU), cpu (two cores), smoke (seconds, for tests).")
    text("recipe", "paper", "paper: what it states; released: as its models; mia2019: its follow-up.")
    flags.DEFINE_multi_string(
        "set",
        [],
        "key=value laid over the spec, for example training.iterations=2000; repeatable.",
        flag_values=flag_values,
    )
    text("protocol", "crossval", "crossval, or submission (train on all, track the unlabelled videos).")
    text("train_frames", "", "begin:end, for a data set with one annotated video.")
    text("test_frames", "", "begin:end, likewise.")
    flags.DEFINE_integer("fold", -1, "Run only this fold, counted from 0.", flag_values=flag_values)
    text("base_url", "", "Where archives are fetched from, instead of the challenge's site.")
    text("checkpoints", "", "Folder of the authors' networks, <dataset>/ each, used instead of training.")
    flags.DEFINE_enum(
        "augment",
        DEFAULT_AUGMENTER,
        AUGMENTERS,
        "What augments clips; graph: TensorFlow, for few cores and a GPU.",
        flag_values=flag_values,
    )
    flags.DEFINE_integer(
        "workers",
        None,
        "Processes that make training batches; 0: the training itself does. By default by cores and device.",
        flag_values=flag_values,
    )
    switch("deterministic", "The same bits on every run with the same seed and machine; may be slower.")
    switch("mixed_precision", "Train with convolutions in bfloat16; faster on GPUs that know it.")
    switch("recompute", "Train in about two thirds of the memory and 1.3 times the time.")
    flags.DEFINE_enum(
        "xla",
        "auto",
        COMPILER_CHOICES,
        "Whether XLA compiles the training step; auto: with a GPU.",
        flag_values=flag_values,
    )
    flags.DEFINE_enum(
        "strategy",
        "none",
        STRATEGY_CHOICES,
        "Devices that share batches: one, all here, or all of TF_CONFIG.",
        flag_values=flag_values,
    )
    switch("require_gpu", "Stop if TensorFlow sees no GPU.")
    flags.DEFINE_list(
        "seeds",
        [],
        "Run once with each of these seeds, 1,2,3 say, and report mean and standard deviation.",
        flag_values=flag_values,
    )
    text("scheduler", "", "A Dask cluster runs all folds: local:N processes, or tcp://host:port.")


def define_own_flags(flag_values: flags.FlagValues) -> None:
    """Defines the flags for a person's own annotated videos, unless they are defined already."""
    if "spec" not in flag_values:
        spec_help = "YAML file with the values of your data, as cosembed suggest-spec writes it."
        flags.DEFINE_string("spec", "", spec_help, flag_values=flag_values)
        start_help = "The network whose weights the training starts from, as of track --network."
        flags.DEFINE_string("start_from", "", start_help, flag_values=flag_values)


def run_from_flags(experiment: Experiment[Spec, Item], flag_values: flags.FlagValues, command: str) -> None:
    """Runs an experiment as parsed flags say.

    Args:
        experiment: The experiment.
        flag_values: Flags that `define_flags` defined, parsed.
        command: The command line, for tables and reports.

    Raises:
        InputError: Flags or data that cannot be used.
    """
    kind = experiment.task.spec_class
    if not issubclass(kind, CellsSpec):
        for flag in CELLS_ONLY:
            if flag_values[flag].present and flag_values[flag].value:
                raise InputError(f"--{flag}: is for the cell data sets only; drop the flag")
    dataset = experiment.find_dataset(Path(flag_values.data_dir))
    recipe, profile = recipe_and_profile(flag_values)
    spec = specs.resolve_as(kind, dataset, recipe, profile, specs.parse_assignments(flag_values.set))
    run_spec(experiment, spec, flag_values, command)


def run_spec(
    experiment: Experiment[Spec, Item], spec: Spec, flag_values: flags.FlagValues, command: str
) -> None:
    """Runs an experiment with a spec that is put together already; otherwise as `run_from_flags`."""
    # What runs an experiment is not imported by those who only ask for help.
    from cosembed.processes.cluster import check_scheduler
    from cosembed.study.cluster_run import Run, run_on_cluster
    from cosembed.study.runner import run_experiment
    from cosembed.study.seeds import seed_run, summarize_seeds

    settings = make_settings(flag_values, experiment.name, command)
    mode, scheduler, seeds = flag_values.mode, flag_values.scheduler, parse_seeds(flag_values)
    for flag, given in (("scheduler", scheduler), ("seeds", seeds)):
        if given and settings.execution.strategy == "multiworker":
            raise InputError(
                f"--{flag}: does not go with --strategy=multiworker, whose hosts share one training; drop "
                "one of the flags"
            )
    runs = [seed_run(spec, settings, seed) for seed in seeds] or [Run(spec, settings)]
    if scheduler:
        check_scheduler(scheduler)
        run_on_cluster(experiment, mode, runs, scheduler)
    else:
        for run in runs:
            run_experiment(experiment, mode, run.spec, run.settings)
    if seeds and mode in ("evaluate", "report", "all"):
        summarize_seeds(settings.folder, seeds, command)


def parse_seeds(flag_values: flags.FlagValues) -> list[int]:
    """Reads --seeds; without it there are none.

    Raises:
        InputError: One is no whole number, or is there twice, or --set names another one.
    """
    texts = flag_values.seeds
    if not texts:
        return []
    given = f"--seeds={','.join(texts)}"
    if not all(re.fullmatch(r"\d+", text) for text in texts):
        raise InputError(f"{given}: write whole numbers separated by commas, for example 1,2,3")
    seeds = [int(text) for text in texts]
    if len(set(seeds)) < len(seeds):
        raise InputError(f"{given}: a seed is there twice; name each once")
    if "training.seed" in specs.parse_assignments(flag_values.set):
        raise InputError(f"{given}: --set=training.seed names another one; drop one of the flags")
    return seeds


def refuse_seeds(flag_values: flags.FlagValues) -> None:
    """Raises `InputError` if --seeds is given to a program that runs several experiments."""
    if flag_values.seeds:
        raise InputError("--seeds: the paper's tables are of one seed; give it to an experiment of its own")


def recipe_and_profile(flag_values: flags.FlagValues) -> tuple[str, str]:
    """Gives the recipe and the profile; the authors' networks determine both.

    Raises:
        InputError: One was given that does not go with the authors' networks.
    """
    if not flag_values.checkpoints:
        return flag_values.recipe, flag_values.profile
    return _implied(flag_values, "recipe", "released"), _implied(flag_values, "profile", "paper")


def make_settings(flag_values: flags.FlagValues, name: str, command: str) -> Settings:
    """Turns parsed flags into settings.

    Args:
        flag_values: Flags that `define_flags` defined, parsed.
        name: The folder's name below --out_dir, unless --name gives another.
        command: The command line, for tables and reports.

    Raises:
        InputError: A protocol, a range of frames, TF_CONFIG or --start_from that cannot be used.
    """
    if flag_values.protocol not in protocols.PROTOCOLS:
        raise InputError(f"--protocol={flag_values.protocol}: choose one of {', '.join(protocols.PROTOCOLS)}")
    if flag_values.strategy == "multiworker":
        read_hosts()
    # The paper's experiments start from nothing, and do not have the flag.
    start_from = flag_values.start_from if "start_from" in flag_values else ""
    if start_from and flag_values.checkpoints:
        raise InputError("--start_from: --checkpoints takes the place of training; drop one of the flags")
    return Settings(
        data_dir=Path(flag_values.data_dir),
        folder=Path(flag_values.out_dir) / (flag_values.name or name),
        protocol=flag_values.protocol,
        train_frames=protocols.parse_range(flag_values.train_frames, "train_frames"),
        test_frames=protocols.parse_range(flag_values.test_frames, "test_frames"),
        fold=flag_values.fold if flag_values.fold >= 0 else None,
        base_url=flag_values.base_url or None,
        require_gpu=flag_values.require_gpu,
        command=command,
        checkpoints=Path(flag_values.checkpoints) if flag_values.checkpoints else None,
        deterministic=flag_values.deterministic,
        augment=flag_values.augment,
        execution=Execution(
            flag_values.mixed_precision, flag_values.recompute, flag_values.xla, flag_values.strategy
        ),
        workers=flag_values.workers,
        start_from=start_from or None,
    )


def _implied(flag_values: flags.FlagValues, flag: str, value: str) -> str:
    """Gives the value that the authors' networks demand of a flag."""
    given = flag_values[flag]
    if given.present and given.value != value:
        raise InputError(
            f"--{flag}={given.value}: the networks of --checkpoints go with {value}; drop the flag"
        )
    return value
