"""Computes the losses of training from tensors. Knows no network and no data."""

from cosembed.losses.cosine_embedding import cosine_embedding_loss, count_elements, embedding_loss
from cosembed.losses.cross_entropy import count_labelled, cross_entropy_loss
from cosembed.losses.regularization import l2_penalty

__all__ = [
    "cosine_embedding_loss",
    "count_elements",
    "count_labelled",
    "cross_entropy_loss",
    "embedding_loss",
    "l2_penalty",
]
