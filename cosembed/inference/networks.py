"""A trained network that is ready to track: its weights, its values, and what to call it.

Knows no video and no flags.

Whatever holds one is loaded here: a network that comes with the package, by its name; a folder like it; the
folder of a run, one checkpoint of it, an imported network of the authors, or their own checkpoint.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cached_property

from cosembed import released, specs
from cosembed.errors import InputError
from cosembed.inference.stepper import FrameStepper
from cosembed.models import StackedHourglass
from cosembed.networks.card import Card
from cosembed.networks.catalogue import is_network_folder
from cosembed.networks.description import find_network
from cosembed.networks.stored_network import load_stored
from cosembed.specs import CellsSpec
from cosembed.training import checkpoints
from cosembed.training.devices import describe_device


@dataclass(frozen=True)
class Network:
    """A trained network for tracking.

    Attributes:
        model: The network with its weights.
        spec: The values that belong to it: preprocessing, tracking, upsampling, and what it was trained with.
        description: One phrase for people: where it comes from and how it was trained.
        device: One phrase for people: what computes.
        card: What is known of a network that comes with the package, or was exported like one; None of
            others.
    """

    model: StackedHourglass = field(repr=False)
    spec: CellsSpec = field(repr=False)
    description: str
    device: str
    card: Card | None = field(default=None, repr=False)

    @cached_property
    def stepper(self) -> FrameStepper:
        """Runs the network frame by frame; it is traced once, however many videos are tracked."""
        return FrameStepper(self.model)


def load_network(
    name_or_path: str | os.PathLike[str], dataset: str | None = None, *, require_gpu: bool = False
) -> Network:
    """Loads a trained network.

    Args:
        name_or_path: A name that `cosembed networks` lists; a folder that `cosembed networks export` made;
            the folder of a run, one checkpoint of it (`RUN/checkpoints/step-2000`), a network that `cosembed
            import-network` wrote, or the prefix of a checkpoint of the authors. A text that is a name means
            the network of that name, whatever lies in the working folder; write `./NAME` for a folder.
        dataset: For networks of the authors only, the data set whose values are used, such as
            `DIC-C2DH-HeLa`.
        require_gpu: Whether a machine without a GPU that TensorFlow can use is an error.

    Returns:
        The network; loading it again is not needed for further videos.

    Raises:
        CheckpointError: Nothing of these is there, or it is damaged or of a newer version.
        InputError: `dataset` is missing, unknown, or given for a network that is not the authors', or there
            is no GPU.
        SpecError: The run is one of another task.

    Example:
        >>> import cosembed
        >>> network = cosembed.load_network("runs/demo/test_02")
        >>> network.spec.dataset.name, network.spec.network.image_size
        ('simulated', 32)
        >>> cosembed.load_network("DIC-C2DH-HeLa").spec.network.filters
        64
        >>> cosembed.load_network("runs/demo/test_20")
        Traceback (most recent call last):
            ...
        cosembed.errors.CheckpointError: 'runs/demo/test_20' is neither the name of a network nor ...
    """
    if not isinstance(name_or_path, str | os.PathLike):
        raise InputError(f"network: is a {type(name_or_path).__name__}; give the path of a network")
    known = specs.dataset_names("cells")
    if dataset and dataset not in known:
        raise InputError(f"dataset: unknown data set '{dataset}'; known: {', '.join(known)}")
    path = find_network(name_or_path)
    # The device is chosen before TensorFlow computes anything.
    device = describe_device(require_gpu)
    if not released.is_imported(path) and not released.is_released(path):
        if dataset:
            raise InputError(
                f"dataset: is for networks of the authors, and {name_or_path} is none; leave it out"
            )
        if is_network_folder(path):
            stored = load_stored(path)
            card = stored.card
            return Network(
                stored.model,
                stored.spec,
                f"{card.name}, version {card.version}: {card.summary.removesuffix('.')}",
                device,
                card,
            )
        model, spec, step = checkpoints.load_network(path)
        trained = f"trained for {step} of {spec.training.iterations} steps"
        return Network(model, spec, f"{path}, {spec.dataset.name}, {trained}", device)
    if not dataset:
        raise InputError(
            f"dataset is missing: {path} is a network of the authors; name one of {', '.join(known)}"
        )
    model = released.load_imported(path)
    spec = released.released_spec(model, dataset)
    return Network(model, spec, f"{path}, {dataset}, the authors' network {released.source_of(path)}", device)
