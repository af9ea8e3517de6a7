"""One page with the paper's three tables, and what happens when an experiment fails."""

import dataclasses
import json

import pytest
from absl import flags
from absl.testing import flagsaver
from test_table1 import HEARTS, LEAVES
from test_tables import scores as cell_scores

from cosembed.errors import DataError, InputError
from experiments import reproduce


def write_metrics(out_dir, **contents):
    for name, content in contents.items():
        (out_dir / name).mkdir(parents=True, exist_ok=True)
        (out_dir / name / "metrics.json").write_text(json.dumps(content))


def cells():
    return dataclasses.asdict(cell_scores())


def test_the_page_holds_all_three_tables_and_their_commands(tmp_path):
    write_metrics(tmp_path, lv=HEARTS, cvppp=LEAVES, ctc_dic_hela=cells())
    reproduce.write_tables(tmp_path)
    for name in ("reproduction.md", "reproduction.html"):
        page = (tmp_path / name).read_text()
        for text in ("Table 1a", "Table 1b", "Table 2", "60.0 ± 10.0", "79.4 ± 8.5", "80.0 ± 10.0", "IS+RA", "DIC-C2DH-HeLa"):
            assert text in page, (name, text)
        for command in ("experiments.lv", "experiments.simulated_leaves", "experiments.ctc_dic_hela"):
            assert f"python -m {command}" in page
        assert "has no scores yet" not in page
        assert page.count("not a reproduction") >= 3


def test_what_is_missing_is_said(tmp_path):
    write_metrics(tmp_path, cvppp=LEAVES)
    reproduce.write_tables(tmp_path)
    page = (tmp_path / "reproduction.md").read_text()
    assert "Table 1a has no scores yet: make reproduce-lv." in page and "Table 2 has no scores yet" in page
    assert "Table 1b has no scores" not in page
    write_metrics(tmp_path, lv={"experiment": "lv"})
    with pytest.raises(DataError, match="lv/metrics"):
        reproduce.write_tables(tmp_path)


@pytest.fixture
def parsed(tmp_path):
    """Flags as from a command line, restored afterwards."""
    with flagsaver.flagsaver():
        yield lambda *arguments: flags.FLAGS(["reproduce", f"--out_dir={tmp_path}", *arguments])


def test_one_failure_does_not_stop_the_others_and_is_named(tmp_path, monkeypatch, capsys, parsed):
    (tmp_path / "fine.py").write_text("import sys; print(sys.argv[1:])")
    (tmp_path / "broken.py").write_text("import sys; sys.exit(2)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(reproduce, "RUNS", {"lv": "broken", "cvppp": "fine", "ctc": "fine"})
    write_metrics(tmp_path, cvppp=LEAVES)
    parsed("--profile=cpu")
    with pytest.raises(SystemExit) as stop:
        reproduce.main()
    assert stop.value.code == 2
    assert "failed: lv" in capsys.readouterr().err
    assert (tmp_path / "reproduction.html").exists()


def test_wrong_choices_are_refused_before_anything_runs(tmp_path, monkeypatch, parsed):
    monkeypatch.setattr(reproduce, "RUNS", dict.fromkeys(reproduce.RUNS, "no_such_module"))
    for arguments, message in [
        (["--only=lv,heart"], "unknown experiment 'heart'"),
        (["--mode=train"], "choose all, or tables"),
    ]:
        parsed(*arguments)
        with pytest.raises(InputError, match=message):
            reproduce.main()
        parsed("--only=all", "--mode=all")
    assert not list(tmp_path.iterdir())
