"""Makes tracks of embeddings and writes them (paper section 2.3 and appendix; released code).

The steps have these numbers throughout the package:

    1.  The network gives the embeddings of a frame, at unit length (`cosembed.inference`).
    2.  The background embedding is estimated from the first pair of frames and kept for the whole video.
    3.  Pixels near the background embedding are background in every pair.
    4.  The others become points: their embedding and their scaled coordinates.
    5.  HDBSCAN clusters the points of both frames together; noise is background.
    6.  Clusters whose mean embedding is near the background's are dropped.
    7.  Clusters are split into connected components, and small components are dropped.
    8.  Both frames of the first pair start the video.
    9.  Of every later pair, labels in its first frame are matched with those of the video's last frame, which
        is the same image, and the second frame is appended with the labels that this gives. In the authors'
        follow-up, labels are then joined that stitching has split by mistake. With a second look (ours),
        labels of the last frame are separated first where the pair shows several instances.
    10. Labels that lie wholly inside the border are erased, frame by frame.
    11. Labels are numbered from 1, and every track gets its first frame, its last frame and its parent.
    12. Tracks are cut so that every parent ends before its children begin.
    13. Labels are upsampled to the original image.
    14. The track table is repaired to fit the upsampled labels.
    15. Masks and table are written.

In the follow-up, step 13 comes before 10 to 12, which are done in original pixels, and short tracks without a
parent are erased first; step 14 is left out.

A video that is seen in tiles goes through steps 1 to 7 tile by tile, and `merging` puts the instances of a
pair together before step 8; `oversized` judges what is larger than a tile.

Steps 2 to 7 are `cosembed.clustering`; of this room, `tracker` goes through 2 to 12, `stitch` has 8 and 9,
with `false_splits` and `second_look`, `clean_up` 10 to 12 by the rules of `lineage`, `upsample` 13 and
`writer` 14 and 15. The room knows neither the network nor the frames that it saw, only embeddings and labels.
"""

from cosembed.specs import TrackingSpec
from cosembed.tracking.tracker import TrackingResult, finish_tracks, track_embeddings
from cosembed.tracking.writer import CellRow, write_result

__all__ = [
    "CellRow",
    "TrackingResult",
    "TrackingSpec",
    "finish_tracks",
    "track_embeddings",
    "write_result",
]
