"""The authors' released networks: TensorFlow 1 checkpoints into a `StackedHourglass`. Knows no video and no tracking.

    PREFIX.index, PREFIX.data-00000-of-00001    the authors' checkpoint; PREFIX is for example model-40000
    IMPORTED/network.json, weights.*            what `import_released` makes of it: the network's form, its source, its weights

A checkpoint holds one variable per kernel and bias, named net/rnn/unet_<hourglass>_cell/<path>/level<n>/...; gate kernels act
on [input, state]. Networks of MICCAI 2018 and of the 2019 follow-up (Medical Image Analysis) are told apart by the
follow-up's input convolution, <cell>/input.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from glob import escape
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import tensorflow as tf

from cosembed import specs
from cosembed.errors import CheckpointError, SpecError
from cosembed.files.writing import atomic_folder
from cosembed.models import StackedHourglass
from cosembed.models.hourglass import Hourglass
from cosembed.specs.dataclass_mapping import bounded, check, from_mapping, to_mapping
from cosembed.training.checkpoints import UNREADABLE, network_checkpoint, written_by_tensorflow

CELL = "net/rnn/unet_{}_cell"
NETWORK_FILE, WEIGHTS = "network.json", "weights"
# Of the optimizer, not of the network.
_OPTIMIZER = re.compile(r"(.*/)?(beta[12]_power)$|.*/Adam(_1)?$")
_SHOWN = 3
# More channels than any network of the authors has: what claims them is damaged, and would only fill the memory.
MOST = 256
# What is said of the 2019 networks wherever one is used for tracking.
FOLLOW_UP = (
    "this is a network of the 2019 follow-up: smoothing and percentiles follow it, but its tiles, windows of 8 frames and "
    "mean-shift clustering are not part of this package, so the tracks are not those of the follow-up"
)
# What the follow-up changed before the network (sigma in original pixels; percentiles from consideration factors of 0.001).
_FOLLOW_UP_INPUT = {
    "preprocessing.smoothing_sigma": 1.0,
    "preprocessing.lower_percentile": 0.05,
    "preprocessing.upper_percentile": 99.95,
}


@dataclass(frozen=True, kw_only=True)
class NetworkForm:
    """What the shapes of a checkpoint say about its network; fields as in `NetworkSpec`."""

    channels: int = bounded(1, MOST)
    levels: int = bounded(1, 10)
    filters: int = bounded(1, MOST)
    outputs: int = bounded(1, MOST)
    variant: Literal["miccai2018", "mia2019"]

    def __post_init__(self) -> None:
        check(self)


class _Pair(NamedTuple):
    """A variable's name in the checkpoint, without optional zeros, and its counterpart in the model."""

    name: str
    variable: tf.Variable


def load_released(prefix: str | Path) -> StackedHourglass:
    """The network of a TensorFlow 1 checkpoint of the authors.

    Args:
        prefix: The checkpoint's common prefix, or one of its files.

    Returns:
        The network with the checkpoint's weights; levels, filters, outputs, channels and variant follow from its variables.

    Raises:
        CheckpointError: Missing or damaged files, a checkpoint of something else, or variables that are missing, left over,
            of another shape, or not finite.
    """
    path = _prefix(prefix)
    reader, shapes = _open(path)
    form = _form(path, shapes)
    model = _build(form)
    pairs = list(_pairs(model))
    stored = {_plain(name): name for name in shapes}
    _compare(path, pairs, {_plain(name): shape for name, shape in shapes.items()})
    for name, variable in pairs:
        try:
            value = reader.get_tensor(stored[name])
        except UNREADABLE as error:
            raise CheckpointError(
                f"{path}: its data cannot be read ({_reason(error)}); copy all of its files again"
            ) from error
        if value.dtype != np.float32 or not np.isfinite(value).all():
            raise CheckpointError(
                f"{path}: '{name}' does not hold finite float32 numbers; copy all of its files again"
            )
        variable.assign(value)
    return model


def import_released(prefix: str | Path, output: Path) -> NetworkForm:
    """Converts a checkpoint of the authors into a folder that `cosembed track` reads; complete or not at all.

    Raises:
        CheckpointError: As `load_released`.
        OutputError: `output` exists.
    """
    path = _prefix(prefix)
    model = load_released(path)
    form = _form(path, _open(path)[1])
    with atomic_folder(output) as folder:
        with written_by_tensorflow(output):
            network_checkpoint(model).write(str(folder / WEIGHTS))
        content = {"network": to_mapping(form), "source": {"name": path.name, "sha256": _digest(path)}}
        (folder / NETWORK_FILE).write_text(json.dumps(content, indent=1) + "\n")
    return form


def is_imported(path: Path) -> bool:
    """Whether `path` is a folder that `import_released` wrote."""
    return (path / NETWORK_FILE).is_file()


def is_released(path: Path) -> bool:
    """Whether `path` is the prefix, or a file, of a checkpoint that holds a variable of the authors' networks.

    Raises:
        CheckpointError: There is a checkpoint, but it is damaged.
    """
    prefix = _prefix(path)
    if path.is_dir() or not Path(f"{prefix}.index").is_file():
        return False
    _, shapes = _open(prefix)
    return any(name.startswith(CELL.format(0)) for name in shapes)


def load_imported(path: Path) -> StackedHourglass:
    """The network of an imported folder, or straight from the authors' checkpoint.

    Raises:
        CheckpointError: Neither, or damaged.
    """
    if not is_imported(path):
        return load_released(path)
    file = path / NETWORK_FILE
    try:
        form = from_mapping(NetworkForm, json.loads(file.read_text())["network"], str(file))
        model = _build(form)
        status = network_checkpoint(model).read(str(path / WEIGHTS))
        status.assert_existing_objects_matched().expect_partial()
    except (*UNREADABLE, KeyError, TypeError, SpecError) as error:
        raise CheckpointError(
            f"{path}: the imported network is damaged ({_reason(error)}); import it again"
        ) from error
    return model


def source_of(path: Path) -> str:
    """Name and sha256 of the authors' checkpoint behind an imported folder, or of the checkpoint itself.

    Raises:
        CheckpointError: The folder is damaged.
    """
    if not is_imported(path):
        prefix = _prefix(path)
        return f"{prefix.name}, sha256 {_digest(prefix)}"
    try:
        source = json.loads((path / NETWORK_FILE).read_text())["source"]
        return f"{source['name']}, sha256 {source['sha256']}"
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CheckpointError(
            f"{path}: the imported network is damaged ({_reason(error)}); import it again"
        ) from error


def released_spec(model: StackedHourglass, dataset: str) -> specs.CellsSpec:
    """The spec under which a released network is used: recipe `released`, 256 network pixels, its own form.

    Raises:
        SpecError: An unknown data set.
    """
    return specs.resolve(dataset, "released", "paper", form_overrides(model))


def form_overrides(model: StackedHourglass) -> dict[str, Any]:
    """Returns the values, for `specs.override`, that make a data set's spec fit a released network."""
    config = model.get_config() | {"channels": model.input_spec.axes[-1]}
    names = ("channels", "levels", "filters", "outputs", "variant")
    form = {f"network.{name}": config[name] for name in names}
    return form | (_FOLLOW_UP_INPUT if config["variant"] == "mia2019" else {})


def find_released(folder: Path, dataset: str) -> Path:
    """The network of one data set below a folder of networks: FOLDER/DATASET imported, or holding one checkpoint.

    Raises:
        CheckpointError: None, or more than one.
    """
    place = folder / dataset
    if is_imported(place):
        return place
    found = sorted(path for path in place.glob("*.index") if is_released(path))
    if len(found) != 1:
        what = (
            "no checkpoint of the authors"
            if not found
            else f"{len(found)} checkpoints ({found[0].name}, ...)"
        )
        raise CheckpointError(
            f"{place}: holds {what}; put the files of one there, or a folder made by cosembed import-network"
        )
    return found[0]


def _build(form: NetworkForm) -> StackedHourglass:
    model = StackedHourglass(form.filters, form.levels, form.outputs, recurrent=True, variant=form.variant)
    model.build([None, None, None, None, form.channels])
    return model


def _prefix(path: str | Path) -> Path:
    return Path(re.sub(r"\.(index|meta|data-\d+-of-\d+)$", "", str(path)))


def _digest(prefix: Path) -> str:
    """sha256 over the files of a checkpoint, index first."""
    digest = hashlib.sha256()
    for path in (Path(f"{prefix}.index"), *sorted(prefix.parent.glob(f"{escape(prefix.name)}.data-*"))):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _open(path: Path) -> tuple[Any, dict[str, list[int]]]:
    index = Path(f"{path}.index")
    if not index.is_file():
        raise CheckpointError(
            f"{index}: no such file; give the checkpoint's prefix, for example models/model-40000"
        )
    if not list(path.parent.glob(f"{escape(path.name)}.data-*-of-*")):
        raise CheckpointError(f"{path}.data-00000-of-00001: no such file; copy it beside {index.name}")
    try:
        reader = tf.train.load_checkpoint(str(path))
        return reader, reader.get_variable_to_shape_map()
    except UNREADABLE as error:
        raise CheckpointError(
            f"{index}: is not a TensorFlow checkpoint or is damaged ({_reason(error)}); copy it again"
        ) from error


def _form(path: Path, shapes: Mapping[str, list[int]]) -> NetworkForm:
    """Reads the network's form from the first hourglass; what does not fit together is found by `_compare`."""
    plain = {_plain(name): shape for name, shape in shapes.items()}
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
        return NetworkForm(
            channels=channels[0], levels=max(levels) + 1, filters=first[3], outputs=output[3], variant=variant
        )
    except (SpecError, IndexError) as error:
        raise CheckpointError(
            f"{path}: its shapes are not those of a network of the authors ({_reason(error)}); give one of their checkpoints"
        ) from error


def _plain(name: str) -> str:
    """The follow-up's code numbers the layers of a level, conv0 and gru0; each has one."""
    return re.sub(r"/(conv|gru)0/", r"/\1/", name)


def _pairs(model: StackedHourglass) -> Iterator[_Pair]:
    for index, hourglass in enumerate(model.hourglasses):
        yield from (
            _Pair(f"{CELL.format(index)}/{name}", variable) for name, variable in _hourglass_pairs(hourglass)
        )


def _hourglass_pairs(hourglass: Hourglass) -> Iterator[_Pair]:
    convolutions = {"output": hourglass.output_convolution}
    if hourglass.input_convolution is not None:
        convolutions["input"] = hourglass.input_convolution
    for path in ("contracting", "expanding"):
        for level, layer in enumerate(getattr(hourglass, path)):
            convolutions[f"{path}/level{level}/conv"] = layer
    for name, layer in convolutions.items():
        yield _Pair(f"{name}/kernel", layer.kernel)
        yield _Pair(f"{name}/bias", layer.bias)
    for level, layer in enumerate(hourglass.parallel):
        for name, ours in (("gates/r", "reset"), ("gates/u", "update"), ("candidate/y", "candidate")):
            yield _Pair(f"parallel/level{level}/gru/{name}/kernel", getattr(layer, f"{ours}_kernel"))
            yield _Pair(f"parallel/level{level}/gru/{name}/bias", getattr(layer, f"{ours}_bias"))


def _compare(path: Path, pairs: list[_Pair], shapes: Mapping[str, list[int]]) -> None:
    expected = {name: variable.shape.as_list() for name, variable in pairs}
    found = {name: shape for name, shape in shapes.items() if not _OPTIMIZER.fullmatch(name)}
    faults = []
    for what, names in (
        ("missing", expected.keys() - found.keys()),
        ("left over", found.keys() - expected.keys()),
    ):
        if names:
            faults.append(f"{what}: {_some(sorted(names))}")
    wrong = [
        f"'{name}' is {found[name]}, not {expected[name]}"
        for name in sorted(expected)
        if found.get(name, expected[name]) != expected[name]
    ]
    if wrong:
        faults.append(f"of another shape: {'; '.join(wrong[:_SHOWN])}{_more(wrong)}")
    if faults:
        raise CheckpointError(
            f"{path}: does not fit the authors' network; {', '.join(faults)}; give one of their checkpoints"
        )


def _some(names: list[str]) -> str:
    return ", ".join(f"'{name}'" for name in names[:_SHOWN]) + _more(names)


def _more(items: list[str]) -> str:
    return f" and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""


def _reason(error: BaseException) -> str:
    return str(error).splitlines()[0][:200] if str(error) else type(error).__name__
