"""The library of styles: packaged ones, the user's own, any image file; and their bottlenecks."""

import difflib
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import SourceError, StyleError, UsageError
from nst_video.frames import Frame
from nst_video.image.files import PICTURE_SUFFIXES, load_picture, save_picture
from nst_video.style_library.bottleneck_cache import read_vector, write_vector
from nst_video.style_library.bottlenecks import (
    Bottleneck,
    Predictor,
    mix_bottlenecks,
    predict,
    read_packaged,
)
from nst_video.style_library.folder import Style as Style  # re-exported
from nst_video.style_library.folder import StyleListing, default_title, list_styles
from nst_video.style_library.masters import masters_dir, read_master
from nst_video.style_library.refined_styles import (
    delete_refined,
    read_packaged_refined,
    read_refined,
    write_refined,
)
from nst_video.system import paths
from nst_video.system.path_lookup import PathKind, look_up, os_reason, require_file, short_name
from nst_video.system.paths import packaged_styles_dir as packaged_styles_dir  # re-exported

StyleName: TypeAlias = str | Path | Style
"""A style: its name, the path of any picture, or an entry of a `StyleLibrary`."""


class StyleLibrary:
    """Finds styles by name or path, and caches their bottlenecks on disk."""

    def __init__(
        self,
        packaged_dir: Path | None = None,
        user_dir: Path | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        """Choose the folders; none of them needs to exist.

        Args:
            packaged_dir: by default the styles that come with nst-video.
            user_dir: by default `styles` in the user's data folder.
            cache_dir: by default `bottlenecks` in the user's cache folder.
        """
        self.packaged_dir = packaged_dir or packaged_styles_dir()
        self.user_dir = user_dir or paths.user_styles_dir()
        self._cache_dir = cache_dir or paths.cache_dir() / "bottlenecks"

    def read(self) -> StyleListing:
        """Return the packaged styles in their own order, then the masters, then the user's by name.

        If the user has a style of the same name, the packaged one is called as in `packaged/wave`.
        Invalid files are left out, with a note. Images are not decoded.
        """
        packaged = self._ours()
        yours = list_styles(self.user_dir, "yours")
        hidden = {style.name for style in yours.styles}
        named = (
            replace(style, name=style.aliases[0], title=f"{style.title} (packaged)")
            if style.name in hidden
            else style
            for style in packaged.styles
        )
        return StyleListing((*named, *yours.styles), (*packaged.notes, *yours.notes))

    def _ours(self) -> StyleListing:
        """Return the packaged styles and the masters."""
        packaged = list_styles(self.packaged_dir, "packaged")
        masters = list_styles(masters_dir(self.packaged_dir), "master")
        notes = (*packaged.notes, *masters.notes)
        return StyleListing((*packaged.styles, *masters.styles), notes)

    def styles(self) -> list[Style]:
        """Return all styles, see `read`."""
        return list(self.read().styles)

    def get(self, name: str | Path) -> Style:
        """Return the style of a name, or a style for an image file.

        Every style can also be named with its origin:
        `packaged/wave`, `yours/wave`, `yours/wave.jpg`.

        Raises:
            StyleError: neither a style nor a file; the message suggests similar names.
        """
        text = str(name)
        found = self.read()
        style = _find(text, found.styles)
        if style is not None:
            return style
        at = look_up(name)
        if at.kind is PathKind.FILE:
            return Style(text, at.path, "file", title=at.path.name)
        shown = short_name(text) if text else ""
        if at.kind is PathKind.FOLDER:
            raise StyleError(f"{shown} is a folder, not a style picture: name one picture in it.")
        is_path = at.path.suffix.lower() in PICTURE_SUFFIXES or len(at.path.parts) != 1
        if is_path or at.kind is not PathKind.MISSING or text.startswith("~"):
            raise StyleError(f"No style picture {shown!r}: {at.problem}.")
        raise StyleError(" ".join((_unknown(shown, found.styles), *found.notes)))

    def select(self, styles: StyleName | Sequence[StyleName]) -> tuple[Style, ...]:
        """Return one style or several, in their order.

        Raises:
            UsageError: there are none, or something is neither a name nor a path.
            StyleError: an unknown style.
        """
        if isinstance(styles, str) or not isinstance(styles, Iterable):
            styles = [styles]
        names = list(styles)
        if not names:
            raise UsageError("Name at least one style.")
        for name in names:
            if not isinstance(name, str | Path | Style):
                raise UsageError(f"A style is a name or the path of a picture, not {name!r}.")
        return tuple(name if isinstance(name, Style) else self.get(name) for name in names)

    def file_stem(self, names: Sequence[str | Path]) -> str:
        """Return the part of output file names for these styles, such as "wave" or "wave-neon".

        Different images of the same name get the name of their folder as a prefix.

        Raises:
            StyleError: an unknown style.
        """
        styles = [self.get(name) for name in names]
        others = [*self.styles(), *styles]

        def part(style: Style) -> str:
            stem = style.path.stem
            if style.origin != "file":
                return style.name.replace("/", "-")
            has_namesake = any(o.path.stem == stem and o.path != style.path for o in others)
            folder = style.path.resolve().parent.name
            return f"{folder}-{stem}" if has_namesake and folder else stem

        return "-".join(part(style) for style in styles)

    def bottleneck(self, style: Style, predictor: Predictor) -> Bottleneck:
        """Return the bottleneck of a style, float32 (d,): packaged, cached, or predicted now.

        That of a style of several images is their mean.

        Raises:
            SourceError: the image cannot be read.
            StyleError: the network output is not finite.
        """
        if style.others:
            parts = np.stack([self.bottleneck(part, predictor) for part in style.parts])
            return mix_bottlenecks(parts, [1.0] * len(parts))
        digest = style.digest
        known = read_packaged(self.packaged_dir, predictor.key, digest)
        if known is not None:
            return known
        key = f"{predictor.key}/{digest}"
        cached = read_vector(self._cache_dir, key)
        if cached is not None:
            return cached
        bottleneck = predict(style, predictor)
        write_vector(self._cache_dir, key, bottleneck)
        return bottleneck

    def refined(self, style: Style, key: str) -> NDArray[np.float32] | None:
        """Return the refined style parameters of a style, float32 (p,), None where there are none.

        Those of a master are in the package, as are those of a packaged style that the user has
        not refined again.

        Args:
            style: a style of any origin.
            key: of the transformer that they are for.

        Raises:
            SourceError: the image cannot be read.
        """
        if style.origin == "master":
            return read_master(masters_dir(self.packaged_dir), style, key)
        packaged = read_packaged_refined(self.packaged_dir, style.digest)
        return {**packaged, **read_refined(self.user_dir, style.digest)}.get(key)

    def is_refined(self, style: Style) -> bool:
        """Return whether the user has refined a style, for any network; False if unreadable."""
        try:
            return bool(read_refined(self.user_dir, style.digest))
        except SourceError:
            return False

    def keep_refined(self, style: Style, key: str, parameters: NDArray[np.float32]) -> Path:
        """Keep refined style parameters with a style, for all that paint in it from now on.

        Args:
            style: a style of any origin.
            key: of the transformer that they are for.
            parameters: float32 (p,).

        Returns:
            The file, in the user's folder of styles.

        Raises:
            SourceError: the image cannot be read.
            StyleError: the folder cannot be written.
        """
        name = slug_of(style.place.stem)
        try:
            return write_refined(self.user_dir, name, style.digest, {key: parameters})
        except OSError as error:
            raise StyleError(f"Cannot write to {self.user_dir}: {os_reason(error)}.") from error

    def forget_refined(self, style: Style) -> bool:
        """Delete the refined style parameters of a style; return whether there were any.

        Raises:
            SourceError: the image cannot be read.
            StyleError: they cannot be deleted.
        """
        try:
            return delete_refined(self.user_dir, style.digest)
        except OSError as error:
            raise StyleError(f"Cannot write to {self.user_dir}: {os_reason(error)}.") from error

    def add(
        self,
        path: str | Path | Sequence[str | Path],
        name: str | None = None,
        *,
        title: str | None = None,
        description: str = "",
        overwrite: bool = False,
    ) -> Style:
        """Copy an image, or several of one style, into the user's folder of styles.

        Args:
            path: the image file, or several.
            name: by default made from the file name, the first of several.
            title: name for display, by default made from the name.
            description: one sentence.
            overwrite: replace the user's style of that name.

        Raises:
            SourceError: it is not an image.
            StyleError: the name is taken or invalid, or the folder cannot be written.
        """
        given = [path] if isinstance(path, str | Path) else list(path)
        if not given:
            raise UsageError("Name at least one picture to add.")
        sources = [require_file(each) for each in given]
        pictures = [load_picture(source) for source in sources]
        slug = slug_of(name if name is not None else sources[0].stem)
        if _find(slug, self._ours().styles):
            raise StyleError(f"'{slug}' is a packaged style: choose another name with --name.")
        old = _find(slug, list_styles(self.user_dir, "yours").styles)
        if old and not overwrite:
            raise StyleError(
                f"You have a style '{slug}' already: choose another name or overwrite."
            )
        facts = {"title": title or default_title(slug), "description": description}
        try:
            self._store(slug, sources, pictures, facts, old)
        except OSError as error:
            raise StyleError(f"Cannot write to {self.user_dir}: {os_reason(error)}.") from error
        return self.get(slug)

    def adopt(self, name: StyleName) -> Style:
        """Return a style of the library: a picture that is none of them yet is added.

        Raises:
            SourceError: the image cannot be read.
            StyleError: an unknown style, one without its picture, or another one has the name that
                the file would give it.
        """
        (style,) = self.select(name)
        if style.origin == "master":
            raise StyleError(
                f"'{style.name}' is learned from a painting that is not here: it cannot be refined."
            )
        if style.origin != "file":
            return style
        digest = style.digest
        same = (s for s in self.styles() if _has_digest(s, digest))
        return next(same, None) or self.add(style.path)

    def _store(
        self,
        slug: str,
        sources: Sequence[Path],
        pictures: Sequence[Frame],
        facts: Mapping[str, str],
        old: Style | None,
    ) -> None:
        """Write the metadata and the images of a style, then delete those of the old one."""
        text = "".join(f"{key} = {_toml_string(value)}\n" for key, value in facts.items())
        paths.write_atomically(self.user_dir / f"{slug}.toml", lambda f: f.write(text.encode()))
        stems = [self.user_dir / slug]
        if len(sources) > 1:
            stems = [self.user_dir / slug / str(index + 1) for index in range(len(sources))]
        targets = [_store(*each) for each in zip(sources, pictures, stems, strict=True)]
        if old:
            _delete(old, keep=targets)

    def remove(self, name: str) -> Style:
        """Delete one of the user's styles and return it.

        Raises:
            StyleError: there is no such style, or it is a packaged one.
        """
        yours = list_styles(self.user_dir, "yours").styles
        style = _find(name, yours)
        if style is None:
            if _find(name, self._ours().styles):
                raise StyleError(f"'{name}' is a packaged style: only your own can be removed.")
            raise StyleError(_unknown(name, yours))
        try:
            with suppress(SourceError):  # a picture that cannot be read can be removed, too
                delete_refined(self.user_dir, style.digest)
            _delete(style)
            place = style.place
            if all(other is style or other.place.stem != place.stem for other in yours):
                place.with_name(f"{place.stem}.toml").unlink(missing_ok=True)
        except OSError as error:
            raise StyleError(f"Cannot remove {style.path}: {os_reason(error)}.") from error
        return style


def slug_of(text: str) -> str:
    """Turn a text into a style name: lower case letters, digits and single hyphens.

    Raises:
        StyleError: the text has no letters or digits.
    """
    slug = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    if not slug:
        raise StyleError(f"No name can be made of {text!r}: give one with letters or digits.")
    return slug


def _store(source: Path, picture: Frame, stem: Path) -> Path:
    """Write an image of a style; as PNG where its suffix is unknown."""
    suffix = source.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        target = stem.with_name(f"{stem.name}.png")
        save_picture(target, picture, overwrite=True)
        return target
    target = stem.with_name(f"{stem.name}{suffix}")
    data = source.read_bytes()
    paths.write_atomically(target, lambda f: f.write(data))
    return target


def _delete(style: Style, keep: Sequence[Path] = ()) -> None:
    """Delete the images of a style but those to keep, and their folder where it is empty then."""
    for path in {style.path, *style.others} - set(keep):
        path.unlink(missing_ok=True)
    if style.others:
        with suppress(OSError):  # it holds something else
            style.place.rmdir()


def _has_digest(style: Style, digest: str) -> bool:
    try:
        return style.digest == digest
    except SourceError:
        return False


def _toml_string(text: str) -> str:
    """Return a TOML basic string: a JSON string without control characters."""
    return json.dumps(re.sub(r"[\x00-\x1f\x7f]+", " ", text), ensure_ascii=False)


def _find(name: str, styles: Sequence[Style]) -> Style | None:
    """Return the style with a name or alias; the first where several share an alias."""
    named = next((style for style in styles if style.name == name), None)
    return named or next((style for style in styles if name in style.aliases), None)


def _unknown(name: str, styles: Sequence[Style]) -> str:
    """Return the error message for an unknown style."""
    known = [style.name for style in styles]
    near = [f"'{match}'" for match in difflib.get_close_matches(name.lower(), known, n=3)]
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"No style '{name}'. {hint}`nst-video styles list` shows all; any picture's path works too."
    )
