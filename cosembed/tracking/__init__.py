"""From embeddings to tracks and their files.

Knows no TensorFlow and no images, only embeddings and labels.
"""

from cosembed.specs import TrackingSpec
from cosembed.tracking.tracker import TrackingResult, finish_tracks, track_embeddings
from cosembed.tracking.writer import CellRow, FinishedVideo, cell_rows, finish_video, write_result

__all__ = [
    "CellRow",
    "FinishedVideo",
    "TrackingResult",
    "TrackingSpec",
    "cell_rows",
    "finish_tracks",
    "finish_video",
    "track_embeddings",
    "write_result",
]
