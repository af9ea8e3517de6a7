"""Runs calls as tasks of a Dask cluster: one of this machine (`local:N`), or one that is there (`tcp://...`).

A task is a call of a function of ours with arguments that can be pickled; it is made in a worker process of
the cluster, one at a time. What a task prints comes back when it has ended, what it logs at once. This module
knows not what the tasks do. The package dask.distributed, an optional one, is imported only when a scheduler
is asked for.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import io
import logging as python_logging
import os
import platform
import re
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from absl import logging

from cosembed import __version__
from cosembed.errors import ClusterError, CosembedError

if TYPE_CHECKING:
    from distributed import Client, Future

# Every worker must have the same versions of these, or numbers and pickles may differ.
COMPARED = ("tensorflow", "numpy", "distributed")
_TOPIC = "cosembed"
_GPUS = Path("/proc/driver/nvidia/gpus")


@dataclass(frozen=True)
class Task:
    """Stands for a call in a worker.

    Attributes:
        name: What progress and errors call it; no other task of the run has this name.
        function: A function of a module, which every worker can import.
        arguments: Its arguments, which can be pickled.
        after: The names of tasks that must have ended well before.
    """

    name: str
    function: Callable[..., None]
    arguments: tuple[Any, ...]
    after: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Outcome:
    """Says how a task ended.

    Attributes:
        name: The name of the task.
        printed: What it printed.
        error: What it raised, or a task that it waits for; None if it ended well.
    """

    name: str
    printed: str = ""
    error: CosembedError | OSError | None = None


class Cluster:
    """Holds the connection to a scheduler; `connected` makes it."""

    def __init__(self, client: Client) -> None:
        """Takes a connected client."""
        self._client = client

    @property
    def workers(self) -> int:
        """Returns how many workers there are now, at least 1."""
        return max(1, len(self._client.nthreads()))

    def run(self, tasks: Sequence[Task]) -> Iterator[Outcome]:
        """Starts all tasks and yields the outcome of each when it has ended.

        A task whose worker is killed is started again by another one. If the iteration is left early, tasks
        that have not begun never begin.

        Args:
            tasks: The tasks; those that one waits for come before it.

        Raises:
            ClusterError: A worker cannot be used, or the scheduler is gone.
            Exception: What a task raised that is a fault of ours.
        """
        from distributed import as_completed

        futures: dict[str, Future] = {}
        run = uuid.uuid4().hex
        for task in tasks:
            waited_for = [futures[name] for name in task.after]
            futures[task.name] = self._client.submit(
                _call, task, own_versions(), waited_for, key=f"{task.name}-{run}", pure=False
            )
        names = {future.key: name for name, future in futures.items()}
        try:
            for future in as_completed(futures.values(), loop=self._client.loop):
                yield _outcome(names[future.key], future)
        finally:
            self._client.cancel(list(futures.values()))


@contextmanager
def connected(scheduler: str) -> Iterator[Cluster]:
    """Connects to a scheduler, which is started first if it is one of this machine.

    Args:
        scheduler: `local:N` for N worker processes of this machine, which end with the block; or the address
            of a scheduler, as `tcp://host:port`.

    Raises:
        ClusterError: The package is absent, the text says something else, or the scheduler does not answer.
    """
    with shared_scheduler(scheduler) as address:
        from distributed import Client

        try:
            client = Client(address, set_as_default=False)
        except OSError as error:
            raise ClusterError(
                f"--scheduler={scheduler}: no scheduler answers there; start one with dask scheduler, or "
                "check the address"
            ) from error
        with client:
            client.subscribe_topic(_TOPIC, lambda event: logging.info("%s", event[1]))
            logging.info("the cluster's dashboard: %s", client.dashboard_link)
            yield Cluster(client)


@contextmanager
def shared_scheduler(scheduler: str) -> Iterator[str]:
    """Yields the address of a scheduler, to which several programs may connect; otherwise as `connected`."""
    count = check_scheduler(scheduler)
    if not count:
        yield scheduler
        return
    import dask
    from distributed import Nanny, Scheduler, SpecCluster

    # What its parts tell of their start is of no interest to users.
    python_logging.getLogger("distributed").setLevel(python_logging.WARNING)
    options = {"nthreads": 1, "memory_limit": None, "host": "127.0.0.1"}
    gpus = _gpus()
    workers = {
        number: {
            "cls": Nanny,
            "options": options | {"env": {"CUDA_VISIBLE_DEVICES": gpus[number]} if gpus else {}},
        }
        for number in range(count)
    }
    own_scheduler = {"cls": Scheduler, "options": {"host": "127.0.0.1", "dashboard_address": "127.0.0.1:0"}}
    # Workers may have processes of their own, which make batches, and compute with as many threads as a
    # program that is started alone, so that they compute the same bits. A scheduler may end between two
    # heartbeats of a worker, which calls that an error; what fails a task comes back as its outcome.
    values = {
        "distributed.worker.daemon": False,
        "distributed.nanny.pre-spawn-environ": {"DASK_LOGGING__DISTRIBUTED": "critical"},
    }
    with (
        dask.config.set(values),
        SpecCluster(workers=workers, scheduler=own_scheduler, name="cosembed") as cluster,
    ):
        try:
            yield cluster.scheduler_address
        finally:
            # Nor is what they tell of an end amid their work.
            python_logging.getLogger("distributed").setLevel(python_logging.CRITICAL)


def check_scheduler(scheduler: str) -> int:
    """Checks the text of `--scheduler`.

    Returns:
        The number of workers of this machine; 0 for the address of a scheduler.

    Raises:
        ClusterError: It is neither, the package is absent, or there are fewer GPUs than workers.
    """
    local = re.fullmatch(r"local:([1-9]\d*)", scheduler)
    if not local and not re.fullmatch(r"(tcp|tls|ucx|ws|wss)://[^\s/]+:\d+", scheduler):
        raise ClusterError(
            f"--scheduler={scheduler}: write local:N for N processes of this machine, or the address of a "
            "scheduler, such as tcp://10.0.0.1:8786"
        )
    if importlib.util.find_spec("distributed") is None:
        raise ClusterError(
            f"--scheduler={scheduler}: dask.distributed is not installed; pip install 'cosembed[cluster]'"
        )
    if not local:
        return 0
    count, gpus = int(local[1]), _gpus()
    if gpus and count > len(gpus):
        raise ClusterError(
            f"--scheduler={scheduler}: every worker takes a GPU, of which there are {len(gpus)}; choose "
            f"local:{len(gpus)}, or hide them with CUDA_VISIBLE_DEVICES="
        )
    return count


def own_versions() -> dict[str, str]:
    """Names the versions that must be the same in all processes of a cluster; imports none of them."""
    found = {"cosembed": __version__, "Python": ".".join(platform.python_version_tuple()[:2])}
    for name in COMPARED:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            found[name] = "none"
    return found


def _gpus() -> list[str]:
    """Lists the GPUs that this process may use, as CUDA_VISIBLE_DEVICES names them."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return [name for name in chosen.split(",") if name not in ("", "-1")]
    return [str(number) for number, _ in enumerate(_GPUS.iterdir())] if _GPUS.is_dir() else []


def _call(task: Task, versions: Mapping[str, str], waited_for: Sequence[Outcome]) -> Outcome:
    """Makes a task's call in a worker, unless a task that it waits for failed."""
    from distributed import get_worker

    for outcome in waited_for:
        if outcome.error is not None:
            return Outcome(task.name, error=outcome.error)
    worker, printed = get_worker(), io.StringIO()
    handler = _Forwarding(lambda line: worker.log_event(_TOPIC, f"{task.name}: {line}"))
    logger = logging.get_absl_logger()
    logger.addHandler(handler)
    # The lines are printed where the command was started, and not here, too.
    logger.propagate = False
    logging.set_verbosity(logging.INFO)
    try:
        check_worker(versions, worker.state.nthreads)
        with redirect_stdout(printed):
            task.function(*task.arguments)
    except (CosembedError, OSError) as error:
        return Outcome(task.name, printed.getvalue(), error)
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    return Outcome(task.name, printed.getvalue())


def check_worker(versions: Mapping[str, str], threads: int) -> None:
    """Raises `ClusterError` unless this worker has the versions of the host that asks, and one thread."""
    host, own = socket.gethostname(), own_versions()
    different = [
        f"{name} {own[name]} (not {wanted})" for name, wanted in versions.items() if own[name] != wanted
    ]
    if different:
        raise ClusterError(
            f"the worker on {host} has {', '.join(different)}; install the same versions on all hosts"
        )
    if threads > 1:
        raise ClusterError(
            f"the worker on {host} runs {threads} tasks at a time, which would share a network's memory; "
            "start it with --nthreads 1"
        )


def _outcome(name: str, future: Future) -> Outcome:
    """Takes the outcome of a task that has ended, or says why there is none."""
    from distributed import KilledWorker

    if future.status == "finished":
        outcome: Outcome = future.result()
        if isinstance(outcome.error, ClusterError):
            raise outcome.error
        return outcome
    if future.status != "error":
        raise ClusterError("the scheduler is gone, or dropped a task; run the same command again")
    error = future.exception()
    if isinstance(error, KilledWorker):
        died = "every worker that it was given to died; give workers more memory, or look at their logs"
        return Outcome(name, error=CosembedError(died))
    if isinstance(error, ModuleNotFoundError) or "deserializ" in str(error):
        raise ClusterError(
            f"scheduler or workers cannot take the tasks ({error}); install cosembed, the same version, there"
        ) from error
    raise error


class _Forwarding(python_logging.Handler):
    """Hands log lines on."""

    def __init__(self, hand_on: Callable[[str], None]) -> None:
        super().__init__()
        self._hand_on = hand_on

    def emit(self, record: python_logging.LogRecord) -> None:
        self._hand_on(record.getMessage())
