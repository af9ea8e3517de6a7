"""Simulates images with complete truth: cells, plants, and beating hearts. The room knows no network."""

from cosembed.simulation.video import SimulatedVideo, simulate_video, write_video

__all__ = ["SimulatedVideo", "simulate_video", "write_video"]
