"""Hostile HDF5 files of plants: damaged bytes, other shapes and types, links and storage outside the file."""

from __future__ import annotations

import os
from pathlib import Path

import h5py
import numpy as np
from numpy.typing import NDArray

from cosembed.data.cvppp import find_plants
from tests.fuzz.case import Case, Rng, odd_file, pick
from tests.fuzz.mutate import damage, truncate


def hdf5_case(rng: Rng, box: Path) -> Case:
    """One HDF5 file with one plant."""
    path = box / "leaves.h5"
    way = rng.random()
    if way < 0.05:
        return Case(lambda: _read(path), refuse=odd_file(rng, path))
    if way < 0.25:
        return Case(lambda: _read(path), refuse=_other_content(rng, path))
    _write(rng, path)
    content = path.read_bytes()
    if way < 0.4:
        path.write_bytes(truncate(rng, content))
        return Case(lambda: _read(path), refuse="it is truncated")
    path.write_bytes(damage(rng, content))
    return Case(lambda: _read(path), _check)


def _read(path: Path) -> list[tuple[NDArray, NDArray]]:
    return [(plant.image(), plant.labels()) for plant in find_plants(path)]


def _check(read: list[tuple[NDArray, NDArray]]) -> None:
    assert read
    for image, labels in read:
        assert (
            image.shape == (*labels.shape, 3)
            and image.dtype == np.uint8
            and labels.dtype == np.uint16
            and labels.any()
        )


def _write(rng: Rng, path: Path) -> None:
    options: dict[str, object] = pick(
        rng, [{}, {"chunks": (4, 4)}, {"chunks": (9, 12), "compression": "gzip"}]
    )
    if rng.random() < 0.3:
        options = {"chunks": (4, 4), "fletcher32": True, "shuffle": True}
    labels = rng.integers(0, 5, (9, 12)).astype(pick(rng, [np.uint8, np.uint16]))
    image = rng.integers(0, 255, (9, 12, 3)).astype(np.uint8)
    with h5py.File(path, "w", libver=pick(rng, ["earliest", "latest"])) as file:
        file.create_dataset("A1/plant001/label", data=labels, **options)
        file.create_dataset(
            "A1/plant001/rgb", data=image, **({**options, "chunks": (4, 4, 3)} if options else {})
        )


def _other_content(rng: Rng, path: Path) -> str:
    """A valid HDF5 file with something else in the place of the image; says why it must be refused."""
    _write(rng, path)
    kind = pick(rng, ["huge", "huge stored", "float", "text", "reference", "group", "volume", "scalar", "external", "pipe", "link",
                      "link to pipe", "virtual", "unwritten", "circle", "nothing"])  # fmt: skip
    elsewhere = path.with_name("elsewhere.bin")
    with h5py.File(path, "a") as file:
        plant = file["A1/plant001"]
        del plant["rgb"]
        match kind:
            case "huge":
                plant.create_dataset("rgb", (100_000, 100_000, 3), np.uint8, chunks=(1000, 1000, 3))
            case "huge stored":
                dataset = plant.create_dataset(
                    "rgb", (2**15, 2**14, 2), np.uint8, chunks=(2**11, 2**11, 2), compression="gzip"
                )
                dataset[:10, :10] = 1
            case "float":
                plant["rgb"] = np.full((9, 12, 3), np.nan)
            case "text":
                plant["rgb"] = "a picture"
            case "reference":
                plant["rgb"] = np.array([file.ref] * 3, h5py.ref_dtype)
            case "group":
                plant.create_group("rgb")
            case "volume":
                plant["rgb"] = np.zeros((9, 12, 3, 3), np.uint8)
            case "scalar":
                plant["rgb"] = np.uint8(3)
            case "external":
                elsewhere.write_bytes(bytes(range(255)) * 4)
                plant.create_dataset("rgb", (9, 12, 3), np.uint8, external=[(str(elsewhere), 0, 9 * 12 * 3)])
            case "pipe":
                os.mkfifo(elsewhere)
                plant.create_dataset("rgb", (9, 12, 3), np.uint8, external=[(str(elsewhere), 0, 9 * 12 * 3)])
            case "link":
                with h5py.File(elsewhere, "w") as other:
                    other["rgb"] = np.ones((9, 12, 3), np.uint8)
                plant["rgb"] = h5py.ExternalLink(str(elsewhere), "rgb")
            case "link to pipe":
                os.mkfifo(elsewhere)
                plant["rgb"] = h5py.ExternalLink(str(elsewhere), "rgb")
            case "virtual":
                layout = h5py.VirtualLayout((9, 12, 3), np.uint8)
                layout[:] = h5py.VirtualSource(str(elsewhere), "rgb", (9, 12, 3))
                plant.create_virtual_dataset("rgb", layout)
            case "unwritten":
                plant.create_dataset("rgb", (9, 12, 3), np.uint8)
            case "circle":
                plant["rgb"] = h5py.SoftLink("/A1/plant001/rgb")
    return f"its image is {kind}"
