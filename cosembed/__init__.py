"""Segments and tracks cells in videos: cosine embeddings and recurrent hourglass networks in TensorFlow 2.

A reproduction of Payer et al., MICCAI 2018 (arXiv 1806.02070). What is listed below is imported when it is
first used, so that importing this package imports neither TensorFlow nor numpy.

    network = cosembed.load_network("runs/demo/test_02")
    video = cosembed.track(frames, network)
"""

import sys
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if sys.version_info < (3, 11):  # noqa: UP036
    # Whoever installs with pip is told by the package's metadata; this is for a checkout.
    version = ".".join(map(str, sys.version_info[:2]))
    print(
        f"error: cosembed needs Python 3.11, 3.12 or 3.13, this is Python {version}: use another one",
        file=sys.stderr,
    )
    sys.exit(2)

if TYPE_CHECKING:
    from cosembed.metrics import evaluate_ctc
    from cosembed.released import load_released
    from cosembed.simulation import simulate_video
    from cosembed.video_job.network import TrackingNetwork, load_network
    from cosembed.video_job.tracked_video import TrackedVideo, track

__all__ = [
    "TrackedVideo",
    "TrackingNetwork",
    "__version__",
    "evaluate_ctc",
    "load_network",
    "load_released",
    "simulate_video",
    "track",
]

_WITH_TENSORFLOW = {
    "TrackedVideo": "cosembed.video_job.tracked_video",
    "TrackingNetwork": "cosembed.video_job.network",
    "load_network": "cosembed.video_job.network",
    "load_released": "cosembed.released",
    "track": "cosembed.video_job.tracked_video",
}
_WITHOUT_TENSORFLOW = {"evaluate_ctc": "cosembed.metrics", "simulate_video": "cosembed.simulation"}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """Imports what is asked for (PEP 562)."""
        module = (_WITH_TENSORFLOW | _WITHOUT_TENSORFLOW).get(name)
        if module is None:
            raise AttributeError(f"module 'cosembed' has no attribute '{name}'")
        if name in _WITH_TENSORFLOW:
            from cosembed.requirements import check_tensorflow

            check_tensorflow()
        from importlib import import_module

        value = getattr(import_module(module), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """Lists what can be asked for, whether or not it has been imported."""
        return sorted({*globals(), *__all__})
