"""docs/fidelity.md against the specs, both ways: no value without a row, no row without its value.

Rows that name a constant or an object are compared with the code.

The page's values were written by hand from the sources; nothing here or there is generated from the specs.
"""

import importlib
import re
from pathlib import Path

import pytest
import yaml

from cosembed import specs
from cosembed.specs.dataclass_mapping import flatten, to_mapping

PAGE = Path(__file__).parents[2] / "docs" / "fidelity.md"
# What a data set is called and where it comes from decides no number; folds are tested in test_folds.
DESCRIPTIVE = {
    "recipe", "profile", "task", "dataset.name", "dataset.paper_name", "dataset.archive", "dataset.licence",
    "dataset.videos", "dataset.layout", "dataset.folds", "dataset.complete_frames",
}  # fmt: skip
SHORT = {
    "DIC-C2DH-HeLa": ("DIC",),
    "Fluo-C2DL-MSC": ("MSC",),
    "Fluo-N2DH-GOWT1": ("GOWT1",),
    "Fluo-N2DH-SIM+": ("SIM+",),
    "Fluo-N2DL-HeLa": ("HeLa",),
    "PhC-C2DH-U373": ("U373",),
    "simulated": ("sim",),
    "LVSC": ("LV",),
    "ACDC-cine": ("LV",),
    "simulated-hearts": ("LV", "sim-hearts"),
    "CVPPP-A1": ("leaves",),
    "simulated-leaves": ("leaves", "sim-leaves"),
}
CONFIDENCES = ("high", "medium", "low", "ours")
FOLLOW_UP_SOURCES = r" \[[TIXMOSK]0?( [TIXMOSK]0?)*(; (high|medium|low)(, \w+ (high|medium|low))?)?\]"
COLUMNS = [
    "what",
    "paper",
    "released",
    "follow-up",
    "ours: recipe paper",
    "ours: recipe released",
    "ours: recipe mia2019",
    "where",
    "source",
    "confidence",
]


def read_tables():
    """Header and rows of every table of the page."""
    tables, rows = [], []
    for line in [*PAGE.read_text(encoding="utf-8").splitlines(), ""]:
        if line.startswith("|"):
            rows.append([cell.strip() for cell in line.strip("|").split("|")])
        elif rows:
            tables.append((rows[0], rows[2:]))
            rows = []
    return tables


(HEADER, ROWS), (PROFILE_HEADER, PROFILE_ROWS), *_ = read_tables()


def parse(text: str):
    """A YAML value; [0, ..., 64] is a range."""
    found = re.fullmatch(r"\[(\d+), \.\.\., (\d+)\]", text)
    return list(range(int(found[1]), int(found[2]) + 1)) if found else yaml.safe_load(text)


def stated(cell: str, dataset: str):
    """The value of a cell for one data set; None if it states none."""
    value = None
    for entry in cell.split("; "):
        name, separator, own = entry.partition(": ")
        if separator and re.fullmatch(r"[\w+-]+", name):
            value = parse(own) if name in SHORT[dataset] else value
        else:
            value = parse(entry)
    return value


def where(row):
    return row[COLUMNS.index("where")].strip("`")


def is_spec_key(name: str) -> bool:
    return name.split(".")[0] in {
        "network", "preprocessing", "augmentation", "instances", "training", "tracking", "clustering",
        "upsampling", "dataset", "inference",
    }  # fmt: skip


def cell_of(row, recipe: str) -> str:
    cell = row[COLUMNS.index(f"ours: recipe {recipe}")]
    return row[COLUMNS.index("ours: recipe paper")] if cell == "same" else cell


def combinations():
    """Every data set with every recipe that it has."""
    cells = specs.dataset_names("cells")
    return [
        (dataset, recipe)
        for dataset in specs.dataset_names()
        for recipe in specs.RECIPES
        if recipe != "mia2019" or dataset in cells
    ]


def test_the_page_has_its_columns_and_every_cell_is_filled():
    assert HEADER == COLUMNS
    for row in ROWS:
        assert len(row) == len(COLUMNS) and all(row), row
        assert row[COLUMNS.index("confidence")].startswith(CONFIDENCES), row
        assert set(row[COLUMNS.index("source")].split()) <= {"P", "G", "C", "R", "-"}, row
        # Of the follow-up, every statement names its sources.
        follow_up = row[COLUMNS.index("follow-up")]
        assert follow_up in ("-", "not known", "see the next row") or re.search(
            FOLLOW_UP_SOURCES, follow_up
        ), row
        # What nobody states is ours.
        if row[COLUMNS.index("source")] == "-":
            assert row[COLUMNS.index("confidence")].startswith("ours"), row


def test_no_key_has_two_rows():
    keys = [where(row) for row in ROWS if is_spec_key(where(row))]
    assert len(keys) == len(set(keys))


@pytest.mark.parametrize(("dataset", "recipe"), combinations())
def test_every_value_of_the_specs_is_what_the_page_says(dataset, recipe):
    values = flatten(to_mapping(specs.resolve_any(dataset, recipe, "paper")))
    rows = {where(row): row for row in ROWS}
    for key, value in values.items():
        if key in DESCRIPTIVE:
            continue
        assert key in rows, f"{key} has no row in docs/fidelity.md"
        assert stated(cell_of(rows[key], recipe), dataset) == value, f"{key} of {dataset}, recipe {recipe}"


def test_every_row_with_a_key_belongs_to_a_value_of_the_specs():
    known = {key for name in specs.dataset_names() for key in flatten(to_mapping(specs.resolve_any(name)))}
    assert {where(row) for row in ROWS if is_spec_key(where(row))} <= known


def test_a_value_for_a_data_set_is_a_value_that_it_has():
    """`MSC: 20` in a row whose key MSC's spec does not have would never be compared."""
    names = {short for group in SHORT.values() for short in group}
    for row in ROWS:
        if not is_spec_key(where(row)):
            continue
        for recipe in specs.RECIPES:
            for name, _, _ in (
                entry.partition(": ") for entry in cell_of(row, recipe).split("; ") if ": " in entry
            ):
                assert name in names, (row, name)
                datasets = [dataset for dataset, group in SHORT.items() if name in group]
                for dataset in datasets:
                    assert where(row) in flatten(to_mapping(specs.resolve_any(dataset))), (
                        row,
                        dataset,
                    )


@pytest.mark.parametrize("row", [row for row in ROWS if not is_spec_key(where(row))], ids=lambda row: row[0])
def test_rows_of_the_code_name_what_is_there(row):
    module_name, _, name = where(row).rpartition(".")
    value = getattr(importlib.import_module(module_name), name)
    if name.replace("1", "").replace("2", "").isupper():
        assert parse(cell_of(row, "paper")) == value
    else:
        assert callable(value)


@pytest.mark.parametrize("profile", ["cpu", "smoke"])
@pytest.mark.parametrize("dataset", specs.dataset_names())
def test_profiles_set_what_the_page_says_and_nothing_else(dataset, profile):
    assert PROFILE_HEADER == ["key", "cpu", "smoke"]
    table = {row[0].strip("`"): row[PROFILE_HEADER.index(profile)] for row in PROFILE_ROWS}
    assert set(table) == specs.PROFILE_KEYS
    values = flatten(to_mapping(specs.resolve_any(dataset, "paper", profile)))
    for key, cell in table.items():
        if key in values:
            assert stated(cell, dataset) == values[key], (key, dataset, profile)


def test_a_changed_value_would_be_noticed():
    """The comparison itself: one value off in each direction."""
    (row,) = [row for row in ROWS if where(row) == "tracking.min_points"]
    assert stated(cell_of(row, "paper"), "DIC-C2DH-HeLa") == 1000
    assert stated("51.2; MSC: 153.6; HeLa: 25.6", "Fluo-C2DL-MSC") == 153.6
    assert stated("51.2; MSC: 153.6; HeLa: 25.6", "DIC-C2DH-HeLa") == 51.2
    assert stated("DIC: 1; MSC: 2", "PhC-C2DH-U373") is None
    assert stated("mask_distance; leaves: all", "simulated-leaves") == "all"
    assert stated("50; leaves: 40; sim-leaves: 32", "simulated-leaves") == 32
    assert stated("[0, ..., 2]", "Fluo-N2DH-SIM+") == [0, 1, 2]


def test_what_rows_say_of_the_layers_is_so():
    """Rows without a value of their own, by what the objects they name do."""
    from cosembed.layers import ConvGRU2D, HeTruncatedNormal

    layer = ConvGRU2D(4)
    assert layer.get_config()["activation"] == "relu"
    layer.build([None, None, None, None, 3])
    assert not layer.reset_kernel.numpy().any() and not layer.update_kernel.numpy().any()
    assert layer.candidate_kernel.numpy().any()
    drawn = HeTruncatedNormal(1)([3, 3, 64, 64]).numpy()
    deviation = (2 / (9 * 64)) ** 0.5
    assert abs(drawn).max() <= 2 * deviation
    # Cut at two deviations and not rescaled: 0.8796 of the deviation is left.
    assert drawn.std() == pytest.approx(0.8796 * deviation, rel=0.01)


def test_hdbscan_is_called_as_its_row_says(monkeypatch):
    import hdbscan
    import numpy as np

    from cosembed.clustering.points import RELEASED_LEAF_SIZE, cluster_points_as_released

    called, original = {}, hdbscan.HDBSCAN

    def recorded(**arguments):
        called.update(arguments)
        return original(**arguments)

    monkeypatch.setattr(hdbscan, "HDBSCAN", recorded)
    cluster_points_as_released(np.random.default_rng(0).normal(0, 1, (60, 3)), 5)
    expected = {
        "min_cluster_size": 5, "min_samples": 5, "algorithm": "boruvka_kdtree",
        "leaf_size": RELEASED_LEAF_SIZE,
    }  # fmt: skip
    assert expected.items() <= called.items()
    assert called["metric"] in ("l2", "euclidean")
    assert not {"cluster_selection_method", "allow_single_cluster", "approx_min_span_tree"} & called.keys()
