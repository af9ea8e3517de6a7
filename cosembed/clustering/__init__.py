"""From embeddings of overlapping frames to instances."""

from cosembed.clustering.pairs import background_embedding as background_embedding
from cosembed.clustering.pairs import chosen_mode as chosen_mode
from cosembed.clustering.pairs import cluster_pair as cluster_pair
from cosembed.clustering.pairs import describe_clustering as describe_clustering
from cosembed.clustering.pairs import foreground_points as foreground_points
from cosembed.clustering.pairs import grid_stride as grid_stride
from cosembed.clustering.pairs import instances as instances
from cosembed.clustering.points import cluster_points as cluster_points
