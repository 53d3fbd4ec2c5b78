"""Shell completion of option values; imports nothing heavy."""

from collections.abc import Callable, Iterable

from nst_video.system import paths

Complete = Callable[[str], list[str]]

ENGINE_NAMES = (
    *("auto", "openvino", "openvino-fast", "openvino-gpu", "openvino-npu"),
    "tensorflow",
)
"""The names in `engines.ENGINES`, without "identity"; a copy, as importing `engines` is slow."""


def among(names: Iterable[str]) -> Complete:
    """Return a completion function for these names."""
    known = tuple(names)

    def complete(incomplete: str) -> list[str]:
        return [name for name in known if name.startswith(incomplete)]

    return complete


def styles(incomplete: str) -> list[str]:
    """Return the packaged styles, the masters and the user's, whose names start with the text.

    A path matches none, and shells then offer files.
    """
    found: set[str] = set()
    packaged = paths.packaged_styles_dir()
    for folder in (packaged, packaged / paths.MASTERS, paths.user_styles_dir()):
        try:
            found |= {
                path.stem
                for path in folder.iterdir()
                if path.suffix.lower() in paths.PICTURE_SUFFIXES and path.name[0] != "."
            }
        except OSError:  # no such folder, or not readable
            continue
    return among(sorted(found))(incomplete)


def models(incomplete: str) -> list[str]:
    """Return "auto" and the stylizing models whose names start with the text."""
    from nst_video.weights.table import MODELS

    return among(("auto", *MODELS))(incomplete)


def model_files(incomplete: str) -> list[str]:
    """Return all models, loss networks included, whose names start with the text."""
    from nst_video.weights.table import ALL_MODELS

    return among(ALL_MODELS)(incomplete)
