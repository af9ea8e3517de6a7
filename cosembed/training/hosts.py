"""Reads which hosts train together from TF_CONFIG, as TensorFlow documents it. Imports no TensorFlow."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass

from cosembed.errors import InputError

VARIABLE = "TF_CONFIG"
# The kinds of tasks that train, those first that come first.
KINDS = ("chief", "worker")
EXAMPLE = '{"cluster": {"worker": ["host0:2222", "host1:2222"]}, "task": {"type": "worker", "index": 0}}'


@dataclass(frozen=True)
class Hosts:
    """Holds the hosts of a training, each with one process.

    Attributes:
        addresses: `name:port` of every host; the first one's is the chief's, which alone writes.
        own: The place of this process among them.
    """

    addresses: tuple[str, ...]
    own: int

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and history."""
        return self.own == 0


def read_hosts() -> Hosts:
    """Reads the environment variable TF_CONFIG.

    Raises:
        InputError: It is missing, is no JSON, lists no hosts, an address twice, or not this process.
    """
    text = os.environ.get(VARIABLE, "")
    if not text:
        raise _fault("is not set")
    try:
        config = json.loads(text)
    except json.JSONDecodeError as error:
        raise _fault(f"is no JSON ({error})") from error
    try:
        cluster, task = config["cluster"], config["task"]
        addresses = {kind: list(cluster.get(kind, [])) for kind in KINDS}
        kind, index = task["type"], int(task["index"])
        others = sorted(set(cluster) - set(KINDS))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _fault("does not say which hosts there are and which of them this is") from error
    if others:
        raise _fault(f"lists {', '.join(others)}, but there may be only {' and '.join(KINDS)}")
    every = [address for kind in KINDS for address in addresses[kind]]
    if not every or not all(isinstance(address, str) for address in every):
        raise _fault("lists no hosts")
    twice = sorted({address for address in every if every.count(address) > 1})
    if twice:
        raise _fault(f"names {', '.join(twice)} twice")
    if kind not in KINDS or not 0 <= index < len(addresses[kind]):
        raise _fault(f"says that this is {kind} {index}, which it does not list")
    return Hosts(tuple(every), index + (len(addresses["chief"]) if kind == "worker" else 0))


def _fault(what: str) -> InputError:
    return InputError(f"--strategy=multiworker: {VARIABLE} {what}; set it on every host, such as {EXAMPLE}")
