"""Reads and writes images: TIFF and PNG; opens videos, also of OME-Zarr, ND2 and CZI, frame by frame.

This room knows files and arrays; it knows no labels' meaning, no data set and no network.
"""
