"""Every mask of a frame is correct, missed, false, merged or split, as drawn by hand."""

import numpy as np

from cosembed.reporting.error_classes import ClassifiedMask, classify_masks


def row(text):
    """Labels [1, W], a digit a pixel."""
    return np.array([[int(digit) for digit in text]], np.uint16)


def test_every_class_is_found():
    truth, predicted = (
        row("1111 0 222 0 000 0 334455 0 666666".replace(" ", "")),
        row("7777 0 000 0 999 0 888888 0 111222".replace(" ", "")),
    )
    assert classify_masks(predicted, truth) == [
        ClassifiedMask("missed", True, 2),
        ClassifiedMask("split", True, 6),
        ClassifiedMask("correct", False, 7),
        ClassifiedMask("merged", False, 8),
        ClassifiedMask("false", False, 9),
    ]


def test_a_match_needs_an_iou_above_a_half():
    assert [mask.error_class for mask in classify_masks(row("1100"), row("1111"))] == ["missed", "false"]
    assert [mask.error_class for mask in classify_masks(row("1110"), row("1111"))] == ["correct"]


def test_empty_frames_have_no_masks():
    assert classify_masks(row("0000"), row("0000")) == []
    assert classify_masks(row("0000"), row("0110")) == [ClassifiedMask("missed", True, 1)]
