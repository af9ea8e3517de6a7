"""What rivals are compared on is made once, and made again when anything that it was made from changes."""

import numpy as np
import pytest
import tifffile

from benchmarks.rivals_videos import prepare_video
from cosembed.datasets.ctc.track_table import read_tracks
from cosembed.datasets.ctc.validation import check_result
from cosembed.inference.networks import load_network
from cosembed.study.protocols import VideoRange
from tests.baselines.test_tuning import TRACKS, drifting_discs
from tests.helpers.builders import small_spec, untrained_run, write_ctc

MADE = ("01_RES", "01_baseline_RES", "baseline_values.json")


@pytest.fixture(scope="module")
def network(tmp_path_factory):
    spec = small_spec("network.levels=2", "network.image_size=24", "tracking.min_points=12")
    return load_network(untrained_run(tmp_path_factory.mktemp("run") / "net", spec))


def test_results_are_kept_until_what_made_them_changes(tmp_path, network):
    frames, labels = drifting_discs()
    write_ctc(tmp_path, frames, labels, TRACKS)
    video, tuned_on = VideoRange(tmp_path, "01", 1, 3), VideoRange(tmp_path, "01", 0, 2)

    def prepared(video: VideoRange, tuned_on: VideoRange | None) -> list[int]:
        """Prepares the video; gives when each thing was made."""
        found = prepare_video(network, video, tuned_on, tmp_path / "out")
        assert found.result == tmp_path / "out/01_RES" and found.truth == tmp_path / "out/01_GT"
        for result in (found.result, *([found.baseline] if found.baseline else [])):
            assert not [fault for fault in check_result(result) if not fault.warning]
            assert len(list(result.glob("mask*.tif"))) == video.end - video.begin
        return [(tmp_path / "out" / name).stat().st_mtime_ns for name in MADE]

    first = prepared(video, tuned_on)
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "out/01_GT/TRA/man_track000.tif"), labels[1])
    assert {track.begin for track in read_tracks(tmp_path / "out/01_GT/TRA/man_track.txt")} == {0}
    assert prepared(video, tuned_on) == first
    assert prepared(video, None) == first

    other_frames = prepared(VideoRange(tmp_path, "01", 0, 3), tuned_on)
    assert other_frames[0] != first[0] and other_frames[1] != first[1] and other_frames[2] == first[2]

    other_tuning = prepared(VideoRange(tmp_path, "01", 0, 3), VideoRange(tmp_path, "01", 0, 3))
    assert other_tuning[0] == other_frames[0]
    assert other_tuning[1] != other_frames[1] and other_tuning[2] != other_frames[2]

    tifffile.imwrite(tmp_path / "01/t001.tif", frames[1] + 1)
    assert all(now != then for now, then in zip(prepared(video, tuned_on), other_tuning, strict=True))
