"""Result folders of the Cell Tracking Challenge, written with tifffile alone."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import tifffile

from cosembed.datasets.ctc.track_table import Track


def write_result_folder(
    folder: Path, labels: np.ndarray, tracks: Iterable[tuple[int, int, int, int]], first: int = 0
) -> Path:
    """Masks from frame `first` on, and the table, whose frames have the masks' numbers."""
    folder.mkdir(parents=True)
    digits = max(3, len(str(first + len(labels) - 1)))
    for number, mask in enumerate(labels, start=first):
        tifffile.imwrite(folder / f"mask{number:0{digits}d}.tif", mask)
    (folder / "res_track.txt").write_text("".join("{} {} {} {}\n".format(*track) for track in tracks))
    return folder


def same_content(first: Path, second: Path) -> bool:
    """Whether two folders hold the same masks, pixel by pixel, and the same table, byte by byte."""
    names = sorted(path.name for path in first.glob("mask*.tif"))
    if names != sorted(path.name for path in second.glob("mask*.tif")):
        return False
    for name in names:
        one, other = (tifffile.imread(folder / name) for folder in (first, second))
        if one.dtype != other.dtype or not np.array_equal(one, other):
            return False
    tables = [(folder / "res_track.txt").read_bytes() for folder in (first, second)]
    return tables[0] == tables[1]


def drawn_video() -> tuple[np.ndarray, list[Track]]:
    """Six frames: a division, a daughter after a gap, one that alone continues another, one frame long."""
    labels = np.zeros((6, 12, 30), np.uint16)
    labels[:2, 1:5, 1:9] = 7
    labels[2:, 1:5, 1:4] = 3
    labels[2:, 1:5, 6:9] = 12
    labels[0:2, 7:11, 1:5] = 5
    labels[3:6, 7:11, 2:6] = 9
    labels[:3, 7:11, 10:14] = 1
    labels[3:, 7:11, 11:15] = 2
    labels[4, 1:4, 20:24] = 65535
    return labels, [
        Track(1, 0, 2, 0),
        Track(2, 3, 5, 1),
        Track(3, 2, 5, 7),
        Track(5, 0, 1, 0),
        Track(7, 0, 1, 0),
        Track(9, 3, 5, 5),
        Track(12, 2, 5, 7),
        Track(65535, 4, 4, 0),
    ]
