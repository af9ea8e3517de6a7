"""Reads studies of the STACOM 2011 challenge (LVSC) as heart slices. Knows no network.

    ROOT/.../DET0000101_SA1_ph0.dcm     frame: short-axis slice 1, phase 0; long-axis (LA) ones do not matter
    ROOT/.../DET0000101_SA1_ph0.png     its mask

Image and mask belong together by name, in whatever folders they are. What a study's masks mean is told by the
values of all of them together. Two values, 0 and 1 or 0 and 255, are the myocardium as a ring, and the cavity
is what the ring encloses; this is how the challenge describes its masks. Three values, 0 1 2 or 0 128 255,
are background, myocardium, cavity.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from itertools import pairwise
from pathlib import Path

import numpy as np
from absl import logging
from numpy.typing import NDArray
from scipy.ndimage import binary_fill_holes

from cosembed.datasets.heart.medical_images import open_image, read_pixels
from cosembed.datasets.heart.slices import CAVITY, MYOCARDIUM, HeartSlice, central_indices
from cosembed.errors import DataError
from cosembed.images.reading import read_image

_NAME = re.compile(r"(?P<patient>[^.].*)_SA(?P<slice>\d+)_ph(?P<phase>\d+)", re.IGNORECASE)
_RINGS = ((0, 1), (0, 255))
_CLASSES = ((0, 1, 2), (0, 128, 255))

# Slice number -> phase -> file.
_Stack = dict[int, dict[int, Path]]


def read_stacom(root: Path, slices: int = 3, only: Collection[str] | None = None) -> list[HeartSlice]:
    """Reads every patient below a folder, or those named in `only`.

    Args:
        root: Any folder above the patients' files.
        slices: How many central slices of each patient are read, at least 1; counted among those whose masks
            show myocardium in every frame and a cavity in some. A patient with fewer gives all of them.
        only: The names of the patients to read; None for all.

    Returns:
        The slices by patient and position; frames by phase, all of them labelled.

    Raises:
        DataError: No patients, or files that are missing, damaged, or contradict each other; names the file.
    """
    images, masks = find_stacom(root), _find(root, ".png")
    found: list[HeartSlice] = []
    for patient, stack in sorted(images.items()):
        if only is not None and patient not in only:
            continue
        if patient not in masks:
            path = next(iter(stack[min(stack)].values()))
            raise DataError(f"{path}: has no mask {path.stem}.png, nor has any frame of {patient}; add them")
        found += _read_patient(patient, stack, masks[patient], slices)
    return found


def find_stacom(root: Path) -> dict[str, _Stack]:
    """Finds every patient below a folder, name -> slice -> phase -> file; reads no images.

    Raises:
        DataError: No patients, or a phase that is there twice.
    """
    images = _find(root, ".dcm")
    if not images:
        raise DataError(
            f"{root}: holds no patients; put frames such as DET0000101/DET0000101_SA1_ph0.dcm there"
        )
    return images


def _find(root: Path, suffix: str) -> dict[str, _Stack]:
    """Finds the short-axis files of every patient that have a suffix."""
    found: dict[str, _Stack] = {}
    for path in sorted(root.rglob("*")):
        match = _NAME.fullmatch(path.stem)
        if match is None or path.suffix.lower() != suffix:
            continue
        phases = found.setdefault(match["patient"], {}).setdefault(int(match["slice"]), {})
        phase = int(match["phase"])
        if phase in phases:
            raise DataError(f"{path}: is the same slice and phase as {phases[phase]}; keep one of them")
        phases[phase] = path
    return found


def _read_patient(patient: str, images: _Stack, masks: _Stack, count: int) -> list[HeartSlice]:
    # Slices beyond the ventricle may have no mask at all.
    stack = {index: _match(images[index], masks[index]) for index in sorted(images.keys() & masks.keys())}
    raw = {mask: _read_mask(mask) for pairs in stack.values() for _, mask in pairs}
    rings = _are_rings(raw)
    labels = {
        index: [_fill(raw[mask]) if rings else _classes(raw[mask]) for _, mask in pairs]
        for index, pairs in stack.items()
    }
    usable = [index for index, frames in labels.items() if _shows_ventricle(frames)]
    if not usable:
        folder = next(iter(images[min(images)].values())).parent
        raise DataError(
            f"{folder}: no slice of {patient} has myocardium in every mask and a cavity in one; "
            "correct the masks or leave the patient out"
        )
    found = []
    for index in central_indices(usable, count):
        frames = _read_frames(stack[index], labels[index])
        volume = np.stack(labels[index])
        if rings:
            _warn_of_open_rings(volume, [mask for _, mask in stack[index]])
        found.append(HeartSlice(patient, index, frames, volume, np.ones(len(frames), bool)))
    return found


def _match(images: dict[int, Path], masks: dict[int, Path]) -> list[tuple[Path, Path]]:
    """Pairs image and mask of each phase of a slice, in the order of the phases."""
    for phase in sorted(images.keys() ^ masks.keys()):
        if phase in images:
            raise DataError(
                f"{images[phase]}: has no mask {images[phase].stem}.png, unlike others of its slice; add it"
            )
        raise DataError(f"{masks[phase]}: has no frame {masks[phase].stem}.dcm; add it or remove the mask")
    phases = sorted(images)
    for before, after in pairwise(phases):
        if after != before + 1:
            raise DataError(
                f"{images[after]}: follows phase {before}, but phase {before + 1} is missing; add it"
            )
    return [(images[phase], masks[phase]) for phase in phases]


def _read_mask(path: Path) -> NDArray:
    """Reads the values [H, W] of a PNG, which may be grey in the form of colour."""
    image = read_image(path)
    if image.ndim == 2:
        return image
    # A last channel of two or four is opacity.
    colours = image[..., : image.shape[-1] - (image.shape[-1] + 1) % 2]
    if (colours != colours[..., :1]).any():
        raise DataError(f"{path}: is in colour; masks are grey, convert it")
    return colours[..., 0]


def _are_rings(masks: dict[Path, NDArray]) -> bool:
    """Tells whether a study's masks are rings rather than classes; they must all be of one kind."""
    values: set[int] = set()
    for path, mask in masks.items():
        values.update(np.unique(mask).tolist())
        if not any(values <= set(known) for known in _RINGS + _CLASSES):
            raise DataError(
                f"{path}: this patient's masks up to here hold the values {_few(values)}; "
                "masks hold 0 1, 0 255, 0 1 2 or 0 128 255, convert them"
            )
    return any(values <= set(known) for known in _RINGS)


def _fill(mask: NDArray) -> NDArray[np.uint8]:
    """Turns a ring into classes: the ring is myocardium, what it encloses the cavity."""
    ring = mask > 0
    return np.where(ring, MYOCARDIUM, np.where(binary_fill_holes(ring), CAVITY, 0)).astype(np.uint8)


def _classes(mask: NDArray) -> NDArray[np.uint8]:
    """Turns values into classes: 1 or 128 is myocardium, 2 or 255 the cavity."""
    known = _CLASSES[int(mask.max() > 2)]
    return np.searchsorted(known, mask).astype(np.uint8)


def _shows_ventricle(frames: list[NDArray[np.uint8]]) -> bool:
    return all((labels == MYOCARDIUM).any() for labels in frames) and any(
        (labels == CAVITY).any() for labels in frames
    )


def _read_frames(pairs: list[tuple[Path, Path]], labels: list[NDArray[np.uint8]]) -> NDArray:
    """Reads the frames [T, H, W] of one slice; checks that they and their labels are of one size."""
    frames: list[NDArray] = []
    for (path, mask), expected in zip(pairs, labels, strict=True):
        pixels = read_pixels(open_image(path, "GDCMImageIO"))
        if pixels.size != pixels.shape[-2] * pixels.shape[-1]:
            raise DataError(f"{path}: holds {len(pixels)} images; save each frame as a file of its own")
        frame = pixels.reshape(pixels.shape[-2:])
        if frames and frame.shape != frames[0].shape:
            raise DataError(
                f"{path}: is {_size(frame)}, but {pairs[0][0].name} is {_size(frames[0])}; make them equal"
            )
        if expected.shape != frame.shape:
            raise DataError(f"{mask}: is {_size(expected)}, but its frame is {_size(frame)}; make them equal")
        frames.append(frame)
    return np.stack(frames)


def _warn_of_open_rings(labels: NDArray[np.uint8], masks: list[Path]) -> None:
    """Warns of rings that enclose nothing; no error, since an apical cavity can vanish at end systole."""
    empty = np.flatnonzero(~(labels == CAVITY).any(axis=(1, 2)))
    if empty.size:
        names = " ".join(masks[frame].name for frame in empty[:10])
        logging.warning(
            "%s: %d of %d masks of the slice enclose no cavity: %s; right if it vanishes, "
            "else the ring is open",
            masks[0].parent, empty.size, len(masks), names,
        )  # fmt: skip


def _few(values: set[int]) -> str:
    return " ".join(map(str, sorted(values)[:10])) + (" ..." if len(values) > 10 else "")


def _size(image: NDArray) -> str:
    return f"{image.shape[1]} x {image.shape[0]} pixels"
