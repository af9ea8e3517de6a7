"""Finds the networks that come with the package, by name. Knows no TensorFlow."""

from __future__ import annotations

import difflib
from pathlib import Path

from cosembed.networks.card import CARD_FILE


def network_names() -> list[str]:
    """Lists the names of the networks that come with the package."""
    return sorted(path.parent.name for path in _folder().glob(f"*/{CARD_FILE}"))


def network_folder(name: str) -> Path | None:
    """Finds the folder of a network that comes with the package; None if there is none of that name."""
    return _folder() / name if name in network_names() else None


def is_network_folder(path: Path) -> bool:
    """Tells whether a folder is one that `cosembed networks export` makes, complete or not."""
    return (path / CARD_FILE).exists() or (path / "weights.npz").exists()


def advice(name: str) -> str:
    """Says which names there are, or which one is nearest, to someone who gave another one."""
    known = network_names()
    lower = {candidate.lower(): candidate for candidate in known}
    nearest = difflib.get_close_matches(name.lower(), lower, n=1, cutoff=0.5)
    return f"did you mean '{lower[nearest[0]]}'?" if nearest else f"there are {', '.join(known)}"


def _folder() -> Path:
    return Path(__file__).parent
