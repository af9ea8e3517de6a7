"""The paper's numbers as transcribed, and the tables that put ours beside them."""

import importlib.resources
import json
import re

import pytest

from cosembed.reporting import tables
from cosembed.reporting.reported import CONFIDENCES, Reported, load_reported, parse_table

DATASETS = (
    "DIC-C2DH-HeLa",
    "Fluo-C2DL-MSC",
    "Fluo-N2DH-GOWT1",
    "Fluo-N2DL-HeLa",
    "PhC-C2DH-U373",
    "Fluo-N2DH-SIM+",
)
# By hand: ranks and 2nd places of OP, SEG, TRA in the order of DATASETS.
RANKS = {
    "OP": ["1st", "5th", "2nd", "11th", "4th", "9th"],
    "SEG": ["1st", "5th", "4th", "10th", "5th", "8th"],
    "TRA": ["1st", "1st or 2nd", "1st or 2nd", "12th", "1st or 2nd", "10th"],
}
SECOND = {
    "OP": [0.828, 0.676, 0.914, 0.940, 0.896, 0.878],
    "SEG": [0.776, 0.590, 0.893, 0.893, 0.832, 0.791],
    "TRA": [0.881, 0.765, 0.947, 0.987, 0.981, 0.961],
}
LEAVES = {
    "RIS+CRF": (66.6, 1.1), "MSU": (66.7, 2.3), "Nottingham": (68.3, 3.8), "Wageningen": (71.1, 2.2), "IPK": (74.4, 2.6),
    "IS+RA": (84.9, 0.8), "Ours (paper)": (84.5, 1.5),
}  # fmt: skip


def scores(**changes):
    fields = {
        "dataset": "DIC-C2DH-HeLa", "recipe": "paper", "profile": "cpu", "protocol": "crossval", "split": "both ways",
        "folds": [], "command": "python -m experiments.ctc_dic_hela", "deviations": [], "SEG": 0.5, "DET": 0.7, "TRA": 0.6,
        "OP": 0.55,
    }  # fmt: skip
    return tables.DatasetScores(**{**fields, **changes})


def cells(lines, split):
    """Data set and measure -> the row's cells by column name."""
    rows, dataset = {}, ""
    header = split(lines[0])
    for line in lines[2:]:
        row = dict(zip(header, split(line), strict=True))
        dataset = row["data set (profile)"] or dataset
        rows[dataset.split(" ")[0], row["measure"]] = row
    return rows


def text_cells(text):
    lines = text.split("\n\n", 1)[1].splitlines()
    edges = [match.span() for match in re.finditer("-+", lines[1])]
    return cells(lines, lambda line: [line[begin:end].strip() for begin, end in edges])


def markdown_cells(text):
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    return cells(lines, lambda line: [cell.strip() for cell in line.strip("|").split("|")])


def test_table_2_as_transcribed():
    table = load_reported("table2")
    assert tuple(table) == DATASETS
    for measure, ranks in RANKS.items():
        assert [table[name][measure].rank_text() for name in DATASETS] == ranks
        assert [table[name][measure].second_place for name in DATASETS] == SECOND[measure]
    known = {
        (name, measure): cell.value
        for name in DATASETS
        for measure, cell in table[name].items()
        if cell.value is not None
    }
    assert known == {("Fluo-N2DH-GOWT1", "OP"): 0.914}


def test_bounds_follow_from_rank_and_second_place():
    relation = {"1st": ">", "1st or 2nd": ">="}
    for row in load_reported("table2").values():
        for cell in row.values():
            if cell.value is None:
                assert cell.bound == f"{relation.get(cell.rank_text(), '<')} {cell.second_place:.3f}"


def test_table_1_as_transcribed():
    ventricle = load_reported("table1a")
    found = {name: [(cell.value, cell.sd) for cell in row.values()] for name, row in ventricle.items()}
    assert found == {"myocardium": [(78.3, 9.2), (79.4, 8.5)], "cavity": [(89.1, 7.7), (89.4, 7.2)]}
    leaves = load_reported("table1b")
    assert {name: (row["SBD"].value, row["DiC"].value) for name, row in leaves.items()} == LEAVES
    with_sd = {
        name: (row["SBD"].sd, row["DiC"].sd) for name, row in leaves.items() if row["SBD"].sd is not None
    }
    assert with_sd == {"IS+RA": (4.8, 1.0), "Ours (paper)": (5.5, 1.2)}
    assert {name for name, row in leaves.items() if row["DiC"].confidence == "low"} == {"MSU", "IPK"}


def test_every_cell_has_source_and_confidence():
    for name in ("table1a", "table1b", "table2"):
        for row in load_reported(name).values():
            for cell in row.values():
                assert cell.source
                assert cell.confidence in CONFIDENCES
                assert (
                    (cell.rank is None)
                    == (cell.rank_confidence is None)
                    == (cell.second_place_confidence is None)
                )


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"value": "0.9"}, "value"),
        ({"confidence": "sure"}, "confidence"),
        ({"sd": True}, "sd"),
        ({"mean": 1.0}, "mean"),
    ],
)
def test_damaged_cells_are_refused(change, named):
    content = json.loads((importlib.resources.files("experiments") / "reported.json").read_text())["table1a"]
    assert parse_table(content) == load_reported("table1a")
    content["rows"]["cavity"]["recurrent"].update(change)
    with pytest.raises((TypeError, ValueError), match=named):
        parse_table(content)
    del content["rows"]["cavity"]["recurrent"]
    with pytest.raises(ValueError, match="cavity"):
        parse_table(content)


def test_unknown_values_are_printed_as_such():
    assert Reported(None, "nowhere", "low").text(3) == "not known"
    assert Reported(None, "nowhere", "low", bound="< 0.5").text(3) == "not known (< 0.5)"
    assert Reported(0.5, "nowhere", "low").rank_text() == "not known"


def test_rows_hold_ours_every_fold_the_baseline_and_the_papers():
    folds = [{"SEG": 0.4, "TRA": None, "OP": 0.3}, {"SEG": 0.6, "TRA": 0.5, "OP": 0.8}]
    both = [
        scores(folds=folds, baseline={"SEG": 0.125, "TRA": None, "OP": 0.25}),
        scores(dataset="Fluo-N2DH-GOWT1", profile="paper"),
    ]
    for rows in (text_cells(tables.table2_text(both)), markdown_cells(tables.table2_markdown(both))):
        assert len(rows) == 6
        row = rows["DIC-C2DH-HeLa", "SEG"]
        assert (row["ours"], row["baseline"]) == ("0.500 (0.400, 0.600)", "0.125")
        assert (row["paper: value"], row["paper: rank"], row["2nd place"]) == (
            "not known (> 0.776)",
            "1st",
            "0.776",
        )
        assert rows["DIC-C2DH-HeLa", "TRA"]["ours"] == "0.600 (not scored, 0.500)"
        row = rows["Fluo-N2DH-GOWT1", "OP"]
        assert (row["ours"], row["baseline"], row["paper: value"]) == ("0.550", "not scored", "0.914")
        assert row["confidence: value, rank, 2nd"] == "low-medium, high, medium"


def test_columns_without_content_are_left_out():
    (header, *_), simulated = tables.table2_rows([scores()]), scores(dataset="simulated")
    assert "baseline" not in header
    assert tables.table2_rows([simulated])[0] == ["data set (profile)", "measure", "ours"]
    assert tables.DIFFERENCE not in tables.header_lines([simulated])
    mixed = tables.table2_rows([simulated, scores()])
    assert mixed[1][3:] == ["-"] * 4


def test_the_header_says_what_the_numbers_are():
    changed = [["network.image_size", 256, 128], ["augmentation.translation", 51.2, 19.200000000000003]]
    both = [scores(deviations=changed), scores(dataset="Fluo-C2DL-MSC", profile="paper")]
    for text in (tables.table2_text(both), tables.table2_markdown(both)):
        head = " ".join(text.split("measure")[0].split())
        assert "Profile cpu: smaller than the paper's" in head
        assert "Profile paper:" not in head
        assert (
            "DIC-C2DH-HeLa: recipe paper, profile cpu, protocol crossval; both ways; values that differ"
            in head
        )
        assert tables.DIFFERENCE in head
    details = (
        "\n  - network.image_size: paper 256, here 128\n  - augmentation.translation: paper 51.2, here 19.2\n"
    )
    assert f"`python -m experiments.ctc_dic_hela`{details}" in tables.table2_markdown(both)
    assert max(map(len, tables.table2_text(both).split("\n\n")[0].splitlines())) <= tables.WIDTH
    content = json.loads(tables.table2_json(both))
    assert [entry["reproduction"] for entry in content["datasets"]] == [False, True]
    assert content["datasets"][0]["reported"]["TRA"]["rank_confidence"] == "high"
    assert content["notes"] == tables.header_lines(both)
