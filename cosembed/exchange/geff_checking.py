"""Lists what is wrong with a GEFF graph, so that all of it can be mended at once. Writes nothing."""

from __future__ import annotations

from pathlib import Path

from cosembed.datasets.ctc.faults import Fault, fault_of
from cosembed.errors import DataError
from cosembed.exchange.geff_reading import read_geff, relabelled_frame
from cosembed.exchange.graph_tracks import find_tracks


def check_geff(path: Path) -> list[Fault]:
    """Checks that a graph can be read, that its links make a forest of tracks, and that its masks fit.

    Args:
        path: The GEFF folder.

    Returns:
        The faults: what makes the graph unreadable or no forest, else one for each frame of the label image
        that does not show the cells of the graph; none if it is valid.

    Raises:
        InputError: The package geff is not installed.
    """
    try:
        stored = read_geff(path)
        found = find_tracks(stored.graph)
    except DataError as error:
        return [fault_of(path, error)]
    faults = []
    for frame in range(len(stored.labels)):
        try:
            relabelled_frame(stored, found, frame)
        except DataError as error:
            faults.append(fault_of(path, error))
    return faults
