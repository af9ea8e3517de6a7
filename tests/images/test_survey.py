"""What a look at every frame finds: saturated pixels and few grey values."""

import numpy as np

from cosembed.images.survey import Survey, survey_frames


def test_the_worst_frame_counts() -> None:
    plain = np.arange(100, dtype=np.uint8).reshape(10, 10)
    saturated = plain.copy()
    saturated[:3] = 255
    assert survey_frames([plain, saturated]) == Survey(saturated=0.3, grey_values=71)


def test_fractions_are_never_saturated_and_large_frames_are_seen_on_a_grid() -> None:
    frame = np.zeros((1024, 512), np.float32)
    frame[::4, ::2] = np.arange(256)
    assert survey_frames([frame]) == Survey(saturated=0.0, grey_values=256)
