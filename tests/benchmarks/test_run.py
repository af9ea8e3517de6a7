"""All benchmarks are run part by part."""

import json

from benchmarks import data, run
from tests.helpers.builders import run_command


def test_results_are_written_part_by_part_and_others_are_kept(tmp_path, monkeypatch):
    done = run_command("benchmarks.run", "--only=nothing", f"--results={tmp_path / 'results.json'}")
    assert done.returncode == 2
    assert "choose of clustering, training" in done.stderr
    (tmp_path / "results.json").write_text(json.dumps({"data": {"rows": []}, "training": {"rows": [1]}}))
    monkeypatch.setattr(data, "measure", lambda: [{"clips_per_second": 2.0}])
    run.write_results(["data"], tmp_path / "results.json")
    results = json.loads((tmp_path / "results.json").read_text())
    assert results["training"] == {"rows": [1]}
    assert results["data"]["rows"] == [{"clips_per_second": 2.0}]
    assert results["data"]["cores"] >= 1
    assert "tensorflow" in results["data"]["versions"]
