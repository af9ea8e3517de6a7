"""Prepares every frame and every label image alike in training and testing.

This room knows arrays and specs only.
"""
