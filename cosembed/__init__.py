"""cosembed: instance segmentation and tracking with cosine embeddings and recurrent hourglass networks in TensorFlow 2.

A reproduction of Payer et al., MICCAI 2018 (arXiv 1806.02070). Importing this package does not import TensorFlow.
"""

import sys

__version__ = "0.1.0"

if sys.version_info < (3, 11):  # noqa: UP036
    # Whoever installs with pip is told by the package's metadata; this is for a checkout, and for --ignore-requires-python.
    version = ".".join(map(str, sys.version_info[:2]))
    print(
        f"error: cosembed needs Python 3.11, 3.12 or 3.13, this is Python {version}: use another one",
        file=sys.stderr,
    )
    sys.exit(2)
