"""Reads and writes images: TIFF and PNG, pages of stacks, videos whose frames are decoded on access.

This room knows files and arrays; it knows no labels' meaning, no data set and no network.
"""
