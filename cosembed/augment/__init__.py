"""Augments training clips: draws the changes of a clip and applies them.

`parameters` draws every random number and touches no image. An augmenter applies what was drawn and draws
nothing: `simpleitk` works frame by frame on the processor, `graph` as one TensorFlow graph. Both give the
same clips up to rounding, so the rest of the package needs only `make_augmenter` and the types of
`interface`. No module here knows instances, files or training.
"""

from __future__ import annotations

from cosembed.augment.interface import AUGMENTERS, DEFAULT_AUGMENTER, AugmentedClip, Augmenter, RawClip
from cosembed.augment.parameters import check_elastic
from cosembed.errors import InputError
from cosembed.specs import TrainedSpec

__all__ = ["AUGMENTERS", "DEFAULT_AUGMENTER", "AugmentedClip", "Augmenter", "RawClip", "make_augmenter"]


def make_augmenter(name: str, spec: TrainedSpec) -> Augmenter:
    """Makes the augmenter that a name stands for.

    Args:
        name: One of `AUGMENTERS`.
        spec: The source of image size, channels, padding, label smoothing, and of which changes are on at
            all.

    Raises:
        InputError: The name is unknown, or the library that it needs is not installed.
        SpecError: The elastic grid is too small for its spline.
    """
    check_elastic(spec.augmentation)
    # SimpleITK and TensorFlow are imported only by those who ask for them.
    if name == "simpleitk":
        from cosembed.augment.simpleitk import SimpleITKAugmenter

        return SimpleITKAugmenter(spec)
    if name == "graph":
        from cosembed.augment.graph import GraphAugmenter

        return GraphAugmenter(spec)
    raise InputError(f"--augment={name}: choose one of {', '.join(AUGMENTERS)}")
