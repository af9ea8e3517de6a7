"""Makes the spec under which a network of the authors is used for a data set. It knows no files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cosembed import specs
from cosembed.models import StackedHourglass

# The recipe that goes with a network of each publication.
RECIPES = {"miccai2018": "released", "mia2019": "mia2019"}


def released_spec(
    model: StackedHourglass, dataset: str, overrides: Mapping[str, Any] | None = None
) -> specs.CellsSpec:
    """Resolves the spec for a network of the authors: its own recipe, the profile `paper`, and its form.

    Args:
        model: The network.
        dataset: Name of the data set whose values are used.
        overrides: Further values, as for `specs.override`; the network's form goes over them.

    Raises:
        SpecError: The data set or a key is unknown.
    """
    config = model.get_config() | {"channels": model.input_spec.axes[-1]}
    names = ("channels", "levels", "filters", "outputs", "variant")
    form = {f"network.{name}": config[name] for name in names}
    return specs.resolve(dataset, RECIPES[config["variant"]], "paper", {**(overrides or {}), **form})
