"""Makes the graph of one optimisation step, on one device or shared by several. Knows no files."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import tensorflow as tf

from cosembed.losses import l2_penalty
from cosembed.models import StackedHourglass, named_weights
from cosembed.specs import TrainedSpec
from cosembed.training.devices import compiles
from cosembed.training.execution import DEFAULT, Execution
from cosembed.training.objectives import Batch, TrainingObjective, make_objective
from cosembed.training.optimizers import Optimizer
from cosembed.training.replicas import Replicas, pack, replicas_of, sum_over_replicas, unpack

# (loss with L2 term, the task's loss, whether all is finite)
Outcome = tuple[tf.Tensor, tf.Tensor, tf.Tensor]


def make_train_step(
    spec: TrainedSpec, model: StackedHourglass, optimizer: Optimizer, execution: Execution = DEFAULT
) -> Any:
    """Makes the graph of one optimisation step.

    It is a function (batch, 0-based step) -> (loss with L2 term, the task's loss, whether all is finite).
    Weights change only if the loss and all gradients are finite. Clips of any number of frames share one
    trace. Of `execution` only compiler and strategy are used: XLA compiles the trace anew for every shape of
    a batch that it has not met. With a strategy, the model's and the optimizer's variables must have been
    made in its scope, and every replica computes its share of the batch.
    """
    objective, variables = make_objective(spec), list(named_weights(model).values())
    signature = [objective.signature, tf.TensorSpec([], tf.int64)]
    decay, compiled = spec.training.weight_decay, compiles(execution.xla) or None
    replicas = replicas_of(execution)

    # Nothing here is Python control flow over tensors; translating it would cost a quarter of the time to the
    # first step.
    @tf.function(input_signature=signature, autograph=False, jit_compile=compiled)
    def train_step(batch: Batch, step: tf.Tensor) -> Outcome:
        with tf.GradientTape() as tape:
            task_loss = objective.loss(model(batch["image"], training=True), batch, None)
            loss = task_loss + l2_penalty(variables, decay)
        return _apply(optimizer, tape.gradient(loss, variables), loss, task_loss, step)

    # Replicas exchange their sums between what XLA compiles, not within it.
    @tf.function(autograph=False, jit_compile=compiled)
    def differentiate(share: Batch, counts: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            task_loss = objective.loss(model(share["image"], training=True), share, counts)
            loss = task_loss + l2_penalty(variables, decay) / replicas.count
        return pack([*tape.gradient(loss, variables), loss, task_loss])

    def replica_step(batch: Batch, step: tf.Tensor) -> Outcome:
        share = _own_share(batch, replicas)
        sums = sum_over_replicas(differentiate(share, _whole_counts(objective, share)))
        *gradients, loss, task_loss = unpack(sums, [*(variable.shape for variable in variables), [], []])
        return _apply(optimizer, gradients, loss, task_loss, step)

    @tf.function(input_signature=signature, autograph=False)
    def shared_train_step(batch: Batch, step: tf.Tensor) -> Outcome:
        return replicas.run(replica_step, batch, step)

    return train_step if replicas.strategy is None else shared_train_step


def _apply(
    optimizer: Optimizer,
    gradients: Sequence[tf.Tensor],
    loss: tf.Tensor,
    task_loss: tf.Tensor,
    step: tf.Tensor,
) -> Outcome:
    """Changes the weights if the loss and all gradients are finite."""
    finite = tf.math.is_finite(loss) & tf.math.is_finite(tf.linalg.global_norm(gradients))
    tf.cond(finite, lambda: optimizer.apply(gradients, step), lambda: None)
    return loss, task_loss, finite


def _own_share(batch: Batch, replicas: Replicas) -> Batch:
    """Takes this replica's equal share of the clips of a batch."""
    size = tf.shape(batch["image"])[0] // replicas.count
    begin = size * tf.distribute.get_replica_context().replica_id_in_sync_group
    return {name: tensor[begin : begin + size] for name, tensor in batch.items()}


def _whole_counts(objective: TrainingObjective, share: Batch) -> tf.Tensor:
    """Counts what the loss takes its means of, in the whole batch of which this is a share."""
    return sum_over_replicas(objective.count(share))
