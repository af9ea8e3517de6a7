"""A few hundred hostile files; `make fuzz` throws thousands, at the readers that need TensorFlow, too."""

import subprocess
import sys

import pytest

from tests.helpers.builders import ROOT

KINDS = (
    *("tiff", "png", "leaf", "nifti", "dicom", "hdf5", "tracks", "spec", "record"),
    pytest.param("zip", marks=pytest.mark.slow),
)


@pytest.mark.parametrize("kind", KINDS)
def test_hostile_files_are_refused_in_a_sentence_or_read_as_they_are(kind):
    command = [sys.executable, "-m", "tests.robustness.fuzz", f"--kind={kind}", "--inputs=30"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout.splitlines()[-1].split()[1]) >= 30
