"""Finds the instances of overlapping frames in their embeddings (paper section 2.3).

`pairs` is what the rest of the package calls: it leaves out the background, whose embedding `background`
chooses, has the remaining pixels clustered, and makes labels of the clusters. `points` clusters points with
HDBSCAN, `condensing` lets most of many points stand for each other. Both go through HDBSCAN's steps:
`density` measures core distances, `spanning_tree` joins the points, `cluster_tree` cuts the tree.
`mean_shift` clusters points as the authors' follow-up does. `search_tree` is what all of them search in, and
`compiling` makes machine code of them. This room knows embeddings and pixels of one pair; `tracking` puts the
pairs of a video together.
"""

from cosembed.clustering.background import background_embedding as background_embedding
from cosembed.clustering.background import choose_background as choose_background
from cosembed.clustering.mean_shift import cluster_by_mean_shift as cluster_by_mean_shift
from cosembed.clustering.pairs import choose_mode as choose_mode
from cosembed.clustering.pairs import cluster_pair as cluster_pair
from cosembed.clustering.pairs import describe_clustering as describe_clustering
from cosembed.clustering.pairs import foreground_points as foreground_points
from cosembed.clustering.pairs import label_instances as label_instances
from cosembed.clustering.points import cluster_points as cluster_points
