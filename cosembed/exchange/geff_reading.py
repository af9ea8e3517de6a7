"""Reads a GEFF graph with its label image, and writes it as a challenge folder. Knows no networks."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import write_tracks
from cosembed.errors import DataError
from cosembed.exchange.geff_writing import OURS
from cosembed.exchange.graph_tracks import CellGraph, GraphTracks, find_tracks
from cosembed.files.progress import with_progress
from cosembed.files.reading import reason
from cosembed.files.wording import counted
from cosembed.files.writing import atomic_folder
from cosembed.images.zarr_video import ZarrVideo, is_zarr, open_zarr
from cosembed.preprocessing.label_values import LARGEST_LABEL
from cosembed.requirements import import_optional
from cosembed.tracking.writer import MaskFolder


@dataclass(frozen=True)
class StoredGraph:
    """Holds a GEFF graph, and its label image, which is read frame by frame.

    Attributes:
        graph: The cells and their links.
        labels: The label image [T, H, W].
        first: The number of the first frame.
        digits: How many digits the names of masks have.
    """

    graph: CellGraph
    labels: ZarrVideo
    first: int
    digits: int


def is_geff(path: Path) -> bool:
    """Tells whether a folder is a GEFF graph, by its name or as a Zarr store that holds nodes and edges."""
    return path.suffix.lower() == ".geff" or (is_zarr(path) and (path / "nodes").is_dir())


def read_geff(path: Path) -> StoredGraph:
    """Reads a GEFF graph.

    Raises:
        DataError: It is damaged, has no axes or no time axis, undirected edges, times that are no frames, or
            no label image.
        InputError: The package geff is not installed.
    """
    geff = import_optional("geff", "GEFF files", "exchange")
    if not path.is_dir():
        raise DataError(f"{path}: does not exist; name a GEFF folder")
    try:
        with warnings.catch_warnings():
            # Names that were given up are read all the same.
            warnings.simplefilter("ignore", DeprecationWarning)
            stored = geff.core_io.read_to_memory(str(path))
    except Exception as error:
        raise DataError(
            f"{path}: is not a valid GEFF graph ({_why(error)}); write it anew, or copy it completely"
        ) from error
    metadata, properties = stored["metadata"], stored["node_props"]
    if not metadata.axes:
        raise DataError(
            f"{path}: has no axes, so that nobody knows which property is the time; write it with axes"
        )
    if not metadata.directed:
        raise DataError(f"{path}: has edges without a direction; write it as a directed graph")
    time = next((axis for axis in metadata.axes if axis.type == "time" or axis.name == "t"), None)
    if time is None:
        raise DataError(f"{path}: has no axis of time; write it with one")
    related = next((item for item in metadata.related_objects or () if item.type == "labels"), None)
    if related is None:
        raise DataError(
            f"{path}: names no label image among its related objects, without which there are no masks; "
            "write it with one"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        key = related.node_prop or related.label_prop
    frames = _whole(path, time.name, properties)
    graph = CellGraph(
        str(path),
        stored["node_ids"],
        frames,
        _whole(path, key, properties) if key else np.asarray(stored["node_ids"], np.int64),
        _positions(path, stored["node_ids"], stored["edge_ids"]),
        keeps_labels=OURS in metadata.extra,
    )
    labels = open_zarr((path / related.path).resolve())
    if len(labels.shape) != 3 or labels.dtype.kind not in "ui":
        raise DataError(
            f"{path / related.path}: has the shape {labels.shape} and the type {labels.dtype}; a label image "
            "holds whole numbers with the axes t, y, x"
        )
    if frames.max(initial=0) >= len(labels) or frames.min(initial=0) < 0:
        raise DataError(
            f"{path}: has nodes in frames {frames.min()} to {frames.max()}, but its label image has "
            f"{counted(len(labels), 'frame')}, counted from 0; the two do not belong together"
        )
    return StoredGraph(graph, labels, *_numbering(path, metadata.extra.get(OURS) or {}))


def write_result_folder(stored: StoredGraph, output: Path) -> GraphTracks:
    """Writes a graph as a challenge folder (maskNNN.tif, res_track.txt), complete or not at all.

    Args:
        stored: The graph.
        output: The folder to write, which must not exist.

    Returns:
        The tracks that were written.

    Raises:
        DataError: The graph is no forest, or its label image does not show its cells.
        OutputError: The folder exists.
    """
    found = find_tracks(stored.graph)
    count = len(stored.labels)
    frames = relabelled_frames(stored, found)
    with atomic_folder(output) as folder:
        masks = MaskFolder(folder, count, stored.first, stored.digits)
        for frame, mask in enumerate(with_progress(frames, count, "masks")):
            masks[frame] = mask
        write_tracks(
            folder / "res_track.txt",
            [
                track._replace(begin=track.begin + stored.first, end=track.end + stored.first)
                for track in found.tracks
            ],
        )
    return found


def relabelled_frames(stored: StoredGraph, found: GraphTracks) -> Iterator[NDArray[np.uint16]]:
    """Reads the label image uint16 [H, W] frame by frame, every cell with the label of its track.

    Raises:
        DataError: The label image does not show the cells of the graph.
    """
    return (relabelled_frame(stored, found, frame) for frame in range(len(stored.labels)))


def relabelled_frame(stored: StoredGraph, found: GraphTracks, frame: int) -> NDArray[np.uint16]:
    """Reads a frame of the label image uint16 [H, W], every cell with the label of its track.

    Raises:
        DataError: The frame does not show the cells of the graph.
    """
    name, image = stored.graph.name, stored.labels[frame]
    wanted = found.label_of_segments(stored.graph, frame)
    present = [int(value) for value in np.unique(image) if value]
    too_large = [value for value in present if not 0 < value <= LARGEST_LABEL]
    if too_large:
        raise DataError(
            f"{name}: frame {frame} of its label image holds the label {too_large[0]}, but those of a "
            f"challenge folder are from 1 to {LARGEST_LABEL}; renumber the cells"
        )
    if set(present) != set(wanted):
        odd = min(set(present) ^ set(wanted))
        where = "in the label image only" if odd in present else "in the graph only"
        raise DataError(f"{name}: the cell {odd} of frame {frame} is {where}; the two do not belong together")
    table = np.zeros(max(present, default=0) + 1, np.uint16)
    for value, label in wanted.items():
        table[value] = label
    return table[image]


def _why(error: Exception) -> str:
    """Words an error of the library; those of metadata come as a list."""
    listed = error.errors() if isinstance(error, ValueError) and hasattr(error, "errors") else ()
    return str(listed[0]["msg"]) if listed else reason(error)


def _numbering(path: Path, ours: Any) -> tuple[int, int]:
    """Reads the number of the first frame, and how many digits names of masks have."""
    try:
        first, digits = int(ours.get("first_frame", 0)), int(ours.get("digits", 3))
        if not (0 <= first < 10**9 and 3 <= digits <= 9):
            raise ValueError(f"{first} and {digits}")
    except (AttributeError, TypeError, ValueError) as error:
        raise DataError(
            f"{path}: what it says of the first frame cannot be ({reason(error)}); remove the entry {OURS} "
            "of extra"
        ) from error
    return first, digits


def _whole(path: Path, name: str, properties: dict[str, Any]) -> NDArray[np.int64]:
    """Returns a property whose values must be whole numbers and there for every node."""
    found = properties.get(name)
    if found is None or (found["missing"] is not None and np.any(found["missing"])):
        raise DataError(f"{path}: some nodes have no property {name}; write it for every node")
    values = np.asarray(found["values"])
    if values.ndim != 1 or not np.array_equal(values, np.rint(values)):
        raise DataError(f"{path}: the property {name} holds values that are no whole numbers; write indices")
    return values.astype(np.int64)


def _positions(path: Path, ids: NDArray, edges: NDArray) -> NDArray[np.int64]:
    """Returns the positions of the nodes that edges name by their ids."""
    order = np.argsort(ids)
    if not len(ids):
        place = np.zeros(edges.shape, np.int64)
        known = np.zeros(edges.shape, bool)
    else:
        place = order[np.searchsorted(ids, edges, sorter=order).clip(max=len(ids) - 1)]
        known = ids[place] == edges
    if not known.all():
        raise DataError(
            f"{path}: an edge names the node {edges[~known][0]}, which is not there; remove the edge"
        )
    return place.astype(np.int64)
