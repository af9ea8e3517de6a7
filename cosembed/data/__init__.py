"""From files to training clips: readers, preprocessing, instances, and the tf.data pipeline."""
