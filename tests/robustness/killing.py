"""Kills a step at every moment between two changes of the file system, then starts it again.

    python tests/robustness/killing.py STEP FOLDER [EVERY]

Prints how many moments there were, and exits with 1 at the first one after which something half-written was
in sight, the step could not be started again, or the outcome was another than that of an undisturbed run.
Every attempt is a forked process that kills itself (SIGKILL), so that what a step needs is imported once
only.
"""

import os
import signal
import sys
import traceback
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

CHANGES = {
    "os.rename",
    "os.mkdir",
    "os.remove",
    "os.rmdir",
    "os.truncate",
    "os.link",
    "os.symlink",
    "fcntl.flock",
}


class Step(NamedTuple):
    """What is run in a folder, and the folders in it that are to be there as a whole or not at all."""

    run: Callable[[Path], None]
    units: tuple[str, ...]


def die_at(moment: int) -> None:
    """Has this process killed at its `moment`-th change of the file system, counted from 0.

    A file that is opened for writing counts twice: before, and when it is there but empty.
    """
    passed, busy = 0, False

    def hook(event: str, arguments: tuple) -> None:
        nonlocal passed, busy
        if busy or not (event in CHANGES or (event == "open" and opens_for_writing(*arguments))):
            return
        if passed == moment:
            os.kill(os.getpid(), signal.SIGKILL)
        passed += 1
        if event == "open":
            if passed == moment:
                busy = True
                os.close(os.open(arguments[0], arguments[2], 0o666))
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1

    sys.addaudithook(hook)


def opens_for_writing(path: object, _: object, flags: int) -> bool:
    return not isinstance(path, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))


def attempt(run: Callable[[Path], None], folder: Path, moment: int | None = None) -> bool:
    """Whether a process of its own came to the end of the step; not if it was killed on the way."""
    child = os.fork()
    if child == 0:
        try:
            if moment is not None:
                die_at(moment)
            run(folder)
            os._exit(0)
        except BaseException:
            traceback.print_exc()
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (0, -signal.SIGKILL), f"moment {moment}: {folder}: exit status {status}"
    return status == 0


def tree(folder: Path, hidden: bool = True) -> dict[str, str]:
    """Path -> sha256 of all files, and of empty folders; without what is in hidden ones unless `hidden`."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if hidden or not any(part.startswith(".") for part in name.parts):
            if path.is_file():
                found[str(name)] = sha256(path.read_bytes()).hexdigest()
            elif not any(path.iterdir()):
                found[str(name)] = "empty folder"
    return found


def kill_everywhere(step: Step, folder: Path, every: int) -> int:
    """Kills the step at every `every`-th moment until it comes to its end.

    Returns the moment that was never reached.
    """
    assert attempt(step.run, folder / "undisturbed")
    whole = tree(folder / "undisturbed")
    moment = 0
    while True:
        place = folder / f"killed_{moment}"
        if attempt(step.run, place, moment):
            return moment
        in_sight = {
            name: digest for name, digest in tree(place, hidden=False).items() if digest != "empty folder"
        }
        torn = sorted(name for name, digest in in_sight.items() if whole.get(name) != digest)
        assert not torn, f"moment {moment}: half-written: {torn}"
        for unit in step.units:
            assert not (place / unit).exists() or tree(place / unit) == tree(folder / "undisturbed" / unit), (
                f"moment {moment}: incomplete: {unit}"
            )
        assert attempt(step.run, place), f"moment {moment}: cannot be started again"
        assert tree(place) == whole, (
            f"moment {moment}: {sorted(set(tree(place).items()) ^ set(whole.items()))}"
        )
        moment += every


def main(name: str, folder: str, every: str = "1") -> None:
    from tests.robustness.killed_steps import STEPS

    # Kill -9 loses nothing that is written, as a power cut may: to wait for the disk would prove nothing
    # here.
    os.fsync = lambda _: None
    print(kill_everywhere(STEPS[name](), Path(folder), int(every)))


if __name__ == "__main__":
    main(*sys.argv[1:])
