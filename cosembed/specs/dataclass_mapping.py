"""Converts strictly between plain mappings (YAML) and frozen dataclasses.

Knows nothing of what the fields mean.

A key that no field has, a value of another type, or one outside its field's bounds raises `SpecError` naming
the source and the key. Bounds and choices are read from the field's type (`Literal`) and from `bounded`.
"""

from __future__ import annotations

import dataclasses
import math
import re
import reprlib
import types
import typing
from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from cosembed.errors import SpecError

Spec = TypeVar("Spec")
# Beyond this, not every whole number is a float.
LARGEST = 2**53
# YAML 1.1 takes a power of ten for a word if it has no decimal point or no sign.
_POWER_OF_TEN = re.compile(r"[-+]?\d+(\.\d*)?[eE][-+]?\d{1,3}")


def bounded(low: float, high: float = math.inf, *, above: bool = False, **options: Any) -> Any:
    """Makes a dataclass field whose number, or every number of whose tuple, lies between bounds.

    Args:
        low: The least value.
        high: The largest value.
        above: Whether `low` itself is excluded.
        **options: What `dataclasses.field` takes, such as a default.
    """
    return dataclasses.field(metadata={"low": low, "high": high, "above": above}, **options)


def from_mapping(spec_class: type[Spec], mapping: Any, source: str, prefix: str = "") -> Spec:
    """Builds a dataclass from a mapping.

    Args:
        spec_class: A frozen dataclass whose fields are int, float, bool, str, Literal, tuple, dict or such
            dataclasses, each of them or None (`float | None`), or anything (`Any`).
        mapping: The content of a YAML file.
        source: The file (or flag) the mapping came from, for messages.
        prefix: The dotted path of `mapping` inside the file, for messages.

    Returns:
        The validated instance.

    Raises:
        SpecError: A key is unknown or missing, or a value of the wrong type or out of range.
    """
    if not isinstance(mapping, Mapping):
        raise SpecError(
            f"{source}: {prefix or 'the file'} must be a mapping of keys to values, not {_shown(mapping)}"
        )
    fields = {field.name: field for field in dataclasses.fields(spec_class)}  # type: ignore[arg-type]
    hints = typing.get_type_hints(spec_class)
    for key in mapping:
        if key not in fields:
            unknown = _shown(key).strip("'")
            raise SpecError(
                f"{source}: unknown key '{prefix}{unknown}'; known keys here: {', '.join(sorted(fields))}"
            )
    values = {}
    for name, field in fields.items():
        if name in mapping:
            values[name] = _convert(hints[name], mapping[name], source, prefix + name, field.metadata)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise SpecError(f"{source}: the key '{prefix}{name}' is missing; add it")
    return spec_class(**values)


def check(spec: Any) -> None:
    """Checks the values of a dataclass that was constructed directly.

    Raises:
        SpecError: One is of the wrong type or out of range.
    """
    hints = typing.get_type_hints(type(spec))
    for field in dataclasses.fields(spec):
        value = getattr(spec, field.name)
        _convert(hints[field.name], value, type(spec).__name__, field.name, field.metadata)


def to_mapping(spec: Any) -> dict[str, Any]:
    """Turns a dataclass into plain dicts, lists, numbers and strings, ready for YAML or JSON.

    `from_mapping` does the reverse.
    """

    def plain(value: Any) -> Any:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
        if isinstance(value, Mapping):
            return {key: plain(item) for key, item in value.items()}
        if isinstance(value, tuple):
            return [plain(item) for item in value]
        return value

    return typing.cast("dict[str, Any]", plain(spec))


def flatten(mapping: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Turns nested mappings into one with dotted keys; `prefix` is put before each of them."""
    flat: dict[str, Any] = {}
    for key, value in mapping.items():
        if isinstance(value, Mapping) and value:
            flat.update(flatten(value, f"{prefix}{key}."))
        else:
            flat[f"{prefix}{key}"] = value
    return flat


def merge(base: Mapping[str, Any], change: Mapping[str, Any]) -> dict[str, Any]:
    """Lays the values of `change` over those of `base`, mapping by mapping, and modifies neither."""
    merged = dict(base)
    for key, value in change.items():
        below = merged.get(key)
        merged[key] = (
            merge(below, value) if isinstance(below, Mapping) and isinstance(value, Mapping) else value
        )
    return merged


def _convert(hint: Any, value: Any, source: str, key: str, limits: Mapping[str, Any]) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return from_mapping(hint, value, source, key + ".")
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if hint is Any or (value is None and type(None) in arguments):
        return value
    if origin is types.UnionType:
        (known,) = (argument for argument in arguments if argument is not type(None))
        return _convert(known, value, source, key, limits)
    if origin is Literal:
        if value not in arguments or isinstance(value, bool):
            raise SpecError(
                f"{source}: '{key}' is {_shown(value)}; choose one of {', '.join(map(str, arguments))}"
            )
        return value
    if origin is tuple:
        return _convert_tuple(arguments, value, source, key, limits)
    if origin is dict:
        if not isinstance(value, Mapping):
            raise SpecError(f"{source}: '{key}' must be a mapping, not {_shown(value)}")
        if not all(isinstance(name, str) for name in value):
            raise SpecError(f"{source}: the keys of '{key}' must be texts; put them into quotation marks")
        return {
            name: _convert(arguments[1], item, source, f"{key}.{name}", limits)
            for name, item in value.items()
        }
    return _convert_scalar(hint, value, source, key, limits)


def _convert_tuple(
    arguments: tuple[Any, ...], value: Any, source: str, key: str, limits: Mapping[str, Any]
) -> Any:
    if not isinstance(value, list | tuple):
        raise SpecError(f"{source}: '{key}' must be a list, not {_shown(value)}")
    if arguments[-1] is not Ellipsis and len(value) != len(arguments):
        raise SpecError(f"{source}: '{key}' must have {len(arguments)} entries, not {len(value)}")
    kinds = [arguments[0]] * len(value) if arguments[-1] is Ellipsis else arguments
    return tuple(_convert(kind, item, source, key, limits) for kind, item in zip(kinds, value, strict=True))


def _convert_scalar(hint: type, value: Any, source: str, key: str, limits: Mapping[str, Any]) -> Any:
    if type(value) is int and abs(value) > LARGEST:
        raise SpecError(f"{source}: '{key}' is too large a number; give one below {LARGEST:g}")
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if hint is float and isinstance(value, str) and _POWER_OF_TEN.fullmatch(value):
        value = float(value)
    if type(value) is not hint:
        raise SpecError(f"{source}: '{key}' must be of type {hint.__name__}, not {_shown(value)}")
    if limits and isinstance(value, int | float):
        low, high = limits["low"], limits["high"]
        inside = (low < value if limits["above"] else low <= value) and value <= high
        if not inside or not math.isfinite(value):
            relation = "above" if limits["above"] else "at least"
            upper = "" if high == math.inf else f" and at most {high:g}"
            raise SpecError(f"{source}: '{key}' is {value:g}; it must be {relation} {low:g}{upper}")
    return value


def _shown(value: Any) -> str:
    """Writes a value for a message; of a long one, the beginning."""
    try:
        return reprlib.repr(value)
    except ValueError:
        return "a number of thousands of digits"
