"""Hostile texts: track tables, specs, `--set` values, recorded scores and folds, training histories."""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import yaml

from cosembed import specs
from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.datasets.ctc.validation import check_result
from cosembed.specs.dataclass_mapping import flatten, to_mapping
from cosembed.study import folds
from cosembed.study.scores import HeartScores, LeavesScores, read_scores
from cosembed.study.tables import cells, heart, leaves
from tests.helpers.studies import CELLS_METRICS, HEART_METRICS, LEAVES_METRICS, PAPER, cells_fold
from tests.robustness.fuzz.case import Case, Rng, odd_file, pick
from tests.robustness.fuzz.mutate import WORDS, damaged_text

_TRACKS = "1 0 1 0\n2 0 0 0\n3 1 1 2\n"
_NESTED = {"yaml": "a: " + "[" * 3000, "flow": "{" * 2000, "json": "[" * 100_000}
_RECORDS: dict[str, tuple[Callable[[Path], Any], Any]] = {
    "heart": (
        lambda path: heart.rows(read_scores(HeartScores, path), PAPER.heart), HEART_METRICS,
    ),
    "leaves": (
        lambda path: leaves.rows(read_scores(LeavesScores, path), PAPER.leaves), LEAVES_METRICS,
    ),
    "cells": (
        lambda path: cells.rows(cells.read_existing([path]), PAPER.cells),
        {**CELLS_METRICS, "folds": [cells_fold(SEG=0.5)]},
    ),
    "folds": (lambda path: folds._read(path), [["a", "b"], ["c"]]),
}  # fmt: skip


def tracks_case(rng: Rng, box: Path) -> Case:
    """A track table, read by itself or checked with its masks."""
    path = box / "res_track.txt"
    refuse = odd_file(rng, path) if rng.random() < 0.05 else ""
    if not refuse:
        path.write_bytes(damaged_text(rng, _TRACKS))
    if rng.random() < 0.5:
        # An empty table, or none at all where a text happens to be blank, lists no tracks.
        return Case(
            lambda: read_tracks(path),
            functools.partial(_check_tracks, path),
            "" if refuse == "it is empty" else refuse,
        )
    for frame in range(2):
        tifffile.imwrite(box / f"mask{frame:03d}.tif", np.array([[0, 1], [0, 3 if frame else 2]], np.uint16))
    return Case(lambda: check_result(box), functools.partial(_check_faults, path))


def _check_tracks(path: Path, tracks: Any) -> None:
    words = path.read_text(encoding="utf-8-sig").split()
    assert [int(word) for word in words] == [number for track in tracks for number in track]
    for label, begin, end, parent in tracks:
        assert 1 <= label <= 65535 and 0 <= begin <= end and 0 <= parent <= 65535 and parent != label


def _check_faults(path: Path, faults: Any) -> None:
    """No fault only for a table that says the same in other words."""
    assert all("\n" not in str(fault) for fault in faults)
    if not faults:
        rows = {
            tuple(map(int, line.split()))
            for line in path.read_text(encoding="utf-8-sig").splitlines()
            if line.strip()
        }
        assert rows == {tuple(map(int, line.split())) for line in _TRACKS.splitlines()} or rows == {
            (1, 0, 1, 0), (2, 0, 0, 0), (3, 1, 1, 0),
        } or rows == {(1, 0, 1, 0), (2, 0, 0, 0), (3, 1, 1, 2)}  # fmt: skip


def spec_case(rng: Rng, box: Path) -> Case:
    """A spec of a run, a person's own spec, or a `--set` value."""
    path = box / "spec.yaml"
    dataset, recipes = pick(rng, specs.dataset_names()), list(specs.RECIPES)
    if dataset not in specs.dataset_names("cells"):
        recipes.remove("mia2019")
    spec = specs.resolve_any(dataset, pick(rng, recipes), "smoke")
    way = rng.random()
    if way < 0.05:
        return Case(lambda: specs.load(path), refuse=odd_file(rng, path))
    if way < 0.3:
        key = pick(rng, sorted(flatten(to_mapping(spec))))
        text = f"{key}={_hostile_value(rng, box)}"
        return Case(lambda: specs.override(spec, specs.parse_assignments([text])), _check_spec)
    if way < 0.65:
        mapping = to_mapping(spec)
        lines = yaml.safe_dump(mapping, sort_keys=False, width=120).splitlines()
        at = int(rng.integers(len(lines)))
        lines[at] = f"{lines[at].partition(':')[0]}: {_hostile_value(rng, box)}"
        path.write_text("\n".join(lines), errors="surrogatepass")
    else:
        path.write_bytes(damaged_text(rng, specs.dump(spec)))
    read: Callable[[], Any] = lambda: specs.load(path)  # noqa: E731
    return Case(
        read if rng.random() < 0.7 else lambda: specs.resolve_file(path, profile="smoke"), _check_spec
    )


def _hostile_value(rng: Rng, box: Path) -> str:
    canary = box / "canary"
    laughs = "[&a [x, x, x, x, x, x, x, x, x]" + "".join(
        f", &{name} [{', '.join([f'*{before}'] * 9)}]"
        for before, name in zip("abcdefghij", "bcdefghijk", strict=True)
    )
    return pick(rng, [
        *WORDS, f"!!python/object/apply:os.system ['touch {canary}']", f"!!python/object/new:os.mkdir ['{canary}']",
        "!!python/name:os.system", "!!binary aGk=", "!!set {a, b}", "!!timestamp 2001-99-99", "2001-01-01", "2001-13-41",
        "!!int 9" + "9" * 4000, "!!float .nan", ".inf", "-.inf", ".nan", "1.0e+999", "190:20:30", "0b11", "0o17", "1" * 400, "-" + "1" * 400,
        laughs + "]", "&x [*x]", "{<<: {a: 1}}", "{1: 2, [a]: 3}", "? [a]\n: b", *_NESTED.values(), "|\n  text", "%YAML 9.9", "---\na: b",
        "{1: [1, 2]}", "[true]", "[[1]]", "[.nan, 2]", "yes", "~", "@", "`", "\t", "!", "*missing", "!!str 3",
    ])  # fmt: skip


def _check_spec(spec: Any) -> None:
    assert all(
        math.isfinite(value) for value in flatten(to_mapping(spec)).values() if isinstance(value, float)
    )
    assert yaml.safe_load(specs.dump(spec)) == to_mapping(spec)


def record_case(rng: Rng, box: Path) -> Case:
    """A metrics.json, or the record of folds."""
    path = box / "metrics.json"
    name = pick(rng, sorted(_RECORDS))
    read, content = _RECORDS[name]
    if rng.random() < 0.06:
        refuse = odd_file(rng, path)
        missing = name in ("cells", "folds") and ("absent" in refuse or "link" in refuse or "loop" in refuse)
        return Case(lambda: read(path), refuse="" if missing else refuse)
    text = pick(rng, list(_NESTED.values())) if rng.random() < 0.05 else json.dumps(content, indent=1)
    path.write_bytes(damaged_text(rng, text))
    return Case(lambda: read(path))
