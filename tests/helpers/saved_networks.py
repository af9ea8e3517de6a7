"""Makes the small committed networks of `tests/training/saved/NAME`, for `test_saved_networks`.

    python -m tests.helpers.saved_networks NAME

NAME says which version of the package and which line of TensorFlow runs it: `before` (0.1.0 as of its first
year, TensorFlow 2.15, whose checkpoints are the object graph of Keras 2), `classic` (2.15) or `current`
(2.21).

    run/             a training of four iterations, ended after two
    imported/        a network of the authors, imported
    expected.npz     what both give for seeded images, and the weights of the run after all four iterations
"""

import re
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np

from cosembed.batches.clips import ClipSource
from cosembed.released import import_released, load_imported
from cosembed.training.checkpoints import load_network
from cosembed.training.loop import train
from cosembed.training.run_folder import RunFolder
from tests.helpers.builders import make_sequence, moving_squares, small_spec
from tests.helpers.numpy_network import seeded_variables, write_checkpoint

SAVED = Path(__file__).parents[1] / "training" / "saved"
STOPPED_AT, END = 2, 4
SPEC = small_spec(
    "network.filters=1", "network.levels=2", "network.outputs=2", f"training.iterations={END}",
    f"training.checkpoint_every={STOPPED_AT}", "training.optimizer=nadam",
    # The networks are older than these values of the data set.
    "tracking.second_look=false", "tracking.daughter_likeness=0",
)  # fmt: skip


def train_to_the_end(folder: Path) -> np.ndarray:
    """Starts or continues the run in a folder; returns its last weights, one after another."""
    images, labels, _ = moving_squares(frames=8)
    source = ClipSource([make_sequence(images, labels)], SPEC, SPEC.training.seed)
    run = RunFolder(folder)
    run.open(SPEC, {"train": "squares"})
    return weights_of(train(SPEC, source, run))


def weights_of(model) -> np.ndarray:
    return np.concatenate([variable.numpy().ravel() for variable in model.trainable_variables])


def outputs(model) -> np.ndarray:
    """The second hourglass's embeddings of seeded images: [1, 3, 16, 16, D]."""
    images = np.random.default_rng(7).normal(0, 0.5, (1, 3, 16, 16, 1)).astype(np.float32)
    return model(images)[1].numpy()


def main(name: str) -> None:
    folder = SAVED / name
    with tempfile.TemporaryDirectory() as temporary:
        weights = train_to_the_end(Path(temporary) / "run")
        run = RunFolder(folder / "run")
        run.checkpoints.mkdir(parents=True)
        for part in (
            *Path(temporary).glob("run/*.*"),
            *Path(temporary).glob(f"run/checkpoints/step-{STOPPED_AT}.*"),
        ):
            shutil.copy(part, folder / part.relative_to(temporary))
        released = write_checkpoint(
            Path(temporary) / "model-1", seeded_variables(1, levels=2, filters=1, outputs=2), optimizer=False
        )
        import_released(released, folder / "imported")
    facts = run.versions_file.read_text()
    # Not of interest, and the machine's own.
    run.versions_file.write_text(re.sub(r'"git_commit": "\w+"', '"git_commit": "unknown"', facts))
    model, _, step = load_network(run.path)
    assert step == STOPPED_AT
    imported = outputs(load_imported(folder / "imported"))
    np.savez(folder / "expected.npz", outputs=outputs(model), imported=imported, weights=weights)


if __name__ == "__main__":
    main(*sys.argv[1:])
