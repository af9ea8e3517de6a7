"""Gives the connected parts of binary masks labels of their own. Knows no videos and no tracks."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from cosembed.datasets.ctc.mask_checks import label_parts
from cosembed.datasets.ctc.mask_files import TRUTH_PREFIXES, mask_files, read_labels
from cosembed.errors import DataError
from cosembed.files.writing import atomic_folder
from cosembed.images.tiff import write_mask
from cosembed.preprocessing.label_values import LARGEST_LABEL


def split_masks(truth: Path, output: Path) -> int:
    """Writes the masks of SEG as a truth folder whose connected parts are labelled, complete or not at all.

    Args:
        truth: The ground-truth folder; its SEG is read.
        output: The folder to write, which gets a SEG; it must not exist.

    Returns:
        The number of masks.

    Raises:
        DataError: SEG holds no masks, one that cannot be read, or one of too many parts.
        OutputError: `output` exists.
    """
    masks = mask_files(truth / "SEG", TRUTH_PREFIXES["SEG"])
    if not masks:
        raise DataError(f"{truth / 'SEG'}: holds no man_segNNN.tif; give a folder with masks")
    with atomic_folder(output) as partial:
        (partial / "SEG").mkdir()
        for path in masks.values():
            parts = label_parts(read_labels(path))
            if parts.max() > LARGEST_LABEL:
                raise DataError(f"{path}: has more than {LARGEST_LABEL} parts; remove its noise first")
            write_mask(partial / "SEG" / path.name, parts.astype(np.uint16))
    return len(masks)
