"""Augmentation of clips: `parameters` draws every random number, `spatial` and `intensity` apply them, purely."""
