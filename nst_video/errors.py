"""The exceptions of nst_video.

Each message says what failed, the value, and what to try. The command line prints it and exits with
1, or 2 for `UsageError`. Any other exception that reaches the caller is a bug.

    NstVideoError
    ├── UsageError            an argument that is not valid
    │   └── MissingExtraError an optional package that is not installed
    ├── StyleError            an unknown style, or a picture that cannot be used as one
    ├── WeightsError          model files
    │   ├── ModelMissingError not on this machine, and downloads are not allowed
    │   ├── DownloadError     no mirror delivered a complete file
    │   └── HashMismatchError a file has another SHA-256 than expected
    ├── EngineError           a network does not run, or its output is not a picture
    │   └── OutOfMemoryError  not enough memory for frames of this size
    ├── SourceError           frames that cannot be read
    └── SinkError             frames that cannot be written
"""


class NstVideoError(Exception):
    """Base of all exceptions of nst_video; the message is written for users."""


class UsageError(NstVideoError):
    """An argument, or a combination of arguments, that is not valid."""


class MissingExtraError(UsageError):
    """A feature needs a package that an extra of nst-video installs."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        """Write the message: what needs which package, and how to install it.

        Args:
            what: the feature, a singular noun that begins the sentence.
            package: the missing package.
            extra: the extra of nst-video that installs it.
        """
        super().__init__(f"{what} needs {package}: run `pip install 'nst-video[{extra}]'`.")


class StyleError(NstVideoError):
    """An unknown style, or a picture that cannot be used as a style."""


class WeightsError(NstVideoError):
    """Model files are missing or damaged, or cannot be downloaded."""


class ModelMissingError(WeightsError):
    """A model's files are not on this machine, and downloads are not allowed."""


class DownloadError(WeightsError):
    """No mirror delivered a complete file."""


class HashMismatchError(WeightsError):
    """The SHA-256 of a model file is not one of the accepted ones."""


class EngineError(NstVideoError):
    """A network cannot run on this machine, or its output is not a picture."""


class OutOfMemoryError(EngineError):
    """There is not enough memory to paint frames of this size."""


class SourceError(NstVideoError):
    """A video, camera or picture cannot be opened, or not read to its end."""


class SinkError(NstVideoError):
    """An output cannot be opened, written or completed."""
