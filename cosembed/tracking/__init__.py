"""From embeddings to tracks and their files. Knows no TensorFlow and no images, only embeddings and labels."""

from cosembed.specs import TrackingSpec
from cosembed.tracking.tracker import TrackingResult, finish_tracks, track_embeddings
from cosembed.tracking.writer import write_result

__all__ = ["TrackingResult", "TrackingSpec", "finish_tracks", "track_embeddings", "write_result"]
