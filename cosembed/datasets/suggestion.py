"""Suggests the values of a spec for annotated videos, from the size of their cells. Trains nothing.

They are starting points: the least cluster size came out within a factor of three of the one that the authors
chose for five of their six data sets, and five times smaller for Fluo-C2DL-MSC.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cosembed import specs
from cosembed.datasets.ctc.faults import require_valid
from cosembed.datasets.ctc.mask_files import mask_files, read_labels
from cosembed.datasets.ctc.validation import check_truth
from cosembed.datasets.magnification import Magnification, choose_magnification, disc_width
from cosembed.errors import DataError
from cosembed.images.frames import open_frames
from cosembed.preprocessing.label_overlap import count_labels

# Clusters must have half the area of a small cell, which is a quarter of its pixels in a pair of frames.
SMALL_PERCENTILE, SMALL_SHARE, FEWEST_POINTS = 10, 0.5, 10
# Below these, the paper's values for the smallest cells (HeLa) and for sparse images (SIM+, MSC) are taken.
SMALL_DIAMETER, SPARSE = 10.0, 0.2
PAPER_RADIUS, SMALL_RADIUS = 51.2, 25.6
# Where cells cover more than this, the median of an image may be one of a cell.
CROWDED = 0.35
# In tiles, neighbours are those within so many widths of a cell (between the follow-up's 1.3 and 3.4).
RADIUS_WIDTHS = 2.0
COORDINATE_FACTOR = 0.01
# The input of the smaller of the two profiles that train usefully.
CPU_SIZE = 128
# TRA labels smaller than this share of the SEG masks only mark cells.
FULL_MASKS = 0.9


@dataclass(frozen=True)
class AnnotationMeasures:
    """Holds what was measured on the annotation of a data set.

    Attributes:
        videos: The names of the annotated videos.
        shape: Height and width of the largest frames.
        channels: How many channels a frame has.
        tra_masks: `markers` or `full`, as in `CellsDatasetSpec`.
        areas: float64, the area of every cell in pixels of a 256 x 256 image.
        original_areas: The same in original pixels.
        covered: The share of the pixels that cells cover.
    """

    videos: list[str]
    shape: tuple[int, int]
    channels: int
    tra_masks: Literal["markers", "full"]
    areas: NDArray[np.float64]
    original_areas: NDArray[np.float64]
    covered: float

    @property
    def magnification(self) -> Magnification:
        """Returns how the images are best brought to the network, that of the profile `cpu` included."""
        return choose_magnification(self.original_areas, self.shape, CPU_SIZE)


def measure_annotation(root: Path) -> AnnotationMeasures:
    """Measures all annotated cells below a data set's folder.

    Raises:
        DataError: There is no annotated video, no cell, or a file that cannot be used; names it.
    """
    if not root.is_dir():
        raise DataError(f"{root}: does not exist; put videos and their _GT folders there")
    videos = sorted(
        path.name for path in root.iterdir() if path.is_dir() and (root / f"{path.name}_GT").is_dir()
    )
    if not videos:
        raise DataError(f"{root}: holds no annotated video; put frames in 01 and their masks in 01_GT/SEG")
    opened = [open_frames(root / video) for video in videos]
    for video in videos:
        truth = root / f"{video}_GT"
        require_valid(truth, check_truth(truth, root / video, warnings=False))
    masks, markers = (
        [labels for video in videos for labels in _label_images(root / f"{video}_GT" / kind, prefix)]
        for kind, prefix in (("SEG", "man_seg"), ("TRA", "man_track"))
    )
    measured = masks or markers
    areas, shares = (
        np.concatenate([np.zeros(0), *parts])
        for parts in ([cells for cells, _ in measured], [cells / pixels for cells, pixels in measured])
    )
    if not len(shares):
        raise DataError(f"{root / videos[0]}_GT: SEG and TRA hold no labelled cell; annotate some frames")
    marked = np.concatenate([np.zeros(0), *(cells / pixels for cells, pixels in markers)])
    only_marked = masks and markers and np.median(marked) < FULL_MASKS * np.median(shares)
    return AnnotationMeasures(
        videos=videos,
        shape=max((frames.shape for frames in opened), key=math.prod),
        channels=opened[0].channels,
        tra_masks="markers" if only_marked else "full",
        areas=shares * specs.REFERENCE_SIZE**2,
        original_areas=areas,
        covered=float(shares.sum() / len(masks or markers)),
    )


def render_spec(name: str, found: AnnotationMeasures, pieces: Magnification | None = None) -> str:
    """Writes the suggested spec of a data set as commented YAML.

    Args:
        name: The data set's name.
        found: What was measured on its annotation.
        pieces: How the images are brought to the network; None: as suits cells best.
    """
    pieces = pieces or found.magnification
    whole = specs.REFERENCE_SIZE / math.sqrt(math.prod(found.shape))
    zoom = pieces.scale or whole
    areas = found.original_areas * zoom**2 if pieces.scale else found.areas
    small = float(np.percentile(areas, SMALL_PERCENTILE))
    diameter = disc_width(float(np.median(areas)))
    radius = SMALL_RADIUS if diameter < SMALL_DIAMETER else PAPER_RADIUS
    values = {
        "name": json.dumps(name),
        "videos": json.dumps(found.videos),
        "tra_masks": found.tra_masks,
        "height": found.shape[0],
        "width": found.shape[1],
        "channels": found.channels,
        "sigma": round(float(np.clip(1 / whole, 0.5, 4.0)), 1),
        "upper": 99.5 if found.covered < SPARSE else 95.0,
        "radius": round(RADIUS_WIDTHS * diameter, 1) if pieces.scale else radius,
        "diameter": round(diameter),
        # At most the pixels of a small cell, so that the two numbers of the comment agree.
        "min_points": max(2, min(max(FEWEST_POINTS, round(SMALL_SHARE * small)), round(small))),
        "small": round(small),
        "factor": float(f"{COORDINATE_FACTOR * whole / zoom:.2g}"),
        "unit": f"network pixels, {pieces.scale} of which make an original pixel,"
        if pieces.scale
        else "pixels of a 256 x 256 image",
        "background": _BACKGROUND if found.covered > CROWDED else "",
        "inference": _INFERENCE.substitute(
            scale=pieces.scale, overlap=pieces.overlap, wide=round(pieces.typical)
        )
        if pieces.scale
        else "",
    }
    lines = (line.partition("  #") for line in _TEMPLATE.substitute(values).splitlines())
    return "".join(f"{code.rstrip():<29}{mark}{comment}".rstrip() + "\n" for code, mark, comment in lines)


def _label_images(folder: Path, prefix: str) -> Iterator[tuple[NDArray[np.float64], int]]:
    """Measures the area of each cell of every label image, in pixels, and counts the image's pixels."""
    for path in mask_files(folder, prefix).values():
        labels = read_labels(path)
        present, counts = count_labels(labels)
        yield counts[present > 0].astype(np.float64), labels.size


_INFERENCE = Template("""\
inference:
  scale: $scale                # network pixels per original pixel; a typical cell is then $wide wide
  overlap: $overlap            # network pixels that neighbouring tiles share: more than a cell is wide
""")
_BACKGROUND = """\
  background: densest          # estimated needs more than half of an image without cells
"""
_TEMPLATE = Template("""\
# A spec of your own data, for: python -m experiments.own --spec=THIS_FILE
# Lengths and areas are in $unit unless a line says
# otherwise; profiles with smaller networks scale them where that changes.
dataset:
  name: $name                  # the folder below --data_dir
  paper_name: $name            # what tables call it
  licence: Your own.
  archive: ""                  # nothing is downloaded
  videos: $videos            # annotated videos: two or more are tested in turn, of one the last 30 % are
  tra_masks: $tra_masks        # full: labels in TRA are whole cells; markers: they only mark them
  complete_frames: {}
  loss_border: 0               # original pixels along the image's edge where the annotation is not reliable
  image_shape: [$height, $width]
network: {channels: $channels}
preprocessing:
  smoothing_sigma: $sigma      # original pixels; more for noisy images
  upper_percentile: $upper     # this percentile of a frame becomes 1; 99.5 for few or small bright cells
instances:
  neighbour_radius: $radius  # cells closer than this need other embeddings; a typical one is $diameter wide
tracking:
  min_points: $min_points  # least size of a cluster; small cells have $small pixels; lower it if they vanish
  coordinate_factor: $factor   # 0.001 to 0.02; higher keeps far-away cells of equal embedding apart
  border: [0, 0]               # cells wholly inside this border (y, x) are dropped
  parent_dilation: 3           # odd, or 0; larger finds mothers of daughters that jump
  parent_frames: 2             # how many frames back a mother is sought
  second_look: true            # separates cells that the next pair shows apart; false for --recipe=mia2019
  daughter_likeness: 0.5       # a daughter is at least so large a share of her sister
$background$inference""")
