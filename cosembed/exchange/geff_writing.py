"""Writes a result folder as GEFF: a graph of cells in a Zarr store, with the label image inside it.

A node is a cell in a frame, an edge leads from it to itself, or to a daughter, in a later frame. Properties
of a node:

t, y, x     index of the frame, and centroid in pixels; the axes say what they are in minutes and micrometres
label       the cell's number in masks and res_track.txt, and the value of its pixels in the label image
parent      the label of the mother; 0 for none
area        in pixels
tracklet    the label of the first track of an unbranched path (a track continues another one alone)
lineage     the label of the first ancestor

What GEFF has no place for, the number of the first frame, is in its free part under `cosembed`.
"""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.exchange.ome_zarr_labels import (
    LEVEL,
    Version,
    write_label_group,
    write_label_image,
    zarr_format,
)
from cosembed.exchange.result_folder import ResultFolder, chains, lineages
from cosembed.files.writing import atomic_folder
from cosembed.images.calibration import UNKNOWN, Calibration
from cosembed.requirements import import_optional

LABELS = "labels/cells"
# The key of our entries in GEFF's free part.
OURS = "cosembed"


def write_geff(
    result: ResultFolder, output: Path, calibration: Calibration = UNKNOWN, version: Version = "0.4"
) -> None:
    """Writes a result as GEFF, complete or not at all.

    Args:
        result: The result folder.
        output: The store to write, for example `tracks.geff`; it must not exist.
        calibration: What a pixel and a frame are.
        version: The version of OME-Zarr of the label image.

    Raises:
        InputError: The package geff is not installed.
        OutputError: The store exists already.
        OSError: It cannot be written.
    """
    geff = import_optional("geff", "GEFF files", "exchange")
    nodes = _nodes(result)
    values = {name: {"values": column, "missing": None} for name, column in nodes.items()}
    with atomic_folder(output) as folder, warnings.catch_warnings():
        # GEFF 1.2 gave label_prop another name, but traccuracy 0.4 reads that one only.
        warnings.filterwarnings("ignore", "`label_prop` was deprecated", DeprecationWarning)
        # The library takes any folder that exists, an empty one too, for a GEFF.
        graph = folder / "graph"
        geff.core_io.write_arrays(
            str(graph),
            np.arange(len(nodes["t"]), dtype=np.uint64),
            values,
            _edges(nodes),
            {},
            _metadata(result, calibration),
            zarr_format=zarr_format(version),
        )
        for entry in graph.iterdir():
            entry.rename(folder / entry.name)
        graph.rmdir()
        write_label_group(folder / Path(LABELS).parent, [Path(LABELS).name], version)
        shape = (len(result.masks), *result.shape)
        write_label_image(folder / LABELS, "cells", result.labels(), shape, calibration, version)


def _nodes(result: ResultFolder) -> dict[str, NDArray]:
    """Lists the cells of all frames, by label and then by frame: property -> values [N]."""
    tracklet, lineage = chains(result.found.tracks), lineages(result.found.tracks)
    rows = [
        (frame - result.first, region.y, region.x, track.label, track.parent, region.area)
        for track in result.found.tracks
        for frame, region in sorted(result.found.regions[track.label].items())
    ]
    columns = list(zip(*rows, strict=True)) if rows else [()] * 6
    names = ("t", "y", "x", "label", "parent", "area")
    nodes = {
        name: np.array(column, np.float64 if name in ("y", "x") else np.int64)
        for name, column in zip(names, columns, strict=True)
    }
    labels = nodes["label"].tolist()
    for name, table in (("tracklet", tracklet), ("lineage", lineage)):
        nodes[name] = np.array([table[label] for label in labels], np.int64)
    return nodes


def _edges(nodes: dict[str, NDArray]) -> NDArray[np.uint64]:
    """Links the nodes of each track in order, and its first node to the last one of its parent: [E, 2]."""
    labels, parents = nodes["label"], nodes["parent"]
    last = {int(label): node for node, label in enumerate(labels)}
    edges = [
        (node - 1, node) if node and labels[node - 1] == labels[node] else (last[int(parents[node])], node)
        for node in range(len(labels))
        if parents[node] or (node and labels[node - 1] == labels[node])
    ]
    return np.array(edges, np.uint64).reshape(-1, 2)


def _metadata(result: ResultFolder, calibration: Calibration) -> Any:
    spec = import_optional("geff_spec", "GEFF files", "exchange")
    pixel, interval = calibration.pixel_size, calibration.frame_interval
    minutes = {"scale": interval, "scaled_unit": "minute"} if interval else {}
    micrometres = {"scale": pixel, "scaled_unit": "micrometer"} if pixel else {}
    space = [spec.Axis(name=name, type="space", unit="pixel", **micrometres) for name in ("y", "x")]
    path = f"{LABELS}/{LEVEL}"
    digits = len(result.masks[result.first].stem.removeprefix("mask"))
    return spec.GeffMetadata(
        directed=True,
        axes=[spec.Axis(name="t", type="time", unit="frame", **minutes), *space],
        node_props_metadata={},
        edge_props_metadata={},
        track_node_props={"tracklet": "tracklet", "lineage": "lineage"},
        related_objects=[spec.RelatedObject(type="labels", path=path, node_prop="label", label_prop="label")],
        display_hints=spec.DisplayHint(display_horizontal="x", display_vertical="y", display_time="t"),
        extra={OURS: {"first_frame": result.first, "digits": digits}},
    )
