"""The layout of the Cell Tracking Challenge: reading, merging and linking truth, track tables, validation."""
