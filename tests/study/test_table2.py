"""The paper's numbers as transcribed, and the tables that put ours beside them."""

import json
import re

import pytest

from cosembed import specs
from cosembed.errors import SpecError
from cosembed.study.tables import cells as table2
from cosembed.study.tables import layout
from cosembed.study.tables.reported import CONFIDENCES, ReportedCell, parse_table, read_reported
from cosembed.study.tasks.cells_report import worst_frames
from experiments import REPORTED
from tests.helpers.studies import PAPER, cells_fold, cells_scores

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
    "RIS+CRF": (66.6, 1.1),
    "MSU": (66.7, 2.3),
    "Nottingham": (68.3, 3.8),
    "Wageningen": (71.1, 2.2),
    "IPK": (74.4, 2.6),
    "IS+RA": (84.9, 0.8),
    "Ours (paper)": (84.5, 1.5),
}


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
    table = PAPER.cells
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
    for row in PAPER.cells.values():
        for cell in row.values():
            if cell.value is None:
                assert cell.bound == f"{relation.get(cell.rank_text(), '<')} {cell.second_place:.3f}"


def test_table_1_as_transcribed():
    ventricle = PAPER.heart
    found = {name: [(cell.value, cell.sd) for cell in row.values()] for name, row in ventricle.items()}
    assert found == {"myocardium": [(78.3, 9.2), (79.4, 8.5)], "cavity": [(89.1, 7.7), (89.4, 7.2)]}
    leaves = PAPER.leaves
    assert {name: (row["SBD"].value, row["DiC"].value) for name, row in leaves.items()} == LEAVES
    with_sd = {
        name: (row["SBD"].sd, row["DiC"].sd) for name, row in leaves.items() if row["SBD"].sd is not None
    }
    assert with_sd == {"IS+RA": (4.8, 1.0), "Ours (paper)": (5.5, 1.2)}
    assert {name for name, row in leaves.items() if row["DiC"].confidence == "low"} == {"MSU", "IPK"}


def test_every_cell_has_source_and_confidence():
    for table in (PAPER.heart, PAPER.leaves, PAPER.cells):
        for row in table.values():
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
    content = json.loads(REPORTED.read_text())["table1a"]
    assert parse_table(content) == PAPER.heart
    content["rows"]["cavity"]["recurrent"].update(change)
    with pytest.raises((TypeError, ValueError), match=named):
        parse_table(content)
    del content["rows"]["cavity"]["recurrent"]
    with pytest.raises(ValueError, match="cavity"):
        parse_table(content)


def test_a_damaged_file_is_named(tmp_path):
    path = tmp_path / "numbers.json"
    for content in ("", "[]", "{}", REPORTED.read_text().replace('"confidence": "low"', '"confidence": 1')):
        path.write_text(content)
        with pytest.raises(SpecError, match=r"numbers\.json: the paper's numbers cannot be read"):
            read_reported(path)


def test_unknown_values_are_printed_as_such():
    assert ReportedCell(None, "nowhere", "low").text(3) == "not known"
    assert ReportedCell(None, "nowhere", "low", bound="< 0.5").text(3) == "not known (< 0.5)"
    assert ReportedCell(0.5, "nowhere", "low").rank_text() == "not known"


def test_rows_hold_ours_every_fold_the_baseline_and_the_papers(tmp_path):
    folds = [cells_fold(SEG=0.4, TRA=None, OP=0.3), cells_fold(SEG=0.6, TRA=0.5, OP=0.8)]
    both = [
        cells_scores(tmp_path, folds=folds, baseline={"SEG": 0.125, "TRA": None, "OP": 0.25}),
        cells_scores(tmp_path, data="Fluo-N2DH-GOWT1", profile="paper"),
    ]
    for rows in (
        text_cells(table2.text(both, PAPER.cells)),
        markdown_cells(table2.markdown(both, PAPER.cells)),
    ):
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


def test_columns_without_content_are_left_out(tmp_path):
    (header, *_), simulated = (
        table2.rows([cells_scores(tmp_path)], PAPER.cells),
        cells_scores(tmp_path, data="simulated"),
    )
    assert "baseline" not in header and "before training" not in header
    assert table2.rows([simulated], PAPER.cells)[0] == ["data set (profile)", "measure", "ours"]
    assert table2.DIFFERENCE not in table2.header_lines([simulated], PAPER.cells)
    mixed = table2.rows([simulated, cells_scores(tmp_path)], PAPER.cells)
    assert mixed[1][3:] == ["-"] * 4


def test_what_a_training_started_from_has_a_column_and_a_note(tmp_path):
    both = [
        cells_scores(
            tmp_path, start_from="other, weights 12ab", before={"SEG": 0.125, "TRA": None, "OP": 0.25}
        ),
        cells_scores(tmp_path, data="Fluo-N2DH-GOWT1"),
    ]
    rows = text_cells(table2.text(both, PAPER.cells))
    assert [rows["DIC-C2DH-HeLa", measure]["before training"] for measure in ("SEG", "TRA")] == [
        "0.125",
        "not scored",
    ]
    assert rows["Fluo-N2DH-GOWT1", "SEG"]["before training"] == "not scored"
    (note,) = [line for line in table2.header_lines(both, PAPER.cells) if "Before training" in line]
    assert "(other, weights 12ab)" in note


def test_the_header_says_what_the_numbers_are(tmp_path):
    changed = [["network.image_size", 256, 128], ["augmentation.translation", 51.2, 19.200000000000003]]
    both = [
        cells_scores(tmp_path, deviations=changed),
        cells_scores(tmp_path, data="Fluo-C2DL-MSC", profile="paper"),
    ]
    for text in (table2.text(both, PAPER.cells), table2.markdown(both, PAPER.cells)):
        head = " ".join(text.split("measure")[0].split())
        assert "Profile cpu: smaller than the paper's" in head
        assert "Profile paper:" not in head
        assert (
            "DIC-C2DH-HeLa: recipe paper, profile cpu, protocol crossval; both ways; values that differ"
            in head
        )
        assert table2.DIFFERENCE in head
    details = (
        "\n  - network.image_size: paper 256, here 128\n  - augmentation.translation: paper 51.2, here 19.2\n"
    )
    assert f"`python -m experiments.ctc_dic_hela`{details}" in table2.markdown(both, PAPER.cells)
    assert max(map(len, table2.text(both, PAPER.cells).split("\n\n")[0].splitlines())) <= layout.WIDTH
    content = json.loads(table2.as_json(both, PAPER.cells))
    assert [entry["reproduction"] for entry in content["datasets"]] == [False, True]
    assert content["datasets"][0]["reported"]["TRA"]["rank_confidence"] == "high"
    assert content["notes"] == table2.header_lines(both, PAPER.cells)


def test_every_data_set_of_cells_has_numbers_of_the_paper():
    assert set(PAPER.cells) == set(specs.dataset_names("cells")) - {"simulated"}
    assert PAPER.cells["DIC-C2DH-HeLa"]["SEG"].text(3) == "not known (> 0.776)"


def test_the_table_puts_ours_beside_the_papers_and_says_what_it_is(tmp_path):
    baseline = {"SEG": 0.1, "TRA": 0.2, "OP": None}
    scores = [cells_scores(tmp_path, baseline=baseline)]
    for text in (table2.text(scores, PAPER.cells), table2.markdown(scores, PAPER.cells)):
        assert "not a reproduction" in text
        assert "not directly comparable" in text
        line = next(line for line in text.splitlines() if "SEG" in line and "0.776" in line)
        assert "0.500" in line
        assert "0.100" in line
        assert "> 0.776" in line
    of_paper, unscored = cells_scores(tmp_path, profile="paper"), cells_scores(tmp_path, TRA=None)
    assert "not a reproduction" not in table2.text([of_paper], PAPER.cells)
    assert "not scored" in table2.text([unscored], PAPER.cells)
    content = json.loads(table2.as_json(scores, PAPER.cells))
    assert content["datasets"][0]["dataset"] == "DIC-C2DH-HeLa"
    assert content["datasets"][0]["reported"]["SEG"]["second_place"] == 0.776
    assert content["datasets"][0]["SEG"] == 0.5


def test_without_numbers_of_a_paper_ours_stand_alone(tmp_path):
    text = table2.text([cells_scores(tmp_path)], {})
    assert "paper: value" not in text and "comparable" not in text and "0.500" in text


def test_networks_of_the_authors_are_told_apart(tmp_path):
    notes = table2.header_lines([cells_scores(tmp_path, of_authors=True)], PAPER.cells)
    assert "protocol crossval, networks of the authors" in notes[1]
    assert table2.SEEN in notes and table2.DIFFERENCE not in notes


def test_scores_are_read_where_they_exist(tmp_path):
    scores = cells_scores(tmp_path)
    assert table2.read_existing([tmp_path / "metrics.json", tmp_path / "none.json"]) == [scores]


def test_worst_frames_are_those_with_a_score():
    assert worst_frames({0: float("nan"), 4: 0.5, 2: float("nan"), 7: 0.1, 1: 0.9, 3: 0.7}) == [7, 4, 1]
    assert worst_frames({0: float("nan")}) == []
    assert worst_frames({}) == []
    assert worst_frames({5: 0.5}) == [5]


def test_item_18_worst_frames_are_far_apart_in_time():
    """The ten worst frames are neighbours; one of them is shown, and the worst ones far from it."""
    scores = {number: 0.9 - number / 1000 for number in range(100)} | {
        number: 0.1 + abs(number - 40) / 100 for number in range(36, 46)
    }
    assert worst_frames(scores) == [40, 99, 74]
    assert worst_frames({7: 0.1, 8: 0.2, 9: 0.3, 80: 0.9}) == [7, 9, 80], "few frames have truth"
    assert worst_frames({3: 0.2, 4: 0.1}) == [4, 3]
