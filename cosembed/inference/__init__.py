"""A trained network at work: frame by frame, over a video into a result folder, and on single images and
heartbeats.
"""
