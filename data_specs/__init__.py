"""Data set specs: one YAML file per data set, read by `cosembed.specs`."""
