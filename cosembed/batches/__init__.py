"""What a training step reads: clips drawn from annotated videos, their instance masks, and the tf.data
pipeline.
"""
