"""Tables 1a and 1b: means and deviations by hand, the paper's cells, and what a reader must be told."""

import copy

from cosembed.study.scores import HeartScores, LeavesScores, read_scores
from cosembed.study.tables import heart as table1a
from cosembed.study.tables import leaves as table1b
from tests.helpers.studies import HEART_METRICS, LEAVES_METRICS, PAPER, write_metrics


def by_name(rows):
    return {row[0]: dict(zip(rows[0], row, strict=True)) for row in rows[1:]}


def test_table_1a_by_hand(tmp_path):
    scores = read_scores(HeartScores, write_metrics(tmp_path, HEART_METRICS))
    table = by_name(table1a.rows(scores, PAPER.heart))
    # Sample standard deviation of 50, 60, 70 is 10; a patient without the class is left out of 90, 70.
    assert table["myocardium"]["recurrent, ours"] == "60.0 ± 10.0"
    assert table["cavity"]["recurrent, ours"] == "80.0 ± 14.1"
    assert table["myocardium"]["non-recurrent, ours"] == "40.0"
    assert table["cavity"]["recurrent unwarmed, ours"] == "40.0"
    assert table["myocardium"]["recurrent, paper"] == "79.4 ± 8.5"
    assert table["cavity"]["non-recurrent, paper"] == "89.1 ± 7.7"
    assert table["cavity"]["confidence in the paper's"] == "medium-high"
    notes = " ".join(table1a.header_lines(scores, PAPER.heart))
    assert "not a reproduction" in notes and "not the paper's" in notes
    assert "myocardium: +1.2 over 11 patients, not more than chance (p = 0.41)" in notes
    assert "cavity: -3.0 over 11 patients, more than chance (p = 0.004)" in notes
    page = table1a.markdown(scores, PAPER.heart)
    assert "`python -m experiments.lv --profile=cpu`" in page and "network.levels: paper 7, here 5" in page


def test_labels_of_a_step_are_told_where_both_networks_have_a_number(tmp_path):
    content = copy.deepcopy(HEART_METRICS)
    content["variants"]["recurrent"]["labels_per_step"] = 1.3333
    for other, said in ((None, False), (10, True)):
        content["variants"]["non-recurrent"]["labels_per_step"] = other
        scores = read_scores(HeartScores, write_metrics(tmp_path, content))
        sentence = "a training step sees 1.3 labelled frames in the recurrent network, 10.0 in the other."
        assert (sentence in " ".join(table1a.header_lines(scores, {}))) == said


def test_table_1a_of_one_network_and_of_the_papers_data(tmp_path):
    variants = {"recurrent": HEART_METRICS["variants"]["recurrent"]}
    content = {
        **HEART_METRICS,
        "variants": variants,
        "comparison": {},
        "profile": "paper",
        "data": "LVSC",
    }
    scores = read_scores(HeartScores, write_metrics(tmp_path, content))
    assert "96 patients, not 3" in " ".join(table1a.header_lines(scores, PAPER.heart))
    patients = {f"p{number}": {"myocardium": 0.5, "cavity": 0.5} for number in range(96)}
    variants = {"recurrent": {"patients": patients}}
    scores = read_scores(HeartScores, write_metrics(tmp_path, {**content, "variants": variants}))
    assert by_name(table1a.rows(scores, PAPER.heart))["cavity"]["non-recurrent, ours"] == "not scored"
    notes = " ".join(table1a.header_lines(scores, PAPER.heart))
    assert "not a reproduction" not in notes and "not the paper's" not in notes and "chance" not in notes


def test_table_1b_by_hand(tmp_path):
    scores = read_scores(LeavesScores, write_metrics(tmp_path, LEAVES_METRICS))
    table = by_name(table1b.rows(scores, PAPER.leaves))
    assert table["ours, here"]["SBD in %"] == "80.0 ± 10.0"
    assert table["ours, here"]["|DiC|"] == "1.0 ± 1.0"
    assert table["ours, here"]["DiC"] == "+0.3"
    assert table["ours, here"]["FBD in %"] == "90.0 ± 0.0"
    assert table["IS+RA"]["FBD in %"] == "-"
    assert table["classical baseline, here"]["SBD in %"] == "50.0 ± 0.0"
    assert table["Ours (paper)"]["SBD in %"] == "84.5 ± 5.5"
    assert table["IS+RA"]["|DiC|"] == "0.8 ± 1.0"
    # No deviation where no source gives one, and a mark on what is of low confidence.
    assert table["RIS+CRF"]["SBD in %"] == "66.6" and table["MSU"]["|DiC|"] == "2.3 ?"
    assert [row[0] for row in table1b.rows(scores, PAPER.leaves)[1:]] == [
        "RIS+CRF",
        "MSU",
        "Nottingham",
        "Wageningen",
        "IPK",
        "IS+RA",
        "Ours (paper)",
        "classical baseline, here",
        "ours, here",
    ]
    notes = " ".join(table1b.header_lines(scores, PAPER.leaves))
    assert "not a reproduction" in notes and "not the paper's" in notes and "not directly comparable" in notes
    assert "`python -m experiments.simulated_leaves`" in table1b.markdown(scores, PAPER.leaves)
    few = {**LEAVES_METRICS, "data": "CVPPP-A1", "profile": "paper"}
    assert "128 plants, not 3" in " ".join(
        table1b.header_lines(read_scores(LeavesScores, write_metrics(tmp_path, few)), PAPER.leaves)
    )
    all_plants = {f"plant{number:03d}": LEAVES_METRICS["images"]["plant001"] for number in range(128)}
    paper = read_scores(LeavesScores, write_metrics(tmp_path, {**few, "images": all_plants}))
    notes = " ".join(table1b.header_lines(paper, PAPER.leaves))
    assert (
        "not a reproduction" not in notes and "not the paper's" not in notes and "not comparable" not in notes
    )
    assert "values that differ from the profile paper: 1" in notes


def test_without_numbers_of_a_paper_ours_stand_alone(tmp_path):
    hearts = read_scores(HeartScores, write_metrics(tmp_path, HEART_METRICS))
    assert table1a.rows(hearts, {})[0] == [
        "IoU in %",
        "non-recurrent, ours",
        "recurrent, ours",
        "recurrent unwarmed, ours",
    ]
    assert by_name(table1a.rows(hearts, {}))["cavity"]["recurrent, ours"] == "80.0 ± 14.1"
    plants = read_scores(LeavesScores, write_metrics(tmp_path, LEAVES_METRICS))
    assert [row[0] for row in table1b.rows(plants, {})[1:]] == ["classical baseline, here", "ours, here"]
    assert "Table 1a" not in table1a.markdown(hearts, {})
    assert table1a.markdown(hearts, PAPER.heart).startswith("# Table 1a: left ventricle\n")
    for notes in (table1a.header_lines(hearts, {}), table1b.header_lines(plants, {})):
        assert "paper's" not in " ".join(notes[1:])
