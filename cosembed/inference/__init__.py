"""Puts a trained network to work: frame by frame, over a video, and on single images and heartbeats."""
