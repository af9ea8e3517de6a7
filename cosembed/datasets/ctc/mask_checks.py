"""Checks the masks of a folder: names, gaps, pixels, and their agreement with frames.

Knows no track table.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.datasets.ctc.faults import Fault, fault_of, size_text
from cosembed.datasets.ctc.mask_files import misnamed_files
from cosembed.errors import DataError
from cosembed.files.wording import counted
from cosembed.images.frames import open_frames
from cosembed.images.reading import image_shape, read_headers, read_image
from cosembed.preprocessing.label_overlap import label_overlap, present_labels

# So many parts of one label, neither tiny nor much smaller than the largest, are cells; 255 is the foreground
# of a binary image.
MANY_PARTS, LEAST_PART, PART_SHARE, BINARY = 4, 9, 0.1, 255


def check_names(folder: Path, prefix: str) -> list[Fault]:
    """Finds the files that look like masks but are not named as such."""
    return [Fault(path.name, sentence) for path, sentence in misnamed_files(folder, prefix)]


def check_gaps(numbers: Iterable[int], prefix: str) -> list[Fault]:
    """Finds missing frames: `numbers` rise by one, and files are named after them with `prefix`."""
    faults = []
    for before, after in pairwise(numbers):
        if after > before + 1:
            others = f", and so are all up to {prefix}{after - 1:03d}.tif" if after > before + 2 else ""
            faults.append(Fault(f"{prefix}{before + 1:03d}.tif", f"is missing{others}"))
    return faults


def check_pixels(masks: Mapping[int, Path], warnings: bool) -> tuple[list[Fault], dict[int, set[int]]]:
    """Reads every mask and finds those that are no label images of one size.

    Args:
        masks: Frame number -> file.
        warnings: Whether to look for what deserves a warning, too.

    Returns:
        The faults, and frame number -> labels present, of the masks that can be read.
    """
    faults: list[Fault] = []
    present: dict[int, set[int]] = {}
    first: tuple[str, tuple[int, ...]] | None = None
    for number, path in masks.items():
        try:
            headers = read_headers(path)
            mask = read_image(path)
        except DataError as error:
            faults.append(fault_of(path, error))
            continue
        if mask.ndim != 2 or len(headers) > 1:
            found = f"{len(headers)} images" if len(headers) > 1 else counted(mask.shape[-1], "channel")
            faults.append(Fault(path.name, f"holds {found}; a mask is one image of one channel"))
            continue
        first = first or (path.name, mask.shape)
        if mask.shape != first[1]:
            sentence = f"is {size_text(mask.shape)}, but {first[0]} is {size_text(first[1])}"
            faults.append(Fault(path.name, sentence))
        if mask.dtype not in (np.uint8, np.uint16):
            faults.append(Fault(path.name, f"is of type {mask.dtype}; masks must be uint16"))
            if mask.dtype.kind not in "ui":
                continue
        elif warnings:
            if mask.dtype == np.uint8:
                sentence = "is of type uint8; the challenge asks for uint16"
                faults.append(Fault(path.name, sentence, warning=True))
            faults += _check_connected(mask, path.name)
        present[number] = set(present_labels(mask))
        faults += _check_instances(mask, sorted(present[number]), path.name)
    return faults, present


def check_markers(marker_file: Path, seg_file: Path, warnings: bool) -> Iterator[Fault]:
    """Compares the markers of a frame with its masks: their sizes, and whether each marker lies in a mask.

    Args:
        marker_file: The frame's file in TRA.
        seg_file: The frame's file in SEG. Where one of the two cannot be read, there is nothing to compare.
        warnings: Whether to look for what deserves a warning, too.
    """
    try:
        markers, masks = read_image(marker_file), read_image(seg_file)
    except DataError:
        return
    if not markers.ndim == masks.ndim == 2:
        return
    if markers.shape != masks.shape:
        sentence = f"is {size_text(masks.shape)}, but {marker_file.name} is {size_text(markers.shape)}"
        yield Fault(seg_file.name, sentence)
        return
    if not warnings:
        return
    overlap = label_overlap(markers, masks)
    for label in present_labels(markers):
        inside = overlap.pick(overlap.first == label)
        marker = f"marker {label} of {marker_file.name}"
        if not len(inside.shared):
            yield Fault(seg_file.name, f"{marker} lies in no mask", warning=True)
        elif inside.shared.max() < inside.first_area[0] / 2:
            yield Fault(seg_file.name, f"{marker} lies mostly outside its mask", warning=True)


def compare_with_frames(masks: Mapping[int, Path], frames_dir: Path, every_frame: str = "") -> list[Fault]:
    """Finds masks that have no frame or another size than it.

    Args:
        masks: Frame number -> file.
        frames_dir: The frames' folder, or one multi-page TIFF.
        every_frame: The prefix of the masks' names if each frame must have one; then a frame without is a
            fault, too.
    """
    try:
        frames = open_frames(frames_dir)
    except DataError as error:
        return [fault_of(frames_dir, error)]
    faults = []
    for number, path in masks.items():
        if number not in frames.numbers:
            faults.append(Fault(path.name, f"there is no frame {number} in {frames_dir.name}"))
            continue
        try:
            shape = image_shape(path)
        except DataError:
            continue
        if shape != frames.shape:
            sentence = f"is {size_text(shape)}, but the frames are {size_text(frames.shape)}"
            faults.append(Fault(path.name, sentence))
    if every_frame:
        outside = sorted(number for number in frames.numbers if not min(masks) <= number <= max(masks))
        faults += [
            Fault(f"{every_frame}{number:03d}.tif", "is missing, though there is such a frame")
            for number in outside
        ]
    return faults


def _check_instances(mask: NDArray, labels: list[int], name: str) -> Iterator[Fault]:
    """Finds a mask that only tells cells from background: one label covers many separate parts."""
    if len(labels) != 1:
        return
    areas = np.bincount(label_parts(mask).ravel())[1:]
    count = int(np.sum(areas >= max(LEAST_PART, PART_SHARE * areas.max())))
    if count >= (2 if labels[0] == BINARY else MANY_PARTS):
        yield Fault(
            name,
            f"label {labels[0]} covers {count} separate parts: the mask only tells cells from background, "
            "but every cell needs a label of its own; cosembed validate --connected_components=FOLDER writes "
            "such masks of SEG",
        )


def label_parts(mask: NDArray) -> NDArray:
    """Gives every connected part of a mask's foreground a label of its own, corners being connected."""
    return ndimage.label(mask > 0, np.ones((3, 3)))[0]


def _check_connected(mask: NDArray, name: str) -> Iterator[Fault]:
    """Warns of every label that consists of several parts."""
    for label, box in enumerate(ndimage.find_objects(mask), start=1):
        if box is not None:
            count = ndimage.label(mask[box] == label, np.ones((3, 3)))[1]
            if count > 1:
                yield Fault(name, f"label {label} consists of {count} parts", warning=True)
