"""Timings and baselines that results are put beside; nothing in cosembed imports them."""
