"""Hostile files for every reader: seeded generators of damaged input, and an oracle of what a reader may do with them.

`python -m tests.robustness.fuzz --inputs=10000` is the nightly campaign, `python -m tests.robustness.fuzz --kind=tiff --seed=123` one input again.
"""
