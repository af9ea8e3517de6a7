"""Chooses the devices and hosts that share every batch of a training, and lets them agree.

This module knows no network and no loss.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import tensorflow as tf

from cosembed.errors import InputError, TrainingError
from cosembed.files.wording import counted
from cosembed.training.execution import Execution, StrategyChoice
from cosembed.training.hosts import Hosts, read_hosts

# What TensorFlow raises where another host does not answer any more.
LOST = (
    tf.errors.UnavailableError,
    tf.errors.AbortedError,
    tf.errors.CancelledError,
    tf.errors.DeadlineExceededError,
    tf.errors.FailedPreconditionError,
)
# A fact that hosts compare is at most so many bytes long.
FACT_BYTES = 1024


class Replicas:
    """Holds the devices that compute the step together, a replica of the network on each.

    Attributes:
        strategy: TensorFlow's; None where one device computes by itself.
        count: The number of replicas on all hosts.
        hosts: The hosts; None where there is this one only.
    """

    def __init__(self, strategy: tf.distribute.Strategy | None, hosts: Hosts | None) -> None:
        self.strategy = strategy
        self.hosts = hosts
        self.count = strategy.num_replicas_in_sync if strategy else 1
        self._gather = tf.function(self._gather_in_graph, autograph=False)

    @property
    def is_chief(self) -> bool:
        """Whether this process writes checkpoints and history."""
        return self.hosts is None or self.hosts.is_chief

    def scope(self) -> Any:
        """Gives the context in which variables are made, one copy on every replica."""
        return (self.strategy or tf.distribute.get_strategy()).scope()

    def check_batch(self, batch_size: int) -> None:
        """Raises `InputError` unless every replica gets an equal share of a batch."""
        if batch_size % self.count:
            raise InputError(
                f"training.batch_size={batch_size}: cannot be shared equally by {self.count} replicas "
                "(--strategy); choose a multiple of them with --set=training.batch_size=N, or other devices"
            )

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Runs a function on every replica, and returns what it gives on the first one of this host."""
        assert self.strategy is not None
        local_results = self.strategy.experimental_local_results
        results = self.strategy.run(function, arguments)
        return tf.nest.map_structure(lambda value: local_results(value)[0], results)

    def check_agreement(self, facts: Mapping[str, str]) -> None:
        """Raises `InputError` unless the facts are the same on all hosts; names the first that is not."""
        if self.hosts is None:
            return
        for name, fact in facts.items():
            text = np.zeros(FACT_BYTES, np.float32)
            octets = np.frombuffer(fact.encode()[:FACT_BYTES], np.uint8)
            text[: len(octets)] = octets
            by_replica = self._gather(tf.constant(text)).numpy()
            for other in np.unique(by_replica, axis=0):
                if (other != text).any():
                    theirs = bytes(other.astype(np.uint8)).rstrip(b"\0").decode(errors="replace")
                    raise InputError(
                        f"--strategy=multiworker: {name} differs between the hosts ({fact} here, {theirs} "
                        "on another one); make it the same everywhere"
                    )

    def any_host(self, condition: bool) -> bool:
        """Says whether a condition holds on any host; all of them must ask."""
        if self.hosts is None:
            return condition
        return bool(tf.reduce_any(self._gather(tf.constant([float(condition)])) > 0))

    def take_over(self, variables: Sequence[tf.Variable], step: tf.Variable) -> None:
        """Gives the variables and the step of all hosts the values of the chief's."""
        if self.hosts is None:
            return
        shapes = [variable.shape for variable in variables]

        def replace(done: tf.Tensor) -> tf.Tensor:
            own = tf.distribute.get_replica_context().replica_id_in_sync_group
            values = pack([*map(tf.convert_to_tensor, variables), done])
            first = sum_over_replicas(tf.where(tf.equal(own, 0), values, tf.zeros_like(values)))
            *first_values, first_done = unpack(first, [*shapes, []])
            for variable, value in zip(variables, first_values, strict=True):
                # TensorFlow refuses to assign one by one what it keeps equal everywhere.
                tf.raw_ops.AssignVariableOp(resource=variable.handle, value=value)
            return first_done

        in_graph = tf.function(lambda done: self.run(replace, done), autograph=False)
        step.assign(tf.cast(in_graph(tf.cast(step, tf.float32)), tf.int64))

    def _gather_in_graph(self, value: tf.Tensor) -> tf.Tensor:
        """Gathers a vector float32 [N] of every replica: [replicas, N]."""

        def place(value: tf.Tensor) -> tf.Tensor:
            own = tf.distribute.get_replica_context().replica_id_in_sync_group
            return sum_over_replicas(tf.one_hot(own, self.count)[:, None] * value)

        return self.run(place, value)


@functools.cache
def open_replicas(choice: StrategyChoice) -> Replicas:
    """Opens the devices of a strategy, once in a process.

    With `multiworker` this must come before TensorFlow computes anything.

    Raises:
        InputError: TF_CONFIG cannot be used, or TensorFlow cannot listen at this host's address.
    """
    if choice == "none":
        return Replicas(None, None)
    # It would tell of every exchange.
    tf.get_logger().setLevel("WARNING")
    if choice == "mirrored":
        devices = tf.config.list_logical_devices("GPU") or tf.config.list_logical_devices("CPU")
        return Replicas(tf.distribute.MirroredStrategy([device.name for device in devices]), None)
    hosts = read_hosts()
    try:
        return Replicas(tf.distribute.MultiWorkerMirroredStrategy(), hosts)
    except (tf.errors.OpError, RuntimeError, ValueError) as error:
        raise InputError(
            "--strategy=multiworker: the hosts of TF_CONFIG cannot be joined "
            f"({str(error).splitlines()[0]}); see that its addresses are right and free, and start the same "
            "command on every host"
        ) from error


def replicas_of(execution: Execution) -> Replicas:
    """Gives the devices that an execution asks for."""
    return open_replicas(execution.strategy)


def sum_over_replicas(value: tf.Tensor) -> tf.Tensor:
    """Adds up the values of all replicas; called within a replica, by all of them."""
    context = tf.distribute.get_replica_context()
    return context.all_reduce(tf.distribute.ReduceOp.SUM, value)


def pack(tensors: Sequence[tf.Tensor]) -> tf.Tensor:
    """Lays tensors end to end in one vector, which replicas exchange faster than many small ones."""
    return tf.concat([tf.reshape(tensor, [-1]) for tensor in tensors], axis=0)


def unpack(vector: tf.Tensor, shapes: Sequence[Any]) -> list[tf.Tensor]:
    """Undoes `pack`."""
    sizes = [tf.TensorShape(shape).num_elements() for shape in shapes]
    return [tf.reshape(part, shape) for part, shape in zip(tf.split(vector, sizes), shapes, strict=True)]


@contextmanager
def lost_hosts_reported(replicas: Replicas, title: str) -> Iterator[None]:
    """Turns TensorFlow's error about a host that no longer answers into `TrainingError`."""
    try:
        yield
    except LOST as error:
        if replicas.hosts is None:
            raise
        raise TrainingError(
            f"{title}: one of {counted(len(replicas.hosts.addresses), 'host')} no longer answers; start the "
            "same commands on every host again, and training continues at the last checkpoint"
        ) from error
