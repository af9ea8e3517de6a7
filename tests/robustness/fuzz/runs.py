"""Hostile runs, checkpoints and networks: TensorFlow's files, network.json, cards, histories. Imports TensorFlow."""

from __future__ import annotations

import functools
import hashlib
import json
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from cosembed import released, specs
from cosembed.networks.export import export_run
from cosembed.networks.stored_network import load_stored, read_example
from cosembed.training.checkpoints import build_network, checkpoint_manager, load_network
from cosembed.training.run_folder import RunFolder
from tests.helpers.numpy_network import seeded_variables, write_checkpoint
from tests.robustness.fuzz.case import Case, Rng, odd_file, pick
from tests.robustness.fuzz.mutate import damage, damaged_text, truncate

_HISTORY = "step,loss,task_loss,learning_rate,seconds\n1,0.5,0.4,0.001,0.1\n2,0.4,0.3,0.001,0.1\n"


def released_case(rng: Rng, box: Path) -> Case:
    """A checkpoint of the authors, or the folder made from it."""
    imported = rng.random() < 0.3
    source = _valid() / ("imported" if imported else "authors")
    shutil.copytree(source, box, dirs_exist_ok=True)
    path = pick(rng, sorted(file for file in box.iterdir() if file.name != "checkpoint"))
    refuse = _damage(rng, path)
    return Case(lambda: released.load_imported(box if imported else box / "model-1"), _finite, refuse)


def run_case(rng: Rng, box: Path) -> Case:
    """The checkpoints and the spec of a run."""
    shutil.copytree(_valid() / "run", box, dirs_exist_ok=True)
    path = pick(
        rng,
        sorted(
            file
            for file in box.rglob("*")
            if file.is_file() and file.name not in ("history.csv", "versions.json")
        ),
    )
    refuse = _damage(rng, path)
    # TensorFlow's list of checkpoints is not the only way to find them, and a spec may say something else that is possible.
    return Case(lambda: load_network(box)[0], _finite, refuse if "step-" in path.name else "")


def network_case(rng: Rng, box: Path) -> Case:
    """A folder with a card; half of the time the card has the hashes of the damaged files."""
    shutil.copytree(_valid() / "network", box, dirs_exist_ok=True)
    path = pick(rng, sorted(box.iterdir()))
    before = path.read_bytes()
    refuse = _damage(rng, path)
    if not refuse and path.name != "card.yaml" and path.read_bytes() != before:
        refuse = "it has another hash"
        if rng.random() < 0.5:
            card = box / "card.yaml"
            old, new = (hashlib.sha256(content).hexdigest() for content in (before, path.read_bytes()))
            card.write_text(card.read_text().replace(old, new))
            refuse = ""

    def read() -> tf.keras.Model:
        network = load_stored(box)
        read_example(box / "example.npz", network.spec)
        return network.model

    return Case(read, _finite, refuse)


def history_case(rng: Rng, box: Path) -> Case:
    """history.csv and versions.json of a run that is to be continued."""
    spec = specs.resolve("simulated", "paper", "smoke")
    run = RunFolder(box)
    (box / "spec.yaml").write_text(specs.dump(spec))
    files = {
        "history.csv": _HISTORY,
        "versions.json": json.dumps({"versions": {}, "git_commit": "-", "identity": {"train": "a"}}),
    }
    for name, text in files.items():
        (box / name).write_text(text)
    path = box / pick(rng, sorted(files))
    refuse = ""
    if rng.random() < 0.06:
        refuse = odd_file(rng, path)
    else:
        path.write_bytes(damaged_text(rng, files[path.name]))

    def read() -> list[Any]:
        run.open(spec, {"train": "a"})
        return run.read_history()

    # No history, or an empty one, is that of a run without steps.
    fine = path.name == "history.csv" and refuse.split()[-1:] in (["absent"], ["loop"], ["link"], ["empty"])
    return Case(read, _check_history, "" if fine else refuse)


def _check_history(records: list[Any]) -> None:
    for record in records:
        assert (
            record.step >= 1
            and np.isfinite([record.loss, record.task_loss, record.learning_rate, record.seconds]).all()
        )


def _damage(rng: Rng, path: Path) -> str:
    content = path.read_bytes()
    if rng.random() < 0.06:
        return odd_file(rng, path)
    if path.suffix in (".yaml", ".json") or path.name == "checkpoint":
        path.write_bytes(damaged_text(rng, content.decode()))
        return ""
    path.write_bytes(truncate(rng, content) if rng.random() < 0.3 else damage(rng, content))
    # TensorFlow keeps a checksum of every block and every tensor, but the end of the index and unused tensors matter to nobody.
    return "it is truncated" if len(path.read_bytes()) < len(content) else ""


def _finite(model: tf.keras.Model) -> None:
    assert all(np.isfinite(weight.numpy()).all() for weight in model.weights)


@functools.cache
def _valid() -> Path:
    """A folder with a valid checkpoint of the authors, an imported one, and a run."""
    root = Path(tempfile.mkdtemp(prefix="cosembed-fuzz-valid-"))
    (root / "authors").mkdir()
    prefix = write_checkpoint(root / "authors" / "model-1", seeded_variables(0, levels=2), optimizer=False)
    released.import_released(prefix, root / "imported")
    spec = specs.resolve(
        "simulated", "paper", "smoke", {"network.filters": 4, "network.levels": 2, "network.outputs": 3}
    )
    run = RunFolder(root / "run")
    run.open(spec, {})
    run.history_file.write_text(_HISTORY)
    checkpoint_manager(run.checkpoints, model=build_network(spec), step=tf.Variable(2, dtype=tf.int64)).save(
        checkpoint_number=2
    )
    export_run(root / "run", root / "network", "mine")
    return root
