"""Pictures, tables and the report."""

import json

import pytest

from cosembed import specs
from cosembed.errors import DataError
from cosembed.study.tables import cells as tables
from cosembed.study.tables.reported import load_reported
from cosembed.study.tasks.cells_report import worst_frames


def scores(**changes):
    fields = {
        "dataset": "DIC-C2DH-HeLa", "recipe": "paper", "profile": "cpu", "protocol": "crossval", "split": "one video",
        "folds": [], "command": "python -m experiments.ctc_dic_hela", "deviations": [], "SEG": 0.5, "DET": 0.7, "TRA": 0.6,
        "OP": 0.55, "baseline": {"SEG": 0.1, "TRA": 0.2, "OP": None},
    }  # fmt: skip
    return tables.DatasetScores(**{**fields, **changes})


def test_worst_frames_are_those_with_a_score():
    assert worst_frames({0: float("nan"), 4: 0.5, 2: float("nan"), 7: 0.1, 1: 0.9, 3: 0.7}) == [7, 4, 3]
    assert worst_frames({0: float("nan")}) == []


def test_every_data_set_has_reported_ranks_and_unknown_values_stay_unknown():
    table = load_reported("table2")
    assert set(table) == set(specs.dataset_names("cells")) - {"simulated"}
    assert table["Fluo-N2DH-GOWT1"]["OP"].text(3) == "0.914"
    assert table["DIC-C2DH-HeLa"]["SEG"].value is None
    assert table["DIC-C2DH-HeLa"]["SEG"].text(3) == "not known (> 0.776)"
    assert table["DIC-C2DH-HeLa"]["SEG"].rank == "1"
    leaves = load_reported("table1b")
    assert leaves["Ours (paper)"]["SBD"].text(1) == "84.5 ± 5.5"
    assert leaves["MSU"]["DiC"].confidence == "low"
    assert load_reported("table1a")["cavity"]["recurrent"].text(1) == "89.4 ± 7.2"


def test_the_table_puts_ours_beside_the_papers_and_says_what_it_is():
    for text in (tables.table2_text([scores()]), tables.table2_markdown([scores()])):
        assert "not a reproduction" in text
        assert "not directly comparable" in text
        line = next(line for line in text.splitlines() if "SEG" in line and "0.776" in line)
        assert "0.500" in line
        assert "0.100" in line
        assert "> 0.776" in line
    assert "not a reproduction" not in tables.table2_text([scores(profile="paper")])
    assert "not scored" in tables.table2_text([scores(TRA=None)])
    content = json.loads(tables.table2_json([scores()]))
    assert content["datasets"][0]["reported"]["SEG"]["second_place"] == 0.776
    assert content["datasets"][0]["SEG"] == 0.5


def test_scores_are_read_where_they_exist_and_damage_is_named(tmp_path):
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(scores().__dict__))
    assert tables.read_scores([good, tmp_path / "none.json"]) == [scores()]
    bad.write_text('{"SEG": 1}')
    with pytest.raises(DataError, match=r"bad\.json"):
        tables.read_scores([bad])
