"""The benchmark of the doubt about a network runs, and counts every video once."""

import numpy as np
import tifffile

from benchmarks.fitness import noise
from tests.helpers.builders import moving_squares, run_command, small_spec, untrained_run

SPEC = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")


def test_it_prints_every_video_and_both_rates(tmp_path):
    run = untrained_run(tmp_path / "net", SPEC)
    tifffile.imwrite(tmp_path / "video.tif", np.asarray(moving_squares(4)[0]), photometric="minisblack")
    done = run_command(
        "benchmarks.fitness", f"--network={run}", f"--suits={tmp_path / 'video.tif'}", "--frames=3",
        f"--other={tmp_path / 'video.tif'}",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split() == ["video", "undecided", "strays", "spread", "doubt"] and len(lines) == 10
    suiting, others = lines[1:3], lines[3:8]
    assert lines[-2] == f"false alarms: {sum('yes, wrong' in line for line in suiting)} of 2"
    assert lines[-1] == f"misses: {sum('no, wrong' in line for line in others)} of 5"
    assert not any("no, wrong" in line for line in suiting) and not any(
        "yes, wrong" in line for line in others
    )


def test_noise_is_seeded():
    for (name, first), (_, again), (_, other) in zip(
        noise((2, 30, 30), 1), noise((2, 30, 30), 1), noise((2, 30, 30), 2), strict=True
    ):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any(), name
