"""The styles that pages choose from. Names of pages are never paths."""

from collections.abc import Sequence

from nst_video.errors import StyleError
from nst_video.style_library.library import Style, StyleLibrary


class StyleCatalog:
    """The library's styles.

    Attributes:
        library: where styles come from.
    """

    def __init__(self, library: StyleLibrary | None = None) -> None:
        """Choose the library, by default the user's."""
        self.library = library or StyleLibrary()

    def styles(self) -> list[Style]:
        """Return all styles."""
        return self.library.styles()

    def find(self, name: str) -> Style:
        """Return the style of a name.

        Raises:
            StyleError: there is none. A path is never one.
        """
        for style in self.styles():
            if name == style.name:
                return style
        raise StyleError(f"There is no style {name[:80]!r}.")

    def select(self, names: Sequence[str]) -> tuple[Style, ...]:
        """Return the styles of several names.

        Raises:
            StyleError: one of them is unknown.
        """
        return tuple(self.find(name) for name in names)
