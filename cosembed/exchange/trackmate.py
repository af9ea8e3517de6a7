"""Writes a result as a file of TrackMate (Fiji), which opens it with its divisions. Reads nothing.

A spot is a cell in a frame, named after its label, with the radius of a disc of the same area; a track of
TrackMate is a whole lineage. The elements are those of TrackMate 7, with the least settings that it asks for.
Frames are counted from 0. Lengths are in micrometres and times in minutes where both are known, else in
pixels and frames.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any, BinaryIO
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from cosembed.exchange.result_folder import ResultFolder, lineages
from cosembed.files.writing import atomic_file
from cosembed.images.calibration import UNKNOWN, Calibration

VERSION = "7.11.1"
# Name, dimension, and whether the values are whole numbers, of the features that are declared.
_SPOT_FEATURES = (
    ("QUALITY", "QUALITY", False),
    ("POSITION_X", "POSITION", False),
    ("POSITION_Y", "POSITION", False),
    ("POSITION_Z", "POSITION", False),
    ("POSITION_T", "TIME", False),
    ("FRAME", "NONE", True),
    ("RADIUS", "LENGTH", False),
    ("VISIBILITY", "NONE", True),
    ("AREA", "AREA", False),
)
_EDGE_FEATURES = (
    ("SPOT_SOURCE_ID", "NONE", True),
    ("SPOT_TARGET_ID", "NONE", True),
    ("LINK_COST", "COST", False),
)
_TRACK_FEATURES = (
    ("TRACK_INDEX", "NONE", True),
    ("TRACK_ID", "NONE", True),
    ("NUMBER_SPOTS", "NONE", True),
    ("NUMBER_SPLITS", "NONE", True),
    ("TRACK_DURATION", "TIME", False),
    ("TRACK_START", "TIME", False),
    ("TRACK_STOP", "TIME", False),
)


def write_trackmate(result: ResultFolder, output: Path, calibration: Calibration = UNKNOWN) -> None:
    """Writes a result as TrackMate's XML, complete or not at all.

    Args:
        result: The result folder.
        output: The file, for example `tracks.xml`.
        calibration: What a pixel and a frame are.

    Raises:
        OSError: It cannot be written.
    """
    with atomic_file(output) as partial, partial.open("wb") as stream:
        _Writer(stream, result, calibration).write()


class _Writer:
    """Writes one file, an element after the other, so that a long video needs little memory."""

    def __init__(self, stream: BinaryIO, result: ResultFolder, calibration: Calibration) -> None:
        self._xml = XMLGenerator(stream, "UTF-8", short_empty_elements=True)
        self._result = result
        self._pixel = calibration.pixel_size or 1.0
        self._interval = calibration.frame_interval or 1.0
        self._units = {
            "spatialunits": "micron" if calibration.pixel_size else "pixel",
            "timeunits": "min" if calibration.frame_interval else "frame",
        }
        places = (
            (frame - result.first, track.label)
            for track in result.found.tracks
            for frame in result.found.regions[track.label]
        )
        # Spots are numbered by frame, and then by label.
        self._spots = {place: number for number, place in enumerate(sorted(places))}

    def write(self) -> None:
        """Writes the whole file."""
        self._xml.startDocument()
        with self._element("TrackMate", version=VERSION):
            with self._element("Log"):
                pass
            with self._element("Model", **self._units):
                self._declare_features()
                self._write_spots()
                self._write_tracks()
            self._write_settings()
            with self._element("GUIState", state="ConfigureViews"):
                pass
        self._xml.endDocument()

    @contextmanager
    def _element(self, tag: str, /, **attributes: Any) -> Iterator[None]:
        self._xml.startElement(tag, AttributesImpl({key: str(value) for key, value in attributes.items()}))
        yield
        self._xml.endElement(tag)
        self._xml.ignorableWhitespace("\n")

    def _leaf(self, tag: str, /, **attributes: Any) -> None:
        with self._element(tag, **attributes):
            pass

    def _declare_features(self) -> None:
        with self._element("FeatureDeclarations"):
            for kind, features in (
                ("SpotFeatures", _SPOT_FEATURES),
                ("EdgeFeatures", _EDGE_FEATURES),
                ("TrackFeatures", _TRACK_FEATURES),
            ):
                with self._element(kind):
                    for feature, dimension, whole in features:
                        name = feature.replace("_", " ").capitalize()
                        self._leaf(
                            "Feature",
                            feature=feature,
                            name=name,
                            shortname=name,
                            dimension=dimension,
                            isint=str(whole).lower(),
                        )

    def _write_spots(self) -> None:
        by_frame: dict[int, list[int]] = defaultdict(list)
        for frame, label in self._spots:
            by_frame[frame].append(label)
        with self._element("AllSpots", nspots=len(self._spots)):
            for frame, labels in by_frame.items():
                with self._element("SpotsInFrame", frame=frame):
                    for label in labels:
                        self._write_spot(frame, label)

    def _write_spot(self, frame: int, label: int) -> None:
        region = self._result.found.regions.at(label, frame + self._result.first)
        area = region.area * self._pixel**2
        self._leaf(
            "Spot",
            ID=self._spots[frame, label],
            name=label,
            QUALITY=1.0,
            POSITION_X=region.x * self._pixel,
            POSITION_Y=region.y * self._pixel,
            POSITION_Z=0.0,
            POSITION_T=frame * self._interval,
            FRAME=frame,
            RADIUS=math.sqrt(area / math.pi),
            VISIBILITY=1,
            AREA=area,
        )

    def _write_tracks(self) -> None:
        """Writes lineages that have an edge; other spots belong to no track."""
        first, tracks = self._result.first, {track.label: track for track in self._result.found.tracks}
        edges: dict[int, list[tuple[int, int]]] = defaultdict(list)
        for label, root in lineages(self._result.found.tracks).items():
            track = tracks[label]
            nodes = [(frame - first, label) for frame in range(track.begin, track.end + 1)]
            if track.parent:
                nodes.insert(0, (tracks[track.parent].end - first, track.parent))
            spots = [self._spots[node] for node in nodes]
            edges[root] += pairwise(spots)
        drawn = {root: links for root, links in sorted(edges.items()) if links}
        frames = {number: frame for (frame, _), number in self._spots.items()}
        with self._element("AllTracks"):
            for number, links in enumerate(drawn.values()):
                self._write_track(number, links, frames)
        with self._element("FilteredTracks"):
            for number in range(len(drawn)):
                self._leaf("TrackID", TRACK_ID=number)

    def _write_track(self, number: int, links: list[tuple[int, int]], frames: dict[int, int]) -> None:
        spots = {spot for link in links for spot in link}
        begin, end = (choose(frames[spot] for spot in spots) for choose in (min, max))
        daughters = Counter(source for source, _ in links)
        with self._element(
            "Track",
            name=f"Track_{number}",
            TRACK_INDEX=number,
            TRACK_ID=number,
            NUMBER_SPOTS=len(spots),
            NUMBER_SPLITS=sum(count > 1 for count in daughters.values()),
            TRACK_DURATION=(end - begin) * self._interval,
            TRACK_START=begin * self._interval,
            TRACK_STOP=end * self._interval,
        ):
            for source, target in links:
                self._leaf("Edge", SPOT_SOURCE_ID=source, SPOT_TARGET_ID=target, LINK_COST=0.0)

    def _write_settings(self) -> None:
        (height, width), frames = self._result.shape, len(self._result.masks)
        with self._element("Settings"):
            self._leaf(
                "ImageData",
                filename="",
                folder="",
                width=width,
                height=height,
                nslices=1,
                nframes=frames,
                pixelwidth=self._pixel,
                pixelheight=self._pixel,
                voxeldepth=1.0,
                timeinterval=self._interval,
            )
            box = {"xstart": 0, "xend": width - 1, "ystart": 0, "yend": height - 1, "zstart": 0, "zend": 0}
            self._leaf("BasicSettings", **box, tstart=0, tend=frames - 1)
            self._leaf("DetectorSettings", DETECTOR_NAME="MANUAL_DETECTOR", RADIUS=5.0, TARGET_CHANNEL=1)
            self._leaf("InitialSpotFilter", feature="QUALITY", value=0.0, isabove="true")
            self._leaf("SpotFilterCollection")
            self._leaf("TrackerSettings", TRACKER_NAME="MANUAL_TRACKER")
            self._leaf("TrackFilterCollection")
            with self._element("AnalyzerCollection"):
                for kind in ("SpotAnalyzers", "EdgeAnalyzers", "TrackAnalyzers"):
                    self._leaf(kind)
