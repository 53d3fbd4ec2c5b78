"""A folder of style pictures: one style a picture, what TOML files say of it, and what is amiss."""

import hashlib
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from nst_video.errors import SourceError
from nst_video.frames import Frame
from nst_video.image.files import load_picture, open_picture, pictures_in
from nst_video.system.path_lookup import PathKind, look_up, os_reason

Origin: TypeAlias = Literal["packaged", "yours", "file"]

METADATA = "styles.toml"
"""Optional file with a table for each picture by its name; or each has a TOML file of its own."""

_MAX_TOML_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class Style:
    """A style image and what is known of it.

    Attributes:
        name: what users type; no two styles of a library share it.
        path: the picture.
        origin: packaged, added by the user, or a file named outright.
        title: for display.
        description: one sentence, perhaps empty.
        license: SPDX identifier, empty where unknown.
    """

    name: str
    path: Path
    origin: Origin
    title: str
    description: str = ""
    license: str = ""

    @property
    def aliases(self) -> tuple[str, ...]:
        """Other names it goes by, such as `yours/wave` and `yours/wave.jpg`."""
        return f"{self.origin}/{self.path.stem}", f"{self.origin}/{self.path.name}"

    @property
    def digest(self) -> str:
        """SHA-256 of the picture file, hexadecimal; SourceError when it cannot be read."""
        with open_picture(self.path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def load(self, *, small: bool = False) -> Frame:
        """Return the picture, RGB uint8, see `load_picture`; SourceError when it is none."""
        return load_picture(self.path, small=small)


@dataclass(frozen=True, slots=True)
class StyleFolder:
    """What was found in a folder.

    Attributes:
        styles: those of the metadata in its order, then the rest by name.
        notes: a sentence for each thing that was left out, and why.
    """

    styles: Sequence[Style]
    notes: Sequence[str]


def read_style_folder(folder: Path, origin: Origin) -> StyleFolder:
    """Return the styles in a folder, which may be absent; never raises.

    Of pictures that differ only in their endings, the first is called by its bare name and the
    others as in `yours/photo.png`.
    """
    found = look_up(folder)
    if found.kind is PathKind.MISSING:
        return StyleFolder((), ())
    if found.kind is not PathKind.FOLDER:
        problem = found.problem or "it is a file, not a folder"
        return StyleFolder((), (f"The styles in {folder} are left out: {problem}.",))
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
        styles.append(_style(name, path, origin, facts, notes))
    return StyleFolder(styles, notes)


def title_of(name: str) -> str:
    """Return a title for display made of a name."""
    return name.replace("-", " ").replace("_", " ").capitalize()


def _pictures(folder: Path, notes: list[str]) -> list[Path]:
    """Return the files that are named like pictures."""
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


def _style(name: str, path: Path, origin: Origin, facts: object, notes: list[str]) -> Style:
    """Return the style that a picture and its metadata describe."""
    table: Mapping[str, object] = {}
    if isinstance(facts, dict):
        table = facts
    else:
        notes.append(f"What {METADATA} says of '{path.stem}' is ignored: it is no table.")

    def text(key: str) -> str:
        value = table.get(key, "")
        if isinstance(value, str):
            return re.sub(r"[\x00-\x1f\x7f]+", " ", value)
        notes.append(f"The {key} of '{path.stem}' is ignored: it is no text.")
        return ""

    return Style(
        name,
        path,
        origin,
        title=text("title") or title_of(path.stem),
        description=text("description"),
        license=text("license"),
    )


def _read_toml(path: Path, notes: list[str]) -> dict[str, object]:
    """Return what a TOML file says, nothing where there is none or it is broken."""
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
