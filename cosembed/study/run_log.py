"""Keeps the log of an experiment's folder, whose file is also the lock that keeps a second run out.

This module knows no experiment.
"""

from __future__ import annotations

import logging as python_logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from absl import logging

from cosembed.errors import OutputError
from cosembed.files.writing import lock


@contextmanager
def run_log(folder: Path) -> Iterator[None]:
    """Logs to `folder/log.txt` as well, which no other run has open at the same time.

    Raises:
        OutputError: Another run, still alive, writes to the folder.
        OSError: The log cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    handler = _LogFile(folder / "log.txt", encoding="utf-8")
    assert handler.stream is not None
    handler.setFormatter(python_logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger = logging.get_absl_logger()
    try:
        free = lock(handler.stream.fileno())
        if free is False:
            raise OutputError(
                f"{folder}: another run is writing to it; wait for its end, or choose another --out_dir or "
                "--name for this one"
            )
        logger.addHandler(handler)
        logging.set_verbosity(logging.INFO)
        logging.get_absl_handler().setFormatter(python_logging.Formatter("%(message)s"))
        if free is None:
            logging.warning(
                "%s: its file system has no locks; see to it that no two runs write to it at a time", folder
            )
        yield
    finally:
        logger.removeHandler(handler)
        handler.close()


class _LogFile(python_logging.FileHandler):
    """Ends the run when it cannot be written, instead of a traceback for every line."""

    def handleError(self, record: python_logging.LogRecord) -> None:  # noqa: N802
        error = sys.exc_info()[1]
        if not isinstance(error, OSError) or self.stream is None:
            return super().handleError(record)
        error.filename = self.baseFilename
        stream, self.stream = self.stream, None
        # Closing tries to write once more.
        with suppress(OSError):
            stream.close()
        raise error
