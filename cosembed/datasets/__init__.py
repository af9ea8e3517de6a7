"""Data sets on disk as annotated videos, heartbeats and plants.

Knows archive layouts, not what is learnt from them.
"""
