"""Training: optimizer, loop, checkpoints, run folder."""
