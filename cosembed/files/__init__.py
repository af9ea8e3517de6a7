"""Handles any file: writes completely or not at all, reads what anyone may have made, and shows progress.

This room knows no format and nothing of the method.
"""
