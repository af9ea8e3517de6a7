"""Folds by name: even, disjoint, repeatable, and checked where they are committed."""

import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cosembed import specs
from cosembed.errors import DataError, SpecError
from cosembed.specs import HeartDatasetSpec, LeavesDatasetSpec
from cosembed.study.folds import draw_folds, named_folds, record_folds

ROOT = Path("data")
PLANTS = LeavesDatasetSpec(name="x", paper_name="x", licence="none", fold_count=3, fold_seed=1)


@given(st.integers(0, 60), st.integers(2, 5), st.integers(0, 99))
def test_drawn_folds_are_even_disjoint_and_complete(count, folds, seed):
    names = [f"plant{number:03d}" for number in range(count)]
    drawn = draw_folds(names[::-1], folds, seed)
    assert drawn == draw_folds(names, folds, seed)
    assert sorted(name for fold in drawn for name in fold) == names
    sizes = [len(fold) for fold in drawn]
    assert max(sizes) - min(sizes) <= 1


def test_every_name_is_tested_once_and_never_trained_where_it_is_tested():
    names = [f"plant{number:03d}" for number in range(10)]
    folds = named_folds(names, PLANTS, ROOT, ("recurrent", "non-recurrent"))
    assert [fold.name for fold in folds[:2]] == ["recurrent/fold_0", "non-recurrent/fold_0"]
    assert {fold.number for fold in folds} == {0, 1, 2}
    for variant in ("recurrent", "non-recurrent"):
        tested = [name for fold in folds if fold.variant == variant for name in fold.test]
        assert sorted(tested) == names
    for fold in folds:
        assert not set(fold.train) & set(fold.test)
        assert sorted(fold.train + fold.test) == names


def test_committed_folds_of_acdc_are_the_drawn_ones():
    dataset = specs.resolve_as(specs.HeartSpec, "ACDC-cine").dataset
    assert dataset.folds == draw_folds(
        [f"patient{number:03d}" for number in range(1, 151)], 3, dataset.fold_seed
    )


def committed(*folds):
    values = {
        "name": "x",
        "paper_name": "x",
        "licence": "none",
        "fold_count": 3,
        "fold_seed": 1,
        "layout": "acdc",
        "slices": 3,
    }
    return HeartDatasetSpec(**values, folds=folds)


def test_committed_folds_that_are_wrong_are_refused_by_name():
    good = committed(("a", "b"), ("c",), ("d",))
    assert [fold.test for fold in named_folds(["a", "c", "d"], good, ROOT)] == [("a",), ("c",), ("d",)]
    for dataset, names, error, message in [
        (committed(("a", "b"), ("b",), ("c",)), ["a"], SpecError, "b is there more than once"),
        (committed(("a", "a"), ("b",), ("c",)), ["a"], SpecError, "a is there more than once"),
        (committed(("a",), ("b",)), ["a"], SpecError, "there are 2, not 3"),
        (good, ["a", "c", "d", "z"], DataError, "z is in none of the folds"),
        (good, ["a", "c"], DataError, "fold 2 is empty: none of d is there"),
        (dataclasses.replace(good, folds=()), ["a", "c"], DataError, "is empty"),
    ]:
        with pytest.raises(error, match=message):
            named_folds(names, dataset, ROOT)


def test_recorded_folds_are_not_dealt_anew_when_a_name_goes(tmp_path):
    names = [f"plant{number:03d}" for number in range(9)]
    record = tmp_path / "folds.json"
    first = named_folds(names, PLANTS, ROOT, recorded=record)
    record_folds(first, record)
    fewer = [name for name in names if name != "plant000"]
    again = named_folds(fewer, PLANTS, ROOT, recorded=record)
    assert [set(fold.test) for fold in again] == [set(fold.test) - {"plant000"} for fold in first]
    assert [fold.test for fold in again] != [fold.test for fold in named_folds(fewer, PLANTS, ROOT)]
    with pytest.raises(DataError, match=r"plant999 is in none of the folds of .*folds\.json"):
        named_folds([*names, "plant999"], PLANTS, ROOT, recorded=record)
    record.write_text("[[1]]")
    with pytest.raises(DataError, match="is not a record of folds"):
        named_folds(names, PLANTS, ROOT, recorded=record)
