"""Reads data sets on disk as annotated videos, heart slices and plants.

This room knows the layouts of archives, not what is learnt from them.
"""
