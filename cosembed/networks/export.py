"""Makes the folder of a network, with its card, of a run. Knows no experiment."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from cosembed import __version__, specs
from cosembed.datasets.ctc.mask_files import TRUTH_PREFIXES, mask_files, read_labels
from cosembed.errors import DataError
from cosembed.files.reading import read_json
from cosembed.files.writing import atomic_folder
from cosembed.networks.arrays import file_sha256, write_arrays
from cosembed.networks.card import Card, Expectation, Hashes, Terms, Training, write_card
from cosembed.networks.description import SPEC_FILE
from cosembed.networks.stored_network import (
    EXAMPLE_FILE,
    WEIGHTS_FILE,
    example_images,
    example_outputs,
    read_weights,
    write_weights,
)
from cosembed.preprocessing.label_overlap import count_labels
from cosembed.specs import CellsSpec
from cosembed.training.checkpoints import load_network
from cosembed.training.run_folder import UNKNOWN, RunFolder

NOT_STATED = "Not stated."


def export_run(
    run: Path, output: Path, name: str, cell_area: tuple[float, float, float] | None = None
) -> Card:
    """Makes the folder of a network of a run, complete or not at all.

    The card holds what the run knows; scores, failures and terms are for its owner to fill in.

    Args:
        run: The folder of a run, or one checkpoint of it.
        output: The folder to write.
        name: The network's name.
        cell_area: As in the card.

    Returns:
        The card.

    Raises:
        CheckpointError: The run holds no network that can be read.
        SpecError: The run is one of another task.
        OutputError: `output` exists.
    """
    model, spec, steps = load_network(run)
    with atomic_folder(output) as folder:
        write_weights(folder / WEIGHTS_FILE, model)
        (folder / SPEC_FILE).write_text(specs.dump(spec), encoding="utf-8")
        # The outputs are those of the weights as they are stored.
        read_weights(folder / WEIGHTS_FILE, model)
        images = example_images(spec)
        write_arrays(folder / EXAMPLE_FILE, {"images": images, "outputs": example_outputs(model, images)})
        hashes = Hashes(
            weights=file_sha256(folder / WEIGHTS_FILE),
            spec=file_sha256(folder / SPEC_FILE),
            example=file_sha256(folder / EXAMPLE_FILE),
        )
        card = _card(name, spec, steps, _facts(run), hashes, cell_area)
        write_card(folder, card)
    return card


def measure_cells(truth: Path) -> tuple[float, float, float]:
    """Measures the areas, in pixels, that 5, 50 and 95 % of the cells of a video stay below.

    Args:
        truth: A folder of truth; the masks of SEG count, those of TRA if there are none.

    Raises:
        DataError: It holds no mask, or no cell, or a mask that cannot be read.
    """
    for kind in ("SEG", "TRA"):
        files = mask_files(truth / kind, TRUTH_PREFIXES[kind]).values()
        labelled = (count_labels(read_labels(path)) for path in files)
        areas = [area for labels, counts in labelled for area in counts[labels > 0]]
        if areas:
            low, middle, high = np.percentile(areas, (5, 50, 95)).round(1).tolist()
            return low, middle, high
    raise DataError(f"{truth}: SEG and TRA hold no labelled cell; give the folder of truth of a video")


def _card(
    name: str,
    spec: CellsSpec,
    steps: int,
    facts: dict[str, Any],
    hashes: Hashes,
    cell_area: tuple[float, float, float] | None,
) -> Card:
    made = f"cosembed {facts['version']}, recipe {spec.recipe}, profile {spec.profile}"
    return Card(
        name=name,
        version=1,
        cosembed=__version__,
        summary=f"{spec.dataset.name}, profile {spec.profile}, {steps} steps.",
        sha256=hashes,
        trained=Training(
            data=f"{spec.dataset.name}, {facts['frames']}",
            method=made,
            steps=steps,
            device=facts["device"],
            seed=spec.training.seed,
            commit=facts["commit"],
        ),
        terms=Terms(weights=NOT_STATED, data=spec.dataset.licence),
        expects=Expectation(
            images=f"Images like those of {spec.dataset.name}.",
            pixel_size=None,
            image_shape=spec.dataset.image_shape,
            cell_area=cell_area,
        ),
        scores=(),
        known_failures=(),
    )


def _facts(run: Path) -> dict[str, Any]:
    """Reads what a run says of how it was made; a run that does not say it is exported all the same."""
    folder = run if run.is_dir() else run.parent.parent
    try:
        known = dict(read_json(RunFolder(folder).versions_file))
    except (OSError, ValueError, TypeError):
        known = {}
    versions, identity = known.get("versions"), known.get("identity")
    return {
        "version": versions.get("cosembed", UNKNOWN) if isinstance(versions, dict) else UNKNOWN,
        "frames": ", ".join(f"{key}: {value}" for key, value in identity.items())
        if isinstance(identity, dict) and identity
        else "frames unknown",
        "device": str(known.get("device", UNKNOWN)),
        "commit": str(known.get("git_commit", UNKNOWN)),
    }
