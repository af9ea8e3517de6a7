"""Shows labels, embeddings and errors as colour pictures. It knows numpy arrays only, no files, no videos."""

from __future__ import annotations

import math
from collections.abc import Mapping

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from cosembed.preprocessing.label_overlap import count_labels
from cosembed.preprocessing.label_values import UNLABELLED
from cosembed.reporting.colours import PALETTE, STRIPES, default_entry, label_colours
from cosembed.reporting.error_classes import ErrorClass, classify_masks

# Of Okabe and Ito's palette, distinguishable with colour-blindness.
ERROR_COLOURS: dict[ErrorClass, tuple[int, int, int]] = {
    "correct": (0, 158, 115),
    "missed": (213, 94, 0),
    "false": (204, 121, 167),
    "merged": (86, 180, 233),
    "split": (240, 228, 66),
}
# Errors have stripes, so that they differ not by hue alone: how much a pixel's row and its column count.
ERROR_STRIPES: dict[ErrorClass, tuple[int, int]] = {
    "correct": (0, 0),
    "missed": (-1, 1),
    "false": (1, 1),
    "merged": (1, 0),
    "split": (0, 1),
}
# Stripes are at least STRIPE_PERIOD pixels apart, and at most MOST_STRIPES cross a picture, so that they can
# still be seen when a large one is shown small.
STRIPE_PERIOD, MOST_STRIPES = 8, 48
# Percentiles are taken of at most so many pixels, and so many are stretched at a time.
MOST_SORTED = 2**22
# The side of a legend's small picture, in pixels.
SWATCH_SIDE = 20
# A label's colour is laid over the frame with these weights: inside, inside an error's mask, on the outline.
TINT, ERROR_TINT, OUTLINE = 0.35, 0.45, 0.9


def colour_labels(labels: NDArray, colours: Mapping[int, int] | None = None) -> NDArray[np.uint8]:
    """Colours a label image; a label always has the same colour, and 0 is black.

    Args:
        labels: [H, W].
        colours: Label -> entry, from `colours.label_colours` of the whole video; without it, neighbours may
            have the same colour.

    Returns:
        RGB uint8 [H, W, 3].
    """
    present = count_labels(labels)[0]
    index = np.searchsorted(present, labels)
    entries = np.array([(colours or {}).get(label, default_entry(label)) for label in present.tolist()], int)
    stripes, entry = np.divmod(entries, len(PALETTE))
    picture = np.where(present[:, None] > 0, PALETTE[entry], np.uint8(0))[index]
    for pattern in np.unique(stripes[stripes > 0]):
        picture[(stripes == pattern)[index] & _dark_stripes(STRIPES[pattern], labels.shape)] //= 2
    return picture


def stretch(frame: NDArray, low: float = 1.0, high: float = 99.5) -> NDArray[np.uint8]:
    """Stretches a frame's grey values between two percentiles over 0..255.

    Args:
        frame: [H, W] or [H, W, C] of any dtype; of several channels the first one is shown. Of a large one
            the percentiles are those of a grid of pixels.
        low: The percentile that becomes 0.
        high: The percentile that becomes 255.

    Returns:
        uint8 [H, W].
    """
    grey = frame[..., 0] if frame.ndim == 3 else frame
    step = math.ceil(math.sqrt(grey.size / MOST_SORTED)) or 1
    bottom, top = np.percentile(np.asarray(grey[::step, ::step], np.float64), [low, high])
    stretched = np.empty(grey.shape, np.uint8)
    # A large frame has no copy in float64.
    rows = max(1, MOST_SORTED // max(1, grey.shape[1]))
    for first in range(0, len(grey), rows):
        part = np.asarray(grey[first : first + rows], np.float64)
        stretched[first : first + rows] = np.clip((part - bottom) / max(top - bottom, 1e-9), 0, 1) * 255
    return stretched


def overlay(frame: NDArray, labels: NDArray, colours: Mapping[int, int] | None = None) -> NDArray[np.uint8]:
    """Lays labels over a frame: tinted inside, almost opaque on the outline.

    Args:
        frame: [H, W] or [H, W, C] of any dtype.
        labels: [H, W].
        colours: As in `colour_labels`.

    Returns:
        RGB uint8 [H, W, 3].
    """
    return tinted(stretch(frame), labels, colours)


def tinted(
    grey: NDArray[np.uint8], labels: NDArray, colours: Mapping[int, int] | None = None
) -> NDArray[np.uint8]:
    """Lays labels over grey values as they are, as `overlay` does over a frame.

    Args:
        grey: [H, W].
        labels: [H, W].
        colours: As in `colour_labels`.

    Returns:
        RGB uint8 [H, W, 3].
    """
    return _tint(grey, colour_labels(labels, colours), labels > 0, _outlines(labels), TINT)


def error_overlay(
    frame: NDArray, prediction: NDArray, truth: NDArray
) -> tuple[NDArray[np.uint8], dict[ErrorClass, int]]:
    """Paints what went right and wrong in one frame, in `ERROR_COLOURS` and `ERROR_STRIPES`.

    Args:
        frame: [H, W], any dtype.
        prediction: Labels [H, W].
        truth: Labels [H, W].

    Returns:
        RGB uint8 [H, W, 3] and the number of masks of each class of `error_classes.classify_masks`.
    """
    colours = np.zeros((*truth.shape, 3), np.uint8)
    counts = dict.fromkeys(ERROR_COLOURS, 0)
    patterns = {error_class: _striped(error_class, truth.shape) for error_class in ERROR_COLOURS}
    for mask in classify_masks(prediction, truth):
        where = (truth if mask.is_true else prediction) == mask.label
        colours[where] = patterns[mask.error_class][where]
        counts[mask.error_class] += 1
    outlines = _outlines(truth) | _outlines(prediction)
    return _tint(stretch(frame), colours, np.any(colours, axis=-1), outlines, ERROR_TINT), counts


def error_key() -> dict[ErrorClass, NDArray[np.uint8]]:
    """Makes a legend: class of error -> a small picture RGB uint8 of its colour and stripes."""
    return {error_class: _striped(error_class, (SWATCH_SIDE, SWATCH_SIDE)) for error_class in ERROR_COLOURS}


def label_key(label: int) -> NDArray[np.uint8]:
    """Makes a small picture RGB uint8 of a label's colour, for a legend."""
    return colour_labels(np.full((SWATCH_SIDE, SWATCH_SIDE), label))


def embedding_rgb(embedding: NDArray, channels: tuple[int, int, int] = (0, 1, 2)) -> NDArray[np.uint8]:
    """Shows three dimensions of an embedding as red, green and blue, as the paper's Fig. 1 does.

    Args:
        embedding: float [H, W, D] of unit length; -1..1 becomes 0..255.
        channels: The dimensions to show; with fewer than three dimensions some are shown twice.

    Returns:
        RGB uint8 [H, W, 3].
    """
    chosen = [channel % embedding.shape[-1] for channel in channels]
    return ((np.clip(embedding[..., chosen].astype(np.float64), -1, 1) + 1) * 127.5).astype(np.uint8)


def training_picture(image: NDArray, embeddings: NDArray, labels: NDArray) -> NDArray[np.uint8]:
    """Lays out a contact sheet for TensorBoard: rows input, embeddings, instances; a column per frame.

    Args:
        image: float [T, N, N, C].
        embeddings: float [T, N, N, D], unit length.
        labels: [T, N, N].

    Returns:
        RGB uint8 [3 N, T N, 3].
    """
    colours = label_colours(labels)
    rows = [
        [np.repeat(stretch(frame)[..., None], 3, axis=-1) for frame in image],
        [embedding_rgb(frame) for frame in embeddings],
        [colour_labels(frame, colours) for frame in labels],
    ]
    return np.concatenate([np.concatenate(row, axis=1) for row in rows], axis=0)


def class_picture(image: NDArray, found: NDArray, truth: NDArray) -> NDArray[np.uint8]:
    """Lays out a contact sheet for TensorBoard: rows input, classes found, true classes; a column per frame.

    Args:
        image: float [T, N, N, C].
        found: Classes [T, N, N]; 0 is background.
        truth: Classes [T, N, N]; pixels without a label hold `UNLABELLED` and are left blank.

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
    """Encodes a picture uint8 [H, W, 3] as PNG."""
    return bytes(imagecodecs.png_encode(np.ascontiguousarray(picture)))


def _striped(error_class: ErrorClass, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """Fills a picture uint8 [H, W, 3] with the colour and stripes of an error."""
    dark = _dark_stripes(ERROR_STRIPES[error_class], shape)
    colour = np.array(ERROR_COLOURS[error_class], np.uint8)
    return np.where(dark[..., None], colour // 2, colour)


def _dark_stripes(direction: tuple[int, int], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tells where in a picture [H, W] every second stripe lies; without a direction there are none.

    Args:
        direction: How much a pixel's row and its column count.
        shape: The picture's height and width.
    """
    (down, across), (rows, columns) = direction, np.indices(shape)
    period = max(STRIPE_PERIOD, max(shape) // MOST_STRIPES)
    return (down * rows + across * columns) % period >= period // 2


def _outlines(labels: NDArray) -> NDArray[np.bool_]:
    size = (3, 3)
    edge = ndimage.maximum_filter(labels, size, mode="nearest") != ndimage.minimum_filter(
        labels, size, mode="nearest"
    )
    return edge & (labels > 0)


def _tint(
    grey: NDArray[np.uint8],
    colours: NDArray[np.uint8],
    where: NDArray[np.bool_],
    outline: NDArray[np.bool_],
    tint: float,
) -> NDArray[np.uint8]:
    """Lays colours over grey values, with the weight `tint` inside and `OUTLINE` on the outline."""
    weight = np.where(outline & where, OUTLINE, np.where(where, tint, 0.0))[..., None]
    return ((1 - weight) * grey[..., None] + weight * colours).astype(np.uint8)
