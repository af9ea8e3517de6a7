"""Gives tracked cells to other programs, and takes them back: GEFF, OME-Zarr labels, TrackMate.

This room knows result folders and the formats of others; it knows no network and not how cells were found.
"""
