"""Turns numerical Python into machine code with numba; knows nothing of what the code computes.

What was compiled is kept on the disk, so that only the first process after an installation waits for it.
Nothing may be reordered for speed (no `fastmath`): the same points give the same bits on every machine, and
the distance from one point to another is that of the other to the one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

import numba

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compiles a function of arrays and numbers when it is first called with their types."""
    try:
        return cast(F, numba.njit(cache=True, nogil=True)(function))
    except RuntimeError:
        # Neither the package's folder nor the user's can be written: every process compiles for itself.
        return cast(F, numba.njit(nogil=True)(function))
