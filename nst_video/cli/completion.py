"""What the shell offers for the values of options; nothing heavy is imported for it."""

from collections.abc import Callable, Iterable

from nst_video.system import paths

Complete = Callable[[str], list[str]]

ENGINE_NAMES = (
    *("auto", "openvino", "openvino-fast", "openvino-gpu", "openvino-npu"),
    "tensorflow",
)
"""The names of `engines.ENGINES` that are of use; to import those takes long."""

ENCODER_PRESETS = (
    *("ultrafast", "superfast", "veryfast", "faster", "fast", "medium"),
    *("slow", "slower", "veryslow"),
)
"""Of x264 and x265; the other encoders take numbers."""


def among(names: Iterable[str]) -> Complete:
    """Return a function that completes to these names."""
    known = tuple(names)

    def complete(incomplete: str) -> list[str]:
        return [name for name in known if name.startswith(incomplete)]

    return complete


def styles(incomplete: str) -> list[str]:
    """Return the styles, packaged and the user's, whose names begin so.

    Nothing for a path: shells then offer files.
    """
    found: set[str] = set()
    for folder in (paths.packaged_styles_dir(), paths.user_styles_dir()):
        try:
            found |= {
                path.stem
                for path in folder.iterdir()
                if path.suffix.lower() in paths.PICTURE_SUFFIXES and path.name[0] != "."
            }
        except OSError:  # absent, or not to be read: nothing to offer
            continue
    return among(sorted(found))(incomplete)


def models(incomplete: str) -> list[str]:
    """Return "auto" and the models that paint whose names begin so."""
    from nst_video.weights.table import MODELS

    return among(("auto", *MODELS))(incomplete)


def model_files(incomplete: str) -> list[str]:
    """Return all models, those that judge paintings, too, whose names begin so."""
    from nst_video.weights.table import ALL_MODELS

    return among(ALL_MODELS)(incomplete)
