"""Makes the spec under which a network of the authors is used for a data set. It knows no files."""

from __future__ import annotations

from typing import Any

from cosembed import specs
from cosembed.models import StackedHourglass

# This is said wherever a network of the 2019 follow-up is used for tracking.
FOLLOW_UP = (
    "this is a network of the 2019 follow-up: smoothing and percentiles follow it, but its tiles, windows of "
    "8 frames and mean-shift clustering are not part of this package, so the tracks are not those of the "
    "follow-up"
)
# The follow-up prepares its input with these values (sigma in original pixels; percentiles from consideration
# factors of 0.001).
_FOLLOW_UP_INPUT = {
    "preprocessing.smoothing_sigma": 1.0,
    "preprocessing.lower_percentile": 0.05,
    "preprocessing.upper_percentile": 99.95,
}


def released_spec(model: StackedHourglass, dataset: str) -> specs.CellsSpec:
    """Resolves the spec for a network of the authors: recipe `released`, 256 network pixels, and its form.

    Args:
        model: The network.
        dataset: Name of the data set whose values are used.

    Raises:
        SpecError: The data set is unknown.
    """
    return specs.resolve(dataset, "released", "paper", form_overrides(model))


def form_overrides(model: StackedHourglass) -> dict[str, Any]:
    """Returns the values, for `specs.override`, that make a data set's spec fit a network of the authors."""
    config = model.get_config() | {"channels": model.input_spec.axes[-1]}
    names = ("channels", "levels", "filters", "outputs", "variant")
    form = {f"network.{name}": config[name] for name in names}
    return form | (_FOLLOW_UP_INPUT if config["variant"] == "mia2019" else {})
