"""Fixtures shared by all tests."""

import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings

# Every run has the same examples, so that a failure is one of the change that is tested.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("explore", derandomize=False)
settings.load_profile("fixed")

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
