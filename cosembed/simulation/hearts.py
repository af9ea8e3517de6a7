"""Simulates cine MR of beating hearts, and writes it in ACDC's layout with labels in every frame.

This module decides who the patients are and what is written; `heart_anatomy` moves their hearts and
`heart_rendering` shows them.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import SimpleITK as sitk  # noqa: N813
from numpy.typing import NDArray

from cosembed.files.progress import with_progress
from cosembed.files.writing import atomic_folder
from cosembed.simulation.drawing import check_ranges
from cosembed.simulation.heart_anatomy import GROUPS, SLICES, draw_heart
from cosembed.simulation.heart_rendering import CAVITY, draw_scanner, render_frame, render_labels, view_slice

# Side of the field of view and distance of slices, in mm: normal hearts are then 45 to 57 mm wide inside.
FIELD_OF_VIEW, SLICE_DISTANCE = 135.0, 16.0


class SimulatedHeart(NamedTuple):
    """Holds the scan of one patient over one beat, and its complete truth.

    Attributes:
        group: One of ACDC's groups, such as NOR or DCM.
        video: int16 [T, slice, N, N], from base to apex; full heart first.
        labels: uint8 [T, slice, N, N]: 0 background, 1 right ventricle, 2 myocardium, 3 cavity of the left.
    """

    group: str
    video: NDArray[np.int16]
    labels: NDArray[np.uint8]

    @property
    def smallest(self) -> int:
        """Returns the frame in which the left ventricle's cavity is smallest (ES), counted from 0."""
        return int(np.argmin((self.labels == CAVITY).sum(axis=(1, 2, 3))))


def simulate_heart(frames: int, size: int, difficulty: float, seed: int, patient: int) -> SimulatedHeart:
    """Simulates one patient over one beat.

    Args:
        frames: How many frames the beat has; frame 0 shows the full heart (ED).
        size: Side of the square images, in pixels.
        difficulty: How much noise, breathing and loss of contrast there is: 0 none, 1 default, 2 hard.
        seed: With the patient's number, decides every pixel.
        patient: Number of the patient, from 1; it also says which of ACDC's groups the patient is from.

    Raises:
        InputError: A value is out of range.
    """
    _check_ranges(patient, frames, size, difficulty, seed)
    # What is drawn for one purpose does not shift what is drawn for another.
    body, look, moments = np.random.SeedSequence((seed, patient)).spawn(3)
    group = GROUPS[(patient - 1) % len(GROUPS)]
    heart = draw_heart(group, difficulty, np.random.default_rng(body))
    scanner = draw_scanner(size, difficulty, np.random.default_rng(look))
    noise = np.random.default_rng(moments)
    video = np.empty((frames, SLICES, size, size), np.int16)
    labels = np.empty(video.shape, np.uint8)
    for frame, position in np.ndindex(frames, SLICES):
        view = view_slice(heart, position, frame / frames, size)
        video[frame, position] = render_frame(heart, scanner, view, noise)
        labels[frame, position] = render_labels(view)
    return SimulatedHeart(group, video, labels)


def write_hearts(
    output: Path, patients: int, frames: int, size: int, seed: int, difficulty: float = 1.0
) -> None:
    """Writes the folder `output` of simulated patients, complete or not at all.

    Each patient has a folder as ACDC has it, patient001 and so on: `patient001_4d.nii.gz` (the beat),
    `patient001_frame01_gt.nii.gz` (labels) for every frame, where ACDC has two, and `Info.cfg`.

    Args:
        output: The folder to make.
        patients: How many; the first ones are the same whatever the number.
        frames: How many frames a beat has.
        size: Side of the square images, in pixels.
        seed: The number that decides every pixel.
        difficulty: As of `simulate_heart`.

    Raises:
        InputError: A value is out of range.
        OutputError: `output` exists.
    """
    _check_ranges(patients, frames, size, difficulty, seed)
    spacing = (FIELD_OF_VIEW / size, FIELD_OF_VIEW / size, SLICE_DISTANCE)
    with atomic_folder(output) as root:
        for number in with_progress(range(1, patients + 1), patients, "simulating", "patient"):
            scan = simulate_heart(frames, size, difficulty, seed, number)
            folder = root / f"patient{number:03d}"
            folder.mkdir()
            _write_nifti(folder / f"{folder.name}_4d.nii.gz", scan.video, (*spacing, 1.0))
            for frame, labels in enumerate(scan.labels, start=1):
                _write_nifti(folder / f"{folder.name}_frame{frame:02d}_gt.nii.gz", labels, spacing)
            facts = {"ED": 1, "ES": scan.smallest + 1, "Group": scan.group, "NbFrame": frames}
            (folder / "Info.cfg").write_text("".join(f"{key}: {value}\n" for key, value in facts.items()))


def _check_ranges(patients: int, frames: int, size: int, difficulty: float, seed: int) -> None:
    """Raises `InputError` for a value out of range, under the name of its flag."""
    check_ranges(
        ("patients", patients, 1, 999),
        ("frames", frames, 2, 99),
        ("size", size, 48, 512),
        ("difficulty", difficulty, 0, 3),
        ("seed", seed, 0, 2**31),
    )


def _write_nifti(path: Path, voxels: NDArray, spacing: tuple[float, ...]) -> None:
    image = sitk.GetImageFromArray(voxels, isVector=False)
    image.SetSpacing(spacing)
    sitk.WriteImage(image, str(path), useCompression=True)
