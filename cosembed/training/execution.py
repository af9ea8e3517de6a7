"""Says how a training run computes, beside what it computes. Knows no network and imports no TensorFlow."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

CompilerChoice = Literal["auto", "on", "off"]
COMPILER_CHOICES: tuple[CompilerChoice, ...] = get_args(CompilerChoice)
StrategyChoice = Literal["none", "mirrored", "multiworker"]
STRATEGY_CHOICES: tuple[StrategyChoice, ...] = get_args(StrategyChoice)


@dataclass(frozen=True)
class Execution:
    """Trades precision or time; the loss is the same but for rounding.

    Attributes:
        mixed_precision: Convolutions in bfloat16, which needs no loss scaling; weights, embeddings, norms and
            loss in float32.
        recompute: The intermediates of a hourglass are computed again for its gradient instead of kept: less
            memory, more time.
        xla: Whether XLA compiles the training step: on, off, or auto, which is on with a GPU.
        strategy: Which devices share a batch: one (none), all of this host (mirrored), or all of the hosts
            that TF_CONFIG lists (multiworker).
    """

    mixed_precision: bool = False
    recompute: bool = False
    xla: CompilerChoice = "auto"
    strategy: StrategyChoice = "none"


DEFAULT = Execution()
