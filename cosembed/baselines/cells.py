"""Tracks cells by a classical method to compare with: Otsu threshold, distance watershed, overlap linking.

It learns nothing, and has the same values for every data set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from skimage.feature import peak_local_max
from skimage.filters import threshold_otsu
from skimage.segmentation import watershed

from cosembed.datasets.ctc.track_table import Track, write_tracks
from cosembed.files.writing import atomic_folder
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.label_overlap import LabelOverlap, label_overlap, match_greedily, present_labels

# Lengths are in pixels: sigma over the frame, sigma over the distance map, least distance of two seeds.
SMOOTHING = 2.0
SEED_SMOOTHING = 2.0
SEED_DISTANCE = 7
# Smaller instances than these, in pixels, are dropped.
SMALLEST = 50
# A track goes on in a label of the next frame at this IoU or more.
MIN_IOU = 0.1


def segment_cells(frame: NDArray) -> NDArray[np.int32]:
    """Segments the cells of one frame by Otsu's threshold, split by a watershed of the distance map.

    Args:
        frame: [H, W] or [H, W, C] of any dtype; of several channels the first one counts.

    Returns:
        Labels [H, W]; 0 is background.
    """
    grey = np.asarray(frame, np.float64)
    smooth = ndimage.gaussian_filter(grey[..., 0] if grey.ndim == 3 else grey, SMOOTHING)
    foreground = smooth > threshold_otsu(smooth)
    distance = ndimage.gaussian_filter(ndimage.distance_transform_edt(foreground), SEED_SMOOTHING)
    seeds = np.zeros(foreground.shape, np.int32)
    peaks = peak_local_max(
        distance, min_distance=SEED_DISTANCE, labels=foreground.astype(np.int32), exclude_border=False
    )
    seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    labels = watershed(-distance, seeds, mask=foreground)
    small = np.bincount(labels.ravel()) < SMALLEST
    small[0] = True
    labels[small[labels]] = 0
    return labels


def track_cells(frames: Iterable[NDArray]) -> tuple[NDArray[np.uint16], list[Track]]:
    """Segments every frame and links the cells by overlap, largest IoU first.

    Two labels or more that lie mostly in one of the frame before are its daughters. Any other unlinked label
    begins a track; its parent is the track it overlaps most among those that ended in the frame before.

    Args:
        frames: The video, frame by frame, as `segment_cells` takes them; at least one.

    Returns:
        Labels uint16 [T, H, W] and the track table.
    """
    images: list[NDArray[np.uint16]] = []
    tracks: dict[int, Track] = {}
    for index, frame in enumerate(frames):
        labels = segment_cells(frame)
        links, parents = _link(label_overlap(images[-1], labels)) if images else ({}, {})
        table = np.zeros(int(labels.max()) + 1, np.uint16)
        for label in present_labels(labels):
            number = links.get(label, len(tracks) + 1)
            track = tracks.get(number, Track(number, index, index, parents.get(label, 0)))
            tracks[number] = track._replace(end=index)
            table[label] = number
        images.append(table[labels])
    return np.stack(images), list(tracks.values())


def write_baseline(frames: Iterable[NDArray], output: Path) -> None:
    """Tracks a video by the baseline and writes a result folder, complete or not at all.

    Args:
        frames: The video, frame by frame; at least one.
        output: The folder to write.

    Raises:
        OutputError: `output` exists.
    """
    labels, tracks = track_cells(frames)
    with atomic_folder(output) as folder:
        for index, mask in enumerate(labels):
            write_mask(folder / f"mask{index:03d}.tif", mask)
        write_tracks(folder / "res_track.txt", tracks)


def _link(overlap: LabelOverlap) -> tuple[dict[int, int], dict[int, int]]:
    """Finds the old label that each new label continues, or else the old label that it descends from.

    Args:
        overlap: The old labels are the first, the new ones the second.

    Returns:
        New label -> the old label that it continues, and new label -> the old label that is its parent.
    """
    # Of equal overlaps, the one of the higher labels counts first.
    overlap = overlap.pick(slice(None, None, -1))
    inside = overlap.pick((overlap.iou >= MIN_IOU) & (overlap.shared / overlap.second_area > 0.5))
    mothers = [old for old, count in Counter(inside.first.tolist()).items() if count >= 2]
    daughters = inside.pick(np.isin(inside.first, mothers))
    parents = dict(zip(daughters.second.tolist(), daughters.first.tolist(), strict=True))
    free = ~np.isin(overlap.first, mothers) & ~np.isin(overlap.second, daughters.second)
    continued = match_greedily(overlap.pick(free), MIN_IOU)
    links = {new: old for old, new in continued.items()}
    ended = overlap.pick(~np.isin(overlap.first, list(continued)) & ~np.isin(overlap.second, list(links)))
    ended = ended.pick(np.argsort(-ended.iou, kind="stable"))
    for old, new in zip(ended.first.tolist(), ended.second.tolist(), strict=True):
        parents.setdefault(new, old)
    return links, parents
