"""Networks that come with the package find the cells of real videos; skipped where these are absent."""

import numpy as np
import pytest
import tifffile

import cosembed

FRAMES = 3


@pytest.mark.parametrize(
    ("name", "least"),
    [
        ("DIC-C2DH-HeLa", 0.75),
        ("DIC-C2DH-HeLa-small", 0.7),
        ("PhC-C2DH-U373", 0.7),
        ("PhC-C2DH-U373-small", 0.6),
    ],
)
def test_cells_of_the_training_video_are_found(test_data, name, least):
    """SEG by its definition, in the first frames: a mask counts if it covers more than half of the cell."""
    data = test_data / "ctc" / name.removesuffix("-small")
    video = data / "01"
    images = np.stack([tifffile.imread(video / f"t{frame:03d}.tif") for frame in range(FRAMES)])
    labels = cosembed.track(images, name, progress=False).labels
    scores = []
    for frame, found in enumerate(labels):
        truth = tifffile.imread(data / "01_GT" / "SEG" / f"man_seg{frame:03d}.tif")
        for cell in np.unique(truth)[1:]:
            inside = np.bincount(found[truth == cell], minlength=2)
            best = 1 + int(inside[1:].argmax())
            covered, area = int(inside[best]), int((truth == cell).sum())
            union = area + int((found == best).sum()) - covered
            scores.append(covered / union if covered > area / 2 else 0.0)
    assert len(scores) > 10 and np.mean(scores) > least
