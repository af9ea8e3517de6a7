"""Segments and tracks cells in videos with cosine embeddings and recurrent hourglass networks.

A reproduction of Payer et al., MICCAI 2018 (arXiv 1806.02070). In Python:

    network = cosembed.load_network("runs/demo/test_02")
    video = cosembed.track(frames, network)

Importing this package imports neither TensorFlow nor numpy; a name of `__all__` imports what it needs when it
is first used.
"""

import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.2.0"

if sys.version_info < (3, 11):  # noqa: UP036
    # Whoever installs with pip is told by the package's metadata; this is for a checkout, and for
    # --ignore-requires-python.
    version = ".".join(map(str, sys.version_info[:2]))
    print(
        f"error: cosembed needs Python 3.11, 3.12 or 3.13, this is Python {version}: use another one",
        file=sys.stderr,
    )
    sys.exit(2)

if TYPE_CHECKING:
    from cosembed.inference.networks import Network, load_network
    from cosembed.metrics.ctc import evaluate_ctc
    from cosembed.released import load_released
    from cosembed.simulation.video import simulate_video
    from cosembed.video_job.job import TrackedVideo, track

# Name -> its module, and whether that needs TensorFlow.
_PLACES = {
    "Network": ("cosembed.inference.networks", True),
    "TrackedVideo": ("cosembed.video_job.job", True),
    "evaluate_ctc": ("cosembed.metrics.ctc", False),
    "load_network": ("cosembed.inference.networks", True),
    "load_released": ("cosembed.released", True),
    "simulate_video": ("cosembed.simulation.video", False),
    "track": ("cosembed.video_job.job", True),
}
__all__ = [
    "Network",
    "TrackedVideo",
    "__version__",
    "evaluate_ctc",
    "load_network",
    "load_released",
    "simulate_video",
    "track",
]


# Type checkers know the names of above, and only those.
if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Imports what a public name stands for."""
        if name not in _PLACES:
            raise AttributeError(f"module 'cosembed' has no attribute '{name}'")
        import importlib

        module, needs_tensorflow = _PLACES[name]
        if needs_tensorflow:
            from cosembed.requirements import check_tensorflow

            check_tensorflow()
        value = getattr(importlib.import_module(module), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Lists the public names, whether or not they were used yet."""
        return sorted({*globals(), *__all__})
