"""Simulates images with complete truth: videos of cells, and plants. The room knows no network."""

from cosembed.simulation.video import SimulatedVideo, simulate_video, write_video

__all__ = ["SimulatedVideo", "simulate_video", "write_video"]
