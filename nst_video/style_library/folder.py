"""Styles in a folder: one per image or subfolder of images, with metadata from TOML files."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, TypeAlias

from nst_video.errors import SourceError
from nst_video.frames import Frame
from nst_video.image.files import load_picture, open_picture, pictures_in
from nst_video.system.path_lookup import PathKind, look_up, os_reason

Origin: TypeAlias = Literal["packaged", "master", "yours", "file"]

METADATA = "styles.toml"
"""Optional file with a table of metadata for each image; or each image has its own TOML file."""

_MAX_TOML_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Style:
    """A style image, or several of one style, and their metadata.

    Attributes:
        name: what users type; unique in a library.
        path: the image file; the first of several.
        origin: "packaged", "master" for one learned from a famous painting, "yours" for one added
            by the user, "file" for any other image file.
        title: name for display.
        description: one sentence, or empty.
        license: SPDX identifier, empty where unknown.
        artist: painter and year of a master, else empty.
        others: the other image files, which lie in the same folder as the first.
    """

    name: str
    path: Path
    origin: Origin
    title: str
    description: str = ""
    license: str = ""
    artist: str = ""
    others: tuple[Path, ...] = ()

    @property
    def place(self) -> Path:
        """The image file, or the folder of several."""
        return self.path.parent if self.others else self.path

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names for it, such as `yours/wave` and `yours/wave.jpg`."""
        return f"{self.origin}/{self.place.stem}", f"{self.origin}/{self.place.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of the image file, or of the digests of several, hexadecimal.

        Raises:
            SourceError: one cannot be read.
        """
        digests = []
        for path in (self.path, *self.others):
            with open_picture(path) as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        return (
            digests[0]
            if len(digests) == 1
            else hashlib.sha256("".join(digests).encode()).hexdigest()
        )

    @property
    def parts(self) -> "tuple[Style, ...]":
        """A style for each of the images."""
        return tuple(replace(self, path=path, others=()) for path in (self.path, *self.others))

    def load(self, *, small: bool = False) -> Frame:
        """Return the image, the first of several, RGB uint8 (height, width, 3).

        See `load_picture`.

        Raises:
            SourceError: it cannot be read.
        """
        return load_picture(self.path, small=small)


@dataclass(frozen=True, slots=True)
class StyleListing:
    """The styles of a folder.

    Attributes:
        styles: first those in the metadata file, in its order, then the others by name, then those
            of several images.
        notes: a sentence for each file that was left out, and why.
    """

    styles: Sequence[Style]
    notes: Sequence[str]


def list_styles(folder: Path, origin: Origin) -> StyleListing:
    """Return the styles in a folder, none where it does not exist; never raises.

    Where file names differ only in the suffix, the first is called by its stem and the others as in
    `yours/photo.png`. A folder of the user's with two images or more is one style.
    """
    found = look_up(folder)
    if found.kind is PathKind.MISSING:
        return StyleListing((), ())
    if found.kind is not PathKind.FOLDER:
        problem = found.problem or "it is a file, not a folder"
        return StyleListing((), (f"The styles in {folder} are left out: {problem}.",))
    notes: list[str] = []
    table = _read_toml(folder / METADATA, notes)
    order = {name: index for index, name in enumerate(table)}
    paths = sorted(
        _pictures(folder, notes), key=lambda path: (order.get(path.stem, len(order)), path.name)
    )
    styles: list[Style] = []
    stems: set[str] = set()
    for path in paths:
        facts = table.get(path.stem)
        if not facts:
            facts = _read_toml(path.with_suffix(".toml"), notes)
        name = path.stem if path.stem not in stems else f"{origin}/{path.name}"
        stems.add(path.stem)
        styles.append(_make_style(name, path, origin, facts, notes))
    for subfolder in _folders(folder) if origin == "yours" else ():
        pictures = _pictures(subfolder, notes)
        if len(pictures) >= 2 and subfolder.name not in stems:
            facts = _read_toml(folder / f"{subfolder.name}.toml", notes)
            first = _make_style(subfolder.name, subfolder, origin, facts, notes)
            styles.append(replace(first, path=pictures[0], others=tuple(pictures[1:])))
    return StyleListing(styles, notes)


def default_title(name: str) -> str:
    """Return a title for display, made from a name."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def _folders(folder: Path) -> list[Path]:
    """Return the folders in a folder."""
    try:
        return sorted(path for path in folder.iterdir() if look_up(path).kind is PathKind.FOLDER)
    except OSError:
        return []


def _pictures(folder: Path, notes: list[str]) -> list[Path]:
    """Return the files with the suffix of an image."""
    try:
        named = pictures_in(folder)
    except SourceError as error:
        notes.append(f"The styles are left out: {error}")
        return []
    pictures = []
    for path in named:
        found = look_up(path)
        if found.kind is PathKind.FILE:
            pictures.append(path)
        else:
            notes.append(f"{path} is left out: {found.problem or 'it is a folder'}.")
    return pictures


def _make_style(name: str, path: Path, origin: Origin, facts: object, notes: list[str]) -> Style:
    """Return the style for an image and its metadata; invalid metadata is ignored with a note."""
    table: Mapping[str, object] = {}
    if isinstance(facts, dict):
        table = facts
    else:
        notes.append(f"What {METADATA} says of '{path.stem}' is ignored: it is not a table.")

    def text(key: str) -> str:
        value = table.get(key, "")
        if isinstance(value, str):
            return re.sub(r"[\x00-\x1f\x7f]+", " ", value)
        notes.append(f"The {key} of '{path.stem}' is ignored: it is not text.")
        return ""

    return Style(
        name,
        path,
        origin,
        title=text("title") or default_title(path.stem),
        description=text("description"),
        license=text("license"),
        artist=", ".join(filter(None, (text("painter"), text("year")))),
    )


def _read_toml(path: Path, notes: list[str]) -> dict[str, object]:
    """Return the content of a TOML file, {} where there is none or it is invalid."""
    found = look_up(path)
    if found.kind is PathKind.MISSING:
        return {}
    try:
        if found.kind is not PathKind.FILE:
            raise ValueError(found.problem or "it is a folder")
        with path.open("rb") as file:
            data = file.read(_MAX_TOML_BYTES + 1)
        if len(data) > _MAX_TOML_BYTES:
            raise ValueError("it is too large")
        return tomllib.loads(data.decode())
    except RecursionError:
        notes.append(f"{path} is ignored: it is nested too deeply.")
    except UnicodeDecodeError:
        notes.append(f"{path} is ignored: it is not UTF-8 text.")
    except (OSError, ValueError) as error:
        notes.append(f"{path} is ignored: {os_reason(error)}.")
    return {}
