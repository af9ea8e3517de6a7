"""Tells a file that is damaged from one that a newer version of the package wrote. Knows no format."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from cosembed import __version__
from cosembed.errors import CheckpointError


def refuse_newer(file: Path, version: Any) -> None:
    """Says that a file which cannot be understood is newer than this package, if it is.

    Args:
        file: The file.
        version: The version of the package that wrote it, as far as that is known.

    Raises:
        CheckpointError: The version is higher than that of this package.
    """
    if isinstance(version, str) and _parts(version) > _parts(__version__):
        raise CheckpointError(
            f"{file}: was written by cosembed {version[:20]}, which this version, {__version__}, does not "
            "understand; install the newer one"
        )


def _parts(version: str) -> list[int]:
    return [int(part) for part in re.findall(r"\d{1,9}", version)[:3]]
