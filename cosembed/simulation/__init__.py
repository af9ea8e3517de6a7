"""Simulated cell videos with complete truth. Knows no network."""

from cosembed.simulation.video import Video, simulate_video, write_video

__all__ = ["Video", "simulate_video", "write_video"]
