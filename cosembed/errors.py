"""The exceptions of cosembed. This module knows nothing else of the package.

Every message names the file (or flag, or key), says what is wrong, and what to do. Command lines turn an
`InputError` into one sentence on stderr and exit status 2; anything else is a fault of ours or of the
machine.
"""


class CosembedError(Exception):
    """Base class of everything cosembed raises on purpose."""


class InputError(CosembedError):
    """The user's input, flags or folders are wrong (exit status 2)."""


class DataError(InputError):
    """A frame, mask, track table or data folder cannot be used."""


class SpecError(InputError):
    """A spec, profile, recipe or `--set` value is unknown or out of range."""


class CheckpointError(InputError):
    """A checkpoint is missing, unreadable, or belongs to another network."""


class OutputError(InputError):
    """The output folder cannot be written, or holds something of the user's."""


class TrainingError(CosembedError):
    """Training cannot go on (a loss that is not finite); exit status 1."""


class ClusterError(InputError):
    """A scheduler does not answer, or the processes of its cluster cannot be used."""
