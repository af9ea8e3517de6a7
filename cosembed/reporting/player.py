"""Packs a tracked video and its lineage for a report in which a click on a cell gives its row.

It knows frames, label images and track tables, no files. `web/` holds the scripts that show what it packs.
"""

from __future__ import annotations

import base64
import io
import zlib
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from cosembed.datasets.ctc.track_table import Track
from cosembed.reporting.colours import PALETTE, STRIPES
from cosembed.reporting.lineage import born_by_division, family_order, followers
from cosembed.reporting.movie import shown_shape, shrink
from cosembed.reporting.overlays import OUTLINE, TINT, stretch
from cosembed.reporting.panels import resized
from cosembed.reporting.report import Viewer
from cosembed.tracking.regions import measure_regions

# A frame's grey values have the first of these JPEG qualities at which they take no more than so many bytes,
# or the last one: what noise costs is little of what can be seen.
JPEG_QUALITIES, JPEG_BYTES = (80, 60, 40, 20), 24_000


class PackedFrame(NamedTuple):
    """Holds one frame of the movie, packed, as large as `movie.shown_shape` says.

    Attributes:
        number: The frame's number.
        shape: Height and width of the packed picture.
        image: The grey values, as JPEG.
        labels: The labels as little-endian uint16, row by row, packed by zlib.
        cells: Label, area, and 100 times y and x of every cell, in pixels of the video: little-endian uint32
            [4, cells], packed by zlib.
    """

    number: int
    shape: tuple[int, int]
    image: bytes
    labels: bytes
    cells: bytes

    def grey(self) -> NDArray[np.uint8]:
        """Unpacks the grey values [H, W]."""
        return np.asarray(Image.open(io.BytesIO(self.image)))

    def label_map(self) -> NDArray[np.uint16]:
        """Unpacks the labels [H, W]."""
        return np.frombuffer(zlib.decompress(self.labels), "<u2").reshape(self.shape)


def pack_frame(number: int, frame: NDArray, labels: NDArray) -> PackedFrame:
    """Shrinks and packs a frame and its labels.

    Args:
        number: The frame's number.
        frame: [H, W] or [H, W, C] of any dtype.
        labels: uint16 [H, W].
    """
    shape = shown_shape((labels.shape[0], labels.shape[1]))
    small = zlib.compress(resized(labels, shape).astype("<u2").tobytes())
    return PackedFrame(number, shape, _jpeg(stretch(shrink(frame))), small, pack_cells(labels))


def pack_cells(labels: NDArray) -> bytes:
    """Packs the rows of all cells of a frame, as `PackedFrame.cells` says.

    Args:
        labels: uint16 [H, W].
    """
    columns = [
        (label, region.area, round(100 * region.y), round(100 * region.x))
        for label, region in measure_regions(labels).items()
    ]
    return zlib.compress(np.array(columns, "<u4").reshape(-1, 4).T.tobytes())


def movie_viewer(
    frames: Sequence[PackedFrame],
    video_shape: tuple[int, int],
    colours: Mapping[int, int],
    group: str,
    caption: str,
) -> Viewer:
    """Makes a movie that can be stopped, enlarged, and asked for a cell's row.

    Args:
        frames: The frames to show, at least one.
        video_shape: Height and width of the video's frames.
        colours: Label -> entry, of all labels.
        group: A cell that is chosen in one viewer is chosen in all of the same group.
        caption: What the movie shows.
    """
    height, width = frames[0].shape
    data = {
        "group": group,
        "width": width,
        "height": height,
        "factor": [video_shape[0] / height, video_shape[1] / width],
        "palette": PALETTE.tolist(),
        "stripes": STRIPES,
        "tint": TINT,
        "outline": OUTLINE,
        "colours": sorted(colours.items()),
        "frames": [
            {"number": frame.number}
            | {name: base64.b64encode(getattr(frame, name)).decode() for name in ("image", "labels", "cells")}
            for frame in frames
        ],
    }
    return Viewer(caption, "movie", data)


def lineage_viewer(
    tracks: Sequence[Track],
    frames: range,
    group: str,
    caption: str,
    mean_areas: Mapping[int, float] | None = None,
    still: bytes = b"",
) -> Viewer:
    """Makes a lineage of any number of tracks that can be moved, enlarged, searched and clicked.

    Args:
        tracks: The track table.
        frames: The numbers of the video's frames.
        group: A cell that is chosen in one viewer is chosen in all of the same group.
        caption: What the lineage shows.
        mean_areas: Label -> mean area in pixels, where it is known.
        still: A picture for readers whose program runs no scripts, PNG; may be empty.
    """
    table, children = {track.label: track for track in tracks}, followers(tracks)
    daughters, areas = born_by_division(tracks, children), mean_areas or {}
    rows: list[list[Any]] = []
    for label in family_order(children):
        track = table[label]
        area = round(areas[label]) if label in areas else None
        # A parent that the table lacks is none.
        parent = track.parent if track.parent in table else 0
        rows.append([label, track.begin, track.end, parent, area, int(label in daughters)])
    data = {"group": group, "frames": [frames[0], frames[-1]], "tracks": rows}
    return Viewer(caption, "lineage", data, still)


def _jpeg(grey: NDArray[np.uint8]) -> bytes:
    """Encodes grey values [H, W] as JPEG, of at most `JPEG_BYTES` if a quality makes it so small."""
    image = Image.fromarray(grey)
    for quality in JPEG_QUALITIES:
        file = io.BytesIO()
        image.save(file, "JPEG", quality=quality)
        if file.tell() <= JPEG_BYTES:
            break
    return file.getvalue()
