"""cosembed: instance segmentation and tracking with cosine embeddings and recurrent hourglass networks in TensorFlow 2.

A reproduction of Payer et al., MICCAI 2018 (arXiv 1806.02070). Importing this package does not import TensorFlow.
"""

__version__ = "0.1.0"
