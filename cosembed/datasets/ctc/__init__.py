"""Reads, writes and checks the layout of the Cell Tracking Challenge: frames, masks, track tables."""
