"""Recognises the architecture of a network of the authors by its variables, and builds that network.

Networks of MICCAI 2018 and of the 2019 follow-up (Medical Image Analysis) are told apart by the follow-up's
input convolution, <cell>/input. This module knows names and shapes, no files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cosembed.errors import CheckpointError, SpecError
from cosembed.files.reading import reason
from cosembed.models import StackedHourglass
from cosembed.released.naming import CELL, plain_name
from cosembed.specs.dataclass_mapping import bounded, check

# No network of the authors has more channels than these: what claims them is damaged, and would only fill the
# memory.
MOST_CHANNELS = 256


@dataclass(frozen=True, kw_only=True)
class NetworkArchitecture:
    """Describes the architecture of a network of the authors; what it leaves open is the same in all of them.

    Attributes:
        channels: Channels of the input images.
        levels: Levels of each hourglass.
        filters: Filters of every convolution and recurrent layer.
        outputs: Dimensions of the embeddings.
        variant: The publication that the network belongs to, MICCAI 2018 or its 2019 follow-up.
    """

    channels: int = bounded(1, MOST_CHANNELS)
    levels: int = bounded(1, 10)
    filters: int = bounded(1, MOST_CHANNELS)
    outputs: int = bounded(1, MOST_CHANNELS)
    variant: Literal["miccai2018", "mia2019"]

    def __post_init__(self) -> None:
        check(self)


def recognise_architecture(path: Path, shapes: Mapping[str, list[int]]) -> NetworkArchitecture:
    """Reads the architecture from the variables of the first hourglass, without looking at the others.

    Args:
        path: The checkpoint's prefix, for messages.
        shapes: Name -> shape of every variable of the checkpoint.

    Raises:
        CheckpointError: The variables are not those of a network of the authors.
    """
    plain = {plain_name(name): shape for name, shape in shapes.items()}
    cell = CELL.format(0)
    first = plain.get(f"{cell}/contracting/level0/conv/kernel")
    output = plain.get(f"{cell}/output/kernel")
    if first is None or output is None or len(first) != 4 or len(output) != 4:
        hint = " (it is one of TensorFlow 2)" if "_CHECKPOINTABLE_OBJECT_GRAPH" in shapes else ""
        raise CheckpointError(
            f"{path}: is not a checkpoint of the authors{hint}: '{cell}/contracting/level0/conv/kernel' or "
            f"'{cell}/output/kernel' is missing; give one of their trained tracking networks"
        )
    start = plain.get(f"{cell}/input/kernel")
    levels = {
        int(found[1])
        for name in plain
        if (found := re.match(re.escape(cell) + r"/contracting/level(\d+)/", name))
    }
    channels = (start or first)[2:3]
    variant: Literal["miccai2018", "mia2019"] = "mia2019" if start else "miccai2018"
    try:
        return NetworkArchitecture(
            channels=channels[0], levels=max(levels) + 1, filters=first[3], outputs=output[3], variant=variant
        )
    except (SpecError, IndexError) as error:
        raise CheckpointError(
            f"{path}: its shapes are not those of a network of the authors ({reason(error)}); give one of "
            "their checkpoints"
        ) from error


def build_released(architecture: NetworkArchitecture) -> StackedHourglass:
    """Builds a network of the authors with weights that are still random."""
    model = StackedHourglass(
        architecture.filters,
        architecture.levels,
        architecture.outputs,
        recurrent=True,
        variant=architecture.variant,
    )
    model.build([None, None, None, None, architecture.channels])
    return model
