"""Tables 1a and 1b: means and deviations worked by hand, the paper's cells beside them, and what a reader must be told."""

import json

import pytest

from cosembed.errors import DataError
from cosembed.reporting import table1a, table1b

HEARTS = {
    "experiment": "lv", "data": "ACDC-cine, 3 patients", "recipe": "paper", "profile": "cpu", "split": "three folds",
    "command": "python -m experiments.lv --profile=cpu",
    "variants": {
        "recurrent": {
            "deviations": [["network.levels", 7, 5]],
            "patients": {
                "a": {"myocardium": 0.5, "cavity": 0.9},
                "b": {"myocardium": 0.6, "cavity": None},
                "c": {"myocardium": 0.7, "cavity": 0.7},
            },
            "unwarmed": {"a": {"myocardium": 0.2, "cavity": 0.4}},
        },
        "non-recurrent": {"deviations": [], "patients": {"a": {"myocardium": 0.4, "cavity": 0.8}}},
    },
    "comparison": {
        "myocardium": {"difference": 0.012, "p": 0.41, "patients": 11, "test": "Wilcoxon signed-rank test, two-sided"},
        "cavity": {"difference": -0.03, "p": 0.004, "patients": 11, "test": "Wilcoxon signed-rank test, two-sided"},
    },
}  # fmt: skip
LEAVES = {
    "experiment": "leaves", "data": "simulated-leaves, 3 plants tested", "recipe": "paper", "profile": "cpu",
    "split": "three folds", "command": "python -m experiments.simulated_leaves", "deviations": [["network.filters", 64, 16]],
    "images": {
        "plant001": {"SBD": 0.7, "DiC": -1, "baseline_SBD": 0.5, "baseline_DiC": 3},
        "plant002": {"SBD": 0.8, "DiC": 2, "baseline_SBD": 0.5, "baseline_DiC": 3},
        "plant003": {"SBD": 0.9, "DiC": 0, "baseline_SBD": 0.5, "baseline_DiC": 3},
    },
}  # fmt: skip


def written(tmp_path, content):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(content))
    return path


def by_name(rows):
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


def test_table_1a_by_hand(tmp_path):
    scores = table1a.read_scores(written(tmp_path, HEARTS))
    table = by_name(table1a.rows(scores))
    # Sample standard deviation of 50, 60, 70 is 10; a patient without the class is left out of 90, 70.
    assert table["myocardium"]["recurrent, ours"] == "60.0 ± 10.0"
    assert table["cavity"]["recurrent, ours"] == "80.0 ± 14.1"
    assert table["myocardium"]["non-recurrent, ours"] == "40.0"
    assert table["cavity"]["recurrent unwarmed, ours"] == "40.0"
    assert table["myocardium"]["recurrent, paper"] == "79.4 ± 8.5"
    assert table["cavity"]["non-recurrent, paper"] == "89.1 ± 7.7"
    assert table["cavity"]["confidence in the paper's"] == "medium-high"
    notes = " ".join(table1a.header_lines(scores))
    assert "not a reproduction" in notes and "not the paper's" in notes
    assert "myocardium: +1.2 over 11 patients, not more than chance (p = 0.41)" in notes
    assert "cavity: -3.0 over 11 patients, more than chance (p = 0.004)" in notes
    page = table1a.markdown(scores)
    assert "`python -m experiments.lv --profile=cpu`" in page and "network.levels: paper 7, here 5" in page


def test_table_1a_of_one_network_and_of_the_papers_data(tmp_path):
    variants = {"recurrent": HEARTS["variants"]["recurrent"]}
    content = {
        **HEARTS,
        "variants": variants,
        "comparison": {},
        "profile": "paper",
        "data": "LVSC, 3 patients",
    }
    scores = table1a.read_scores(written(tmp_path, content))
    assert "96 patients, not 3" in " ".join(table1a.header_lines(scores))
    patients = {f"p{number}": {"myocardium": 0.5, "cavity": 0.5} for number in range(96)}
    variants = {"recurrent": {"deviations": [], "patients": patients}}
    scores = table1a.read_scores(written(tmp_path, {**content, "variants": variants}))
    assert by_name(table1a.rows(scores))["cavity"]["non-recurrent, ours"] == "not scored"
    notes = " ".join(table1a.header_lines(scores))
    assert "not a reproduction" not in notes and "not the paper's" not in notes and "chance" not in notes


def test_table_1b_by_hand(tmp_path):
    scores = table1b.read_scores(written(tmp_path, LEAVES))
    table = by_name(table1b.rows(scores))
    assert table["ours, here"]["SBD in %"] == "80.0 ± 10.0"
    assert table["ours, here"]["|DiC|"] == "1.0 ± 1.0"
    assert table["ours, here"]["DiC"] == "+0.3"
    assert table["classical baseline, here"]["SBD in %"] == "50.0 ± 0.0"
    assert table["Ours (paper)"]["SBD in %"] == "84.5 ± 5.5"
    assert table["IS+RA"]["|DiC|"] == "0.8 ± 1.0"
    # No deviation where no source gives one, and a mark on what is of low confidence.
    assert table["RIS+CRF"]["SBD in %"] == "66.6" and table["MSU"]["|DiC|"] == "2.3 ?"
    assert [row[0] for row in table1b.rows(scores)[1:]] == [
        "RIS+CRF", "MSU", "Nottingham", "Wageningen", "IPK", "IS+RA", "Ours (paper)", "classical baseline, here", "ours, here",
    ]  # fmt: skip
    notes = " ".join(table1b.header_lines(scores))
    assert "not a reproduction" in notes and "not the paper's" in notes and "not directly comparable" in notes
    assert "`python -m experiments.simulated_leaves`" in table1b.markdown(scores)
    few = {**LEAVES, "data": "CVPPP-A1, 3 plants tested", "profile": "paper"}
    assert "128 plants, not 3" in " ".join(table1b.header_lines(table1b.read_scores(written(tmp_path, few))))
    all_plants = {f"plant{number:03d}": LEAVES["images"]["plant001"] for number in range(128)}
    paper = table1b.read_scores(written(tmp_path, {**few, "images": all_plants}))
    notes = " ".join(table1b.header_lines(paper))
    assert (
        "not a reproduction" not in notes and "not the paper's" not in notes and "not comparable" not in notes
    )
    assert "values that differ from the profile paper: 1" in notes


def without(content, *path):
    copy = json.loads(json.dumps(content))
    entry = copy
    for key in path[:-1]:
        entry = entry[key]
    del entry[path[-1]]
    return copy


@pytest.mark.parametrize(
    "content",
    [
        [], {}, {**HEARTS, "extra": 1}, without(HEARTS, "split"),
        without(HEARTS, "variants", "recurrent", "patients", "a", "cavity"),
        without(HEARTS, "variants", "recurrent", "deviations"), {**HEARTS, "variants": {"recurrent": 3}},
        without(HEARTS, "comparison", "cavity", "p"), without(HEARTS, "comparison", "cavity", "test"),
        {**HEARTS, "comparison": []},
    ],
)  # fmt: skip
def test_damaged_metrics_of_hearts_name_the_file(content, tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json: is not the metrics"):
        table1a.read_scores(written(tmp_path, content))


@pytest.mark.parametrize(
    "content",
    [
        [],
        {},
        {**LEAVES, "images": {}},
        {**LEAVES, "images": 3},
        without(LEAVES, "images", "plant001", "SBD"),
        HEARTS,
    ],
)
def test_damaged_metrics_of_leaves_name_the_file(content, tmp_path):
    with pytest.raises(DataError, match=r"metrics\.json: is not the metrics"):
        table1b.read_scores(written(tmp_path, content))
