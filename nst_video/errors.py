"""Everything that nst_video raises on purpose.

One sentence each: what failed, the value, what to try. The command line prints the message and
exits with 1 (2 for `UsageError`); anything else that escapes is a bug.

    NstVideoError
    ├── UsageError            an argument that cannot mean anything
    │   └── MissingExtraError a part of nst-video that is not installed
    ├── StyleError            a style that is unknown, or a picture that cannot be one
    ├── WeightsError          model files
    │   ├── ModelMissingError not on this machine, and not to be fetched now
    │   ├── DownloadError     no mirror delivered
    │   └── HashMismatchError a file is not what it claims to be
    ├── EngineError           a network that does not run, or paints nonsense
    │   └── OutOfMemoryError  it would run on smaller frames
    ├── SourceError           frames that cannot be read
    └── SinkError             frames that cannot be written
"""


class NstVideoError(Exception):
    """Base of all errors raised on purpose; its text is fit for a user's eyes."""


class UsageError(NstVideoError):
    """An argument, alone or together with another, that cannot mean anything."""


class MissingExtraError(UsageError):
    """What was asked for takes a package that is installed with an extra of nst-video."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        """Say what needs which package, and how to install it.

        Args:
            what: begins the sentence, in the singular.
            package: that is not there.
            extra: of nst-video, which has it.
        """
        super().__init__(f"{what} needs {package}: run `pip install 'nst-video[{extra}]'`.")


class StyleError(NstVideoError):
    """A style that is unknown, or a picture that cannot serve as one."""


class WeightsError(NstVideoError):
    """Model files that are missing, broken or cannot be fetched."""


class ModelMissingError(WeightsError):
    """A model's files are not on this machine, and downloading was not asked for."""


class DownloadError(WeightsError):
    """No mirror delivered a complete file."""


class HashMismatchError(WeightsError):
    """A model file's SHA-256 is none of the accepted ones."""


class EngineError(NstVideoError):
    """A network that cannot be run on this machine, or whose output is not a picture."""


class OutOfMemoryError(EngineError):
    """Memory that is too little for the frames to be painted."""


class SourceError(NstVideoError):
    """A video, camera or picture that cannot be opened or read to its end."""


class SinkError(NstVideoError):
    """An output that cannot be opened, written or finished."""
