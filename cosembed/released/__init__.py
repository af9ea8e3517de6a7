"""The authors' released networks: TensorFlow 1 checkpoints into a `StackedHourglass`.

Knows no video and no tracking.
"""

from cosembed.released.networks import (
    FOLLOW_UP,
    NetworkForm,
    find_released,
    form_overrides,
    import_released,
    is_imported,
    is_released,
    load_imported,
    load_released,
    released_spec,
    source_of,
)

__all__ = [
    "FOLLOW_UP",
    "NetworkForm",
    "find_released",
    "form_overrides",
    "import_released",
    "is_imported",
    "is_released",
    "load_imported",
    "load_released",
    "released_spec",
    "source_of",
]
