"""The report of a tracked video draws what can be told apart."""

import io

from PIL import Image

from cosembed.datasets.ctc.track_table import Track
from cosembed.video_job import video_report


def test_a_large_tree_shows_the_longest_tracks_with_their_ancestors():
    tracks = [Track(1, 0, 0, 0)] + [Track(label, 1, 1 + label % 7, 1) for label in range(2, 900)]
    picture, caption = video_report.draw_lineage(tracks, 10)
    assert caption.startswith(f"The {video_report.MOST_TRACKS} longest of 899 tracks")
    assert Image.open(io.BytesIO(picture)).size[1] < 3000
    assert video_report.draw_lineage(tracks[:5], 10)[1] == "5 tracks."
