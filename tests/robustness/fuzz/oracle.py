"""Runs one hostile input and judges what the reader did with it. A reader that hangs ends the process."""

from __future__ import annotations

import faulthandler
import gc
import importlib
import os
import resource
import shutil
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.testing

from cosembed.errors import InputError
from tests.robustness.fuzz.case import Case

MAX_SECONDS = 10
MAX_BYTES = 2 * 10**9
LONGEST_MESSAGE = 2000
# Kind of input -> its generator, and its share of a campaign; those with a small one need TensorFlow.
KINDS = {
    "tiff": ("tiffs:tiff_case", 25),
    "png": ("pngs:png_case", 12),
    "leaf": ("pngs:leaf_case", 8),
    "nifti": ("volumes:nifti_case", 12),
    "dicom": ("volumes:dicom_case", 6),
    "hdf5": ("hdf5:hdf5_case", 8),
    "tracks": ("texts:tracks_case", 8),
    "spec": ("texts:spec_case", 8),
    "record": ("texts:record_case", 5),
    "zip": ("archives:zip_case", 8),
    "history": ("runs:history_case", 4),
    "released": ("runs:released_case", 4),
    "run": ("runs:run_case", 2),
    "network": ("runs:network_case", 2),
}
_RUNS_CODE = ("os.system", "os.exec", "os.posix_spawn", "os.spawn", "subprocess.Popen", "pickle.find_class")
_code_run: list[str] = []


class Outcome(NamedTuple):
    """What became of an input: `refused`, `accepted`, or a fault, with the reader's message or what was wrong."""

    verdict: str
    text: str


def watch_code() -> None:
    """From now on, what starts programs or unpickles is noticed."""
    sys.addaudithook(lambda event, _: _code_run.append(event) if event in _RUNS_CODE else None)


def run_input(kind: str, seed: int, keep: Path | None = None) -> Outcome:
    """Makes the input `seed` of a kind, reads it, and judges the outcome.

    Args:
        kind: A key of `KINDS`.
        seed: Everything about the input follows from it and the kind.
        keep: An absent folder in which the input stays, to be looked at.
    """
    module, _, name = KINDS[kind][0].partition(":")
    generate = getattr(importlib.import_module(f"tests.robustness.fuzz.{module}"), name)
    root = keep or Path(tempfile.mkdtemp(prefix="cosembed-fuzz-"))
    # Deep enough that ../../.. stays in what is looked at.
    box = root / "a" / "b" / "c" / "box"
    box.mkdir(parents=True)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                case = generate(np.random.default_rng((zlib.crc32(kind.encode()), seed)), box)
            except Exception as error:
                return Outcome("fault", f"the generator failed: {_where(error)}")
        return _judge(case, root, box)
    finally:
        if keep is None:
            shutil.rmtree(root, ignore_errors=True)


def _judge(case: Case, root: Path, box: Path) -> Outcome:
    before = _listing(root, case.output)
    _code_run.clear()
    gc.collect()
    _reset_peak()
    begin = time.perf_counter()
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        faulthandler.dump_traceback_later(MAX_SECONDS, exit=True)
        try:
            outcome = _read(case, box)
        finally:
            faulthandler.cancel_dump_traceback_later()
    seconds, peak = time.perf_counter() - begin, _peak()
    faults = []
    if _listing(root, case.output) != before:
        faults.append(f"files outside the output changed: {sorted(_listing(root, case.output) ^ before)[:3]}")
    if _code_run:
        faults.append(f"code was run: {_code_run}")
    if peak > MAX_BYTES:
        faults.append(f"{peak / 1e9:.1f} GB of memory")
    if seconds > MAX_SECONDS:
        faults.append(f"{seconds:.0f} s")
    numeric = [str(warning.message) for warning in warned if issubclass(warning.category, RuntimeWarning)]
    if numeric:
        faults.append(f"warned: {numeric[0]}")
    return Outcome("fault", "; ".join([*faults, outcome.text])) if faults else outcome


def _read(case: Case, box: Path) -> Outcome:
    try:
        result = case.read()
    except InputError as error:
        return _judge_refusal(error, box)
    except BaseException as error:
        return Outcome("fault", _where(error))
    if case.refuse:
        return Outcome("fault", f"accepted, though {case.refuse}")
    try:
        case.check(result)
    except Exception as error:
        return Outcome("fault", f"a wrong answer: {_where(error)}")
    return Outcome("accepted", "")


def _judge_refusal(error: InputError, box: Path) -> Outcome:
    message = str(error)
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, MemoryError):
            return Outcome("fault", f"asked for too much memory: {message}")
        cause = cause.__cause__
    if "\n" in message or len(message) > LONGEST_MESSAGE:
        return Outcome("fault", f"not one sentence: {message[:500]!r}")
    if str(box) not in message and not message.startswith("--set"):
        return Outcome("fault", f"names no file: {message}")
    return Outcome("refused", message)


def _where(error: BaseException) -> str:
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {str(error)[:300]} ({Path(last.filename).name}, line {last.lineno})"


def _listing(root: Path, output: Path | None) -> set[tuple[str, int, int]]:
    """Every entry but those of the output folder, with its size and time of change."""
    found = set()
    for folder, folders, files in os.walk(root):
        for name in [*folders, *files]:
            path = Path(folder) / name
            if path == output or (output is not None and output in path.parents):
                continue
            status = path.lstat()
            if not path.is_dir() or path.is_symlink():
                found.add((str(path), status.st_size, status.st_mtime_ns))
    return found


def limit_memory() -> None:
    """Lets an allocation far beyond the limit fail, before the machine suffers."""
    limit = _status("VmData") + MAX_BYTES
    resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))


def _reset_peak() -> None:
    Path("/proc/self/clear_refs").write_text("5")


def _peak() -> int:
    return _status("VmHWM")


def _status(field: str) -> int:
    lines: list[Any] = Path("/proc/self/status").read_text().splitlines()
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field + ":"))
