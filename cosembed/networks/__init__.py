"""Holds the networks that come with the package, one folder each, and reads and writes such folders.

    card.yaml      what the network is, what it was trained on, what it can do, and what it may be used for
    spec.yaml      the resolved spec it was trained with, and by which videos are tracked
    weights.npz    its weights as float16, by the names of `cosembed.models.named_weights`
    example.npz    a synthetic image and what the network makes of it, by which every machine can be checked

Knows no video and no flags.
"""
