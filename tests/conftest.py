"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # Tests run beside each other, a core each; set before anything imports numpy or TensorFlow.
    for name in ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS"):
        os.environ.setdefault(name, "1")

# A program that a script starts in the background ignores Ctrl-C, and so would those that tests start.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def test_data() -> Path:
    """The folder of real sequences; tests that need it skip, saying so, where it is absent."""
    folder = os.environ.get("COSEMBED_TEST_DATA", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("real sequences are absent: set COSEMBED_TEST_DATA to their folder")
    return Path(folder)
