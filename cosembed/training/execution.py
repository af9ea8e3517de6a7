"""Says how a training run computes, beside what it computes. Knows no network and imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Execution:
    """Trades precision or time; the loss is the same but for rounding.

    Attributes:
        mixed_precision: Convolutions in bfloat16, which needs no loss scaling; weights, embeddings, norms and
            loss in float32.
        recompute: The intermediates of a hourglass are computed again for its gradient instead of kept: less
            memory, more time.
    """

    mixed_precision: bool = False
    recompute: bool = False


DEFAULT = Execution()
