"""Holds what a first look at a video has decided. Knows neither network nor frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Choice(NamedTuple):
    """Says how a video is brought to the network.

    Attributes:
        settings: Values that take the place of the network's own; none if it is used as it was trained.
        reason: One sentence for people; empty if there was nothing to choose.
    """

    settings: Mapping[str, Any]
    reason: str

    def as_mapping(self) -> dict[str, Any]:
        """Gives the choice in plain values, from which `from_mapping` makes it again."""
        return {"settings": dict(self.settings), "reason": self.reason}

    @staticmethod
    def from_mapping(values: Mapping[str, Any]) -> Choice:
        """Makes a choice of plain values; raises KeyError or TypeError for others."""
        return Choice(dict(values["settings"]), str(values["reason"]))
