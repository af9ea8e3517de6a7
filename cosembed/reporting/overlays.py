"""Labels, embeddings and errors as colour pictures. Knows numpy arrays only."""

from __future__ import annotations

from collections import Counter

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.preprocessing.label_overlap import label_overlap, present_labels
from cosembed.preprocessing.label_values import UNLABELLED

# Okabe and Ito's palette, distinguishable with colour-blindness, then the same colours lighter.
_BASE = np.array(
    [
        [230, 159, 0],
        [86, 180, 233],
        [0, 158, 115],
        [240, 228, 66],
        [0, 114, 178],
        [213, 94, 0],
        [204, 121, 167],
    ],
    np.float64,
)
PALETTE = np.concatenate([_BASE, 0.55 * _BASE + 0.45 * 255]).astype(np.uint8)
ERROR_COLOURS = {
    "correct": (0, 158, 115),
    "missed": (213, 94, 0),
    "false": (204, 121, 167),
    "merged": (86, 180, 233),
    "split": (240, 228, 66),
}
# Stripes, so that errors differ not by hue alone: pixels of row, of column. There are at most STRIPES over a picture, so that
# they are still to be seen when a large one is shown small.
ERROR_STRIPES = {"correct": (0, 0), "missed": (-1, 1), "false": (1, 1), "merged": (1, 0), "split": (0, 1)}
STRIPE_PERIOD, STRIPES = 8, 48
SWATCH = 20
MATCH_IOU = 0.5
# Weights of a label's colour over the frame, inside and on the outline.
TINT, OUTLINE = 0.35, 0.9


def colour_labels(labels: NDArray) -> NDArray[np.uint8]:
    """Label image [H, W] -> RGB uint8 [H, W, 3]; a label always has the same colour, 0 is black."""
    colours = PALETTE[(labels.astype(np.int64) * 5) % len(PALETTE)]
    return np.where((labels > 0)[..., None], colours, 0).astype(np.uint8)


def stretch(frame: NDArray, low: float = 1.0, high: float = 99.5) -> NDArray[np.uint8]:
    """Any frame [H, W] or [H, W, C] -> grey values uint8 [H, W] between two percentiles (the first channel counts)."""
    grey = np.asarray(frame, np.float64)
    grey = grey[..., 0] if grey.ndim == 3 else grey
    bottom, top = np.percentile(grey, [low, high])
    return (np.clip((grey - bottom) / max(top - bottom, 1e-9), 0, 1) * 255).astype(np.uint8)


def overlay(frame: NDArray, labels: NDArray) -> NDArray[np.uint8]:
    """A frame with its labels laid over it: tinted, outlines in full colour. RGB uint8 [H, W, 3]."""
    return _tint(frame, colour_labels(labels), labels > 0, _outlines(labels), TINT)


def error_overlay(
    frame: NDArray, prediction: NDArray, truth: NDArray
) -> tuple[NDArray[np.uint8], dict[str, int]]:
    """What went right and wrong in one frame, in `ERROR_COLOURS` and `ERROR_STRIPES`.

    A mask is correct if it matches one of the other side at an IoU above 0.5. Otherwise a predicted mask that covers most
    of two or more true ones is merged, a true one that holds most of two or more predicted ones is split, and what is
    left is missed (true) or false (predicted).

    Args:
        frame: [H, W], any dtype.
        prediction: Labels [H, W].
        truth: Labels [H, W].

    Returns:
        RGB uint8 [H, W, 3] and the number of masks of each kind.
    """
    pairs = label_overlap(truth, prediction)
    matched = pairs.pick(pairs.iou > MATCH_IOU)
    # At most one mask can hold more than half of another one.
    mostly_in_prediction = pairs.pick(pairs.shared / pairs.first_area > 0.5)
    mostly_in_truth = pairs.pick(pairs.shared / pairs.second_area > 0.5)
    covering = dict(
        zip(mostly_in_prediction.first.tolist(), mostly_in_prediction.second.tolist(), strict=True)
    )
    holding = dict(zip(mostly_in_truth.second.tolist(), mostly_in_truth.first.tolist(), strict=True))
    merged = {label for label, count in Counter(covering.values()).items() if count >= 2}
    split = {label for label, count in Counter(holding.values()).items() if count >= 2}
    colours = np.zeros((*truth.shape, 3), np.uint8)
    counts = dict.fromkeys(ERROR_COLOURS, 0)
    painted = {kind: _striped(kind, truth.shape) for kind in ERROR_COLOURS}

    def paint(kind: str, where: NDArray[np.bool_]) -> None:
        colours[where] = painted[kind][where]
        counts[kind] += 1

    for label in present_labels(truth):
        if label in matched.first:
            continue
        if label in split:
            paint("split", truth == label)
        elif covering.get(label) not in merged:
            paint("missed", truth == label)
    for label in present_labels(prediction):
        if label in matched.second:
            paint("correct", prediction == label)
        elif label in merged:
            paint("merged", prediction == label)
        elif holding.get(label) not in split:
            paint("false", prediction == label)
    picture = _tint(frame, colours, np.any(colours, axis=-1), _outlines(truth) | _outlines(prediction), 0.45)
    return picture, counts


def error_key() -> dict[str, NDArray[np.uint8]]:
    """Kind of error -> a small picture of its colour and stripes."""
    return {kind: _striped(kind, (SWATCH, SWATCH)) for kind in ERROR_COLOURS}


def label_key(label: int) -> NDArray[np.uint8]:
    """A small picture of a label's colour."""
    return colour_labels(np.full((SWATCH, SWATCH), label))


def embedding_rgb(embedding: NDArray, channels: tuple[int, int, int] = (0, 1, 2)) -> NDArray[np.uint8]:
    """Three dimensions of unit-length embeddings float [H, W, D] as RGB uint8 [H, W, 3], from -1..1 (the paper's Fig. 1)."""
    chosen = [channel % embedding.shape[-1] for channel in channels]
    return ((np.clip(embedding[..., chosen].astype(np.float64), -1, 1) + 1) * 127.5).astype(np.uint8)


def training_picture(image: NDArray, embeddings: NDArray, labels: NDArray) -> NDArray[np.uint8]:
    """A contact sheet for TensorBoard: rows input, embeddings, instances; a column per frame.

    Args:
        image: float [T, N, N, C].
        embeddings: float [T, N, N, D], unit length.
        labels: [T, N, N].

    Returns:
        RGB uint8 [3 N, T N, 3].
    """
    rows = [
        [np.repeat(stretch(frame)[..., None], 3, axis=-1) for frame in image],
        [embedding_rgb(frame) for frame in embeddings],
        [colour_labels(frame) for frame in labels],
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def class_picture(image: NDArray, found: NDArray, truth: NDArray) -> NDArray[np.uint8]:
    """A contact sheet for TensorBoard: rows input, classes found, true classes; a column per frame.

    Args:
        image: float [T, N, N, C].
        found: Classes [T, N, N], 0 is background.
        truth: Likewise; pixels without a label hold `UNLABELLED` and are left blank.

    Returns:
        RGB uint8 [3 N, T N, 3].
    """
    rows = [
        [np.repeat(stretch(frame)[..., None], 3, axis=-1) for frame in image],
        [overlay(frame, classes) for frame, classes in zip(image, found, strict=True)],
        [
            overlay(frame, np.where(classes == UNLABELLED, 0, classes))
            for frame, classes in zip(image, truth, strict=True)
        ],
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def encode_png(picture: NDArray[np.uint8]) -> bytes:
    """A picture uint8 [H, W, 3] as PNG."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(picture)))


def _striped(kind: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """A picture [H, W, 3] full of a kind's colour and stripes."""
    (down, across), (rows, columns) = ERROR_STRIPES[kind], np.indices(shape)
    period = max(STRIPE_PERIOD, max(shape) // STRIPES)
    bright = (down * rows + across * columns) % period < period // 2
    colour = np.array(ERROR_COLOURS[kind], np.uint8)
    return np.where(bright[..., None], colour, colour // 2)


def _outlines(labels: NDArray) -> NDArray[np.bool_]:
    size = (3, 3)
    edge = ndimage.maximum_filter(labels, size, mode="nearest") != ndimage.minimum_filter(
        labels, size, mode="nearest"
    )
    return edge & (labels > 0)


def _tint(
    frame: NDArray,
    colours: NDArray[np.uint8],
    where: NDArray[np.bool_],
    outline: NDArray[np.bool_],
    alpha: float,
) -> NDArray[np.uint8]:
    grey = np.repeat(stretch(frame)[..., None], 3, axis=-1).astype(np.float64)
    weight = np.where(outline & where, OUTLINE, np.where(where, alpha, 0.0))[..., None]
    return ((1 - weight) * grey + weight * colours).astype(np.uint8)
