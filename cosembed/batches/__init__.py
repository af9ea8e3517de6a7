"""Makes what a training step reads: clips of videos, their instance masks, and the tf.data pipeline."""
