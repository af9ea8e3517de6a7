"""Makes layers of napari from results: image, labels, and tracks with their divisions. Knows no Qt.

A layer is what napari takes from readers: data, options, and kind. Frames are counted from 0, as napari does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging
from numpy.typing import NDArray

from cosembed.datasets.ctc.track_table import Track
from cosembed.errors import InputError
from cosembed.exchange.geff_reading import read_geff, relabelled_frames
from cosembed.exchange.graph_tracks import find_tracks
from cosembed.exchange.result_folder import open_result
from cosembed.images.array_frames import VideoFrames
from cosembed.tracking.regions import Region, measure_regions
from cosembed.video_job.record import read_record

# Data of a layer, its options, and its kind, as napari takes them from readers.
LayerData = tuple[Any, dict[str, Any], str]


def result_layers(folder: Path) -> list[LayerData]:
    """Reads a result folder; its frames, too, where track.json says that they are and they fit.

    Raises:
        DataError: The folder is not a valid result, or its record is damaged.
    """
    result = open_result(folder)
    labels = np.stack(list(result.labels()))
    record = read_record(folder)
    image = _image(record.source.path, record.source.open, labels) if record and record.source else []
    regions = {
        (number - result.first, label): region
        for label, of_label in result.found.regions.items()
        for number, region in of_label.items()
    }
    return [*image, *_cells(folder, labels, regions, result.found.tracks)]


def geff_layers(path: Path) -> list[LayerData]:
    """Reads a GEFF graph with its label image.

    Raises:
        DataError: It is damaged, no forest, or its label image does not show its cells.
        InputError: The package geff is not installed.
    """
    stored = read_geff(path)
    found = find_tracks(stored.graph)
    labels = np.stack(list(relabelled_frames(stored, found)))
    regions = {
        (frame, label): region
        for frame, mask in enumerate(labels)
        for label, region in measure_regions(mask).items()
    }
    return _cells(path, labels, regions, found.tracks)


def _cells(
    path: Path,
    labels: NDArray[np.uint16],
    regions: Mapping[tuple[int, int], Region],
    tracks: Iterable[Track],
) -> list[LayerData]:
    parents = {track.label: track.parent for track in tracks if track.parent}
    # What corrections need to become truth, and what a training starts from.
    metadata = {"cosembed": {"result": str(path), "parents": parents}}
    layers: list[LayerData] = [(labels, {"name": "cells", "metadata": metadata}, "labels")]
    if regions:
        rows = sorted((label, frame, region.y, region.x) for (frame, label), region in regions.items())
        graph = {label: [parent] for label, parent in parents.items()}
        layers.append((np.array(rows), {"name": "tracks", "graph": graph}, "tracks"))
    return layers


def _image(name: str, open_frames: Callable[[], VideoFrames], labels: NDArray) -> list[LayerData]:
    """Reads the frames of a result; nothing where they are no longer there, or others."""
    try:
        frames = open_frames()
        if (len(frames), *frames.shape) != labels.shape:
            raise InputError(f"{name}: is no longer the video of this result")
        image = np.stack(list(frames))
    except InputError as error:
        logging.warning("%s; the masks are shown alone", error)
        return []
    if image.ndim == 4 and image.shape[-1] == 1:
        image = image[..., 0]
    return [(image, {"name": "frames", **({"channel_axis": 3} if image.ndim == 4 else {})}, "image")]
