"""The styles that pages choose from: the library's, and pictures that pages have uploaded.

Names that come from pages are never paths.
"""

import difflib
import hashlib
import json
import threading
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from nst_video.errors import StyleError
from nst_video.frames import Frame, size_of
from nst_video.image.files import save_picture
from nst_video.image.resize import shrink
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.system.paths import data_dir, write_atomically

KEPT = 64
"""Uploaded pictures that are kept, the newest."""

STYLE_PX = 1024
"""Longest side of an uploaded style picture; the style predictor looks at 256 pixels."""

UPLOADED = "upload-"
_MAX_TITLE = 60


class StyleCatalog:
    """Styles by name. Thread-safe.

    Attributes:
        library: where styles come from.
        folder: of the uploaded pictures.
    """

    def __init__(self, library: StyleLibrary | None = None, folder: Path | None = None) -> None:
        """Choose library and folder, by default the user's."""
        self.library = library or StyleLibrary()
        self.folder = folder or data_dir() / "serve" / "styles"
        self._lock = threading.Lock()

    def styles(self) -> list[Style]:
        """Return the library's styles."""
        return self.library.styles()

    def find(self, name: str) -> Style:
        """Return the style of a name.

        Raises:
            StyleError: there is none. A path is never one.
        """
        styles = (*self.styles(), *self._uploads())
        for style in styles:
            if name == style.name:
                return style
        known = [style.name for style in styles]
        near = difflib.get_close_matches(name[:80].lower(), known, n=2)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise StyleError(f"There is no style {name[:80]!r}.{hint}")

    def select(self, names: Sequence[str]) -> tuple[Style, ...]:
        """Return the styles of several names.

        Raises:
            StyleError: one of them is unknown.
        """
        return tuple(self.find(name) for name in names)

    def upload(self, picture: Frame, title: str) -> Style:
        """Keep a picture as a style; the same picture is the same style again.

        Args:
            picture: RGB uint8 (height, width, 3).
            title: for display, such as the name of its file.

        Raises:
            SinkError: it cannot be written.
        """
        width, height = size_of(picture)
        scale = min(1.0, STYLE_PX / max(width, height))
        small = shrink(picture, (max(1, round(width * scale)), max(1, round(height * scale))))
        digest = hashlib.sha256(small.tobytes() + str(small.shape).encode()).hexdigest()
        path = self.folder / f"{UPLOADED}{digest[:12]}.png"
        facts = json.dumps({"title": Path(title).stem[:_MAX_TITLE] or "Picture"}).encode()
        with self._lock:
            self.folder.mkdir(parents=True, exist_ok=True)
            save_picture(path, small, overwrite=True)
            write_atomically(path.with_suffix(".json"), lambda file: file.write(facts))
            for old in self._paths()[:-KEPT]:
                _delete(old)
        return _style(path)

    def adopt(self, name: str) -> Style:
        """Return the style of a name, or make the picture of that path an uploaded style.

        For names that the user of this machine has typed, not those of pages.

        Raises:
            StyleError: neither a style nor a file.
            SourceError: the file is no picture.
        """
        style = self.library.get(name)
        return self.upload(style.load(), style.path.name) if is_upload(style) else style

    def keep(self, name: str, title: str) -> Style:
        """Make an uploaded picture one of the user's styles.

        Raises:
            StyleError: there is no such upload, or the name is taken.
        """
        style = self.find(name)
        if not is_upload(style):
            raise StyleError(f"{style.title} is one of the styles already.")
        return self.library.add(style.path, title or style.title, title=title or style.title)

    def remove(self, name: str) -> None:
        """Delete an uploaded picture or one of the user's styles.

        Raises:
            StyleError: it is neither.
        """
        style = self.find(name)
        if is_upload(style):
            with self._lock:
                _delete(style.path)
        else:
            self.library.remove(style.name)

    def _uploads(self) -> list[Style]:
        return [_style(path) for path in self._paths()]

    def _paths(self) -> list[Path]:
        """Return the uploaded pictures, the oldest first."""
        found = []
        for path in self.folder.glob(f"{UPLOADED}*.png"):
            with suppress(OSError):
                found.append((path.stat().st_mtime_ns, path))
        return [path for _, path in sorted(found)]


def is_upload(style: Style) -> bool:
    """Return whether a style is an uploaded picture."""
    return style.origin == "file"


def _style(path: Path) -> Style:
    title = "Picture"
    with suppress(OSError, ValueError, KeyError):
        title = str(json.loads(path.with_suffix(".json").read_text("utf-8"))["title"])
    return Style(path.stem, path, "file", title)


def _delete(path: Path) -> None:
    for each in (path, path.with_suffix(".json")):
        each.unlink(missing_ok=True)
