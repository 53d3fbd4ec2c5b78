"""Style pictures: the packaged ones, the user's own, any other by path; and their bottlenecks."""

import difflib
import hashlib
import json
import re
import tomllib
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst_video import folders
from nst_video.errors import StyleError, UsageError
from nst_video.frames import Frame
from nst_video.pictures import PICTURE_SUFFIXES, load_picture, save_picture

Origin: TypeAlias = Literal["packaged", "yours", "file"]
Bottleneck: TypeAlias = NDArray[np.float32]
"""What a style predictor makes of a style image: float32 (d,)."""

_METADATA = "styles.toml"


class Predictor(Protocol):
    """A style prediction network, as far as the library needs to know it."""

    @property
    def key(self) -> str:
        """Name of the model and its exact weights, `<model>-<hash>`, fit for a folder name."""
        ...

    def __call__(self, picture: Frame) -> Bottleneck:
        """Return the bottleneck (d,) of an RGB uint8 picture (height, width, 3)."""
        ...


@dataclass(frozen=True, slots=True)
class Style:
    """A style image and what is known of it.

    Attributes:
        name: what users type.
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
    def digest(self) -> str:
        """SHA-256 of the picture file, hexadecimal; SourceError from `load` says why if none."""
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def load(self) -> Frame:
        """Return the picture, RGB uint8; SourceError when it is none."""
        return load_picture(self.path)


class StyleLibrary:
    """Finds styles by name or path and remembers their bottlenecks on disk."""

    def __init__(
        self,
        packaged_dir: Path | None = None,
        user_dir: Path | None = None,
        cache_dir: Path | None = None,
    ) -> None:
        """Name the folders; each may be absent.

        Args:
            packaged_dir: default: what comes with nst-video.
            user_dir: default: `styles` in the user's data folder.
            cache_dir: default: `bottlenecks` in the user's cache folder.
        """
        self.packaged_dir = packaged_dir or packaged_styles_dir()
        self.user_dir = user_dir or folders.data_dir() / "styles"
        self._cache_dir = cache_dir or folders.cache_dir() / "bottlenecks"

    def styles(self) -> list[Style]:
        """Return the packaged styles in their own order, then the user's, sorted by name.

        A user's style hides a packaged one of the same name.
        """
        yours = _scan(self.user_dir, "yours")
        packaged = _scan(self.packaged_dir, "packaged")
        return [style for name, style in packaged.items() if name not in yours] + [*yours.values()]

    def get(self, name: str | Path) -> Style:
        """Return the style of that name, or the one that a picture file is.

        Raises:
            StyleError: neither a style nor a file; the message suggests near names.
        """
        styles = {style.name: style for style in self.styles()}
        text = str(name)
        if text in styles:
            return styles[text]
        path = Path(name).expanduser()
        if path.is_file():
            return Style(path.stem, path, "file", title=path.name)
        if path.is_dir():
            raise StyleError(f"{path} is a folder, not a style picture: name one picture in it.")
        if path.suffix.lower() in PICTURE_SUFFIXES or len(path.parts) > 1:
            raise StyleError(f"No style picture {text!r}: check the path.")
        raise StyleError(_unknown(text, list(styles)))

    def bottleneck(self, style: Style, predictor: Predictor) -> Bottleneck:
        """Return a style's bottleneck (d,): packaged, from the cache, or predicted now.

        Raises:
            SourceError: the picture cannot be read.
            StyleError: the network makes no finite numbers of it.
        """
        if not style.path.is_file():
            style.load()  # says why not
        digest = style.digest
        known = self._packaged(predictor.key).get(digest)
        if known is not None:
            return known
        path = self._cache_dir / predictor.key / f"{digest}.npy"
        cached = _read_bottleneck(path)
        if cached is not None:
            return cached
        bottleneck = _predict(style, predictor)
        _try_write(path, bottleneck)
        return bottleneck

    def add(
        self,
        path: Path,
        name: str | None = None,
        *,
        title: str | None = None,
        description: str = "",
        overwrite: bool = False,
    ) -> Style:
        """Copy a picture into the user's folder under a name.

        Args:
            path: the picture.
            name: default: made from the file's name.
            title: for display; default: made from the name.
            description: one sentence.
            overwrite: replace the user's style of that name.

        Raises:
            SourceError: it is no picture.
            StyleError: the name is taken or cannot be one, or the folder cannot be written.
        """
        picture = load_picture(path)
        slug = slug_of(name if name is not None else path.stem)
        if slug in _scan(self.packaged_dir, "packaged"):
            raise StyleError(f"'{slug}' is a packaged style: choose another name with --name.")
        old = _scan(self.user_dir, "yours").get(slug)
        if old and not overwrite:
            raise StyleError(
                f"You have a style '{slug}' already: choose another name or overwrite."
            )
        facts = {"title": title or _title_of(slug), "description": description}
        try:
            target = _store(path, picture, self.user_dir / slug, facts)
        except OSError as error:
            raise StyleError(f"Cannot write to {self.user_dir}: {error.strerror}.") from error
        if old and old.path != target:
            old.path.unlink(missing_ok=True)
        return self.get(slug)

    def remove(self, name: str) -> Style:
        """Delete one of the user's styles and return what it was.

        Raises:
            StyleError: no such style, or a packaged one.
        """
        yours = _scan(self.user_dir, "yours")
        if name not in yours:
            if name in _scan(self.packaged_dir, "packaged"):
                raise StyleError(f"'{name}' is a packaged style: only your own can be removed.")
            raise StyleError(_unknown(name, list(yours)))
        yours[name].path.unlink()
        yours[name].path.with_suffix(".toml").unlink(missing_ok=True)
        return yours[name]

    def _packaged(self, key: str) -> Mapping[str, Bottleneck]:
        """Return the bottlenecks by digest that were packaged for a predictor."""
        path = self.packaged_dir / f"bottlenecks-{key.rpartition('-')[0]}.npz"
        if not path.is_file():
            return {}
        try:
            with np.load(path, allow_pickle=False) as file:
                if key not in file["predictors"]:
                    return {}
                return {name: file[name] for name in file.files if name != "predictors"}
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise StyleError(f"{path} is broken: install nst-video again.") from error


def mix_bottlenecks(bottlenecks: NDArray[np.float32], weights: Sequence[float]) -> Bottleneck:
    """Return the weighted mean of bottlenecks.

    Args:
        bottlenecks: (n, d).
        weights: n numbers, none negative, not all zero; normalized.

    Raises:
        UsageError: the weights are not like that.
    """
    given = np.asarray(weights, np.float64)
    if len(given) != len(bottlenecks):
        raise UsageError(f"{len(given)} mix weights for {len(bottlenecks)} styles: give one each.")
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() == 0:
        shown = ", ".join(f"{weight:g}" for weight in given)
        raise UsageError(f"Mix weights are numbers from 0 up, not all zero; got {shown}.")
    return np.asarray((given / given.sum()) @ bottlenecks, np.float32)


def package_bottlenecks(
    styles: Sequence[Style], predictor: Predictor, folder: Path, *, same_as: Sequence[str] = ()
) -> Path:
    """Write `bottlenecks-<model>.npz`, which `StyleLibrary` reads before it predicts.

    Args:
        styles: the pictures.
        predictor: the network; `<model>` is its key without the hash.
        folder: of the packaged styles.
        same_as: keys of other files of the same network.

    Returns:
        The file.
    """
    arrays: dict[str, NDArray[Any]] = {s.digest: _predict(s, predictor) for s in styles}
    arrays["predictors"] = np.array([predictor.key, *same_as])
    path = folder / f"bottlenecks-{predictor.key.rpartition('-')[0]}.npz"
    folders.write_atomically(path, lambda file: np.savez(file, allow_pickle=False, **arrays))
    return path


def packaged_styles_dir() -> Path:
    """Return the folder of packaged styles: in the wheel, else in the checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "_styles"
    return installed if installed.is_dir() else package.parent / "styles"


def slug_of(text: str) -> str:
    """Turn any text into a style's name: lower case letters and digits, single hyphens.

    Raises:
        StyleError: nothing is left of it.
    """
    slug = re.sub(r"[\W_]+", "-", text.lower()).strip("-")
    if not slug:
        raise StyleError(f"No name can be made of {text!r}: give one with letters or digits.")
    return slug


def _scan(folder: Path, origin: Origin) -> dict[str, Style]:
    """Return the styles in a folder by name: those of the metadata in its order, then the rest."""
    if not folder.is_dir():
        return {}
    table = _read_toml(folder / _METADATA)
    order = {name: index for index, name in enumerate(table)}
    pictures = sorted(
        (path for path in folder.iterdir() if path.suffix.lower() in PICTURE_SUFFIXES),
        key=lambda path: (order.get(path.stem, len(order)), path.name),
    )
    return {
        path.stem: _style(
            path, origin, table.get(path.stem) or _read_toml(path.with_suffix(".toml"))
        )
        for path in pictures
        if not path.name.startswith(".")
    }


def _style(path: Path, origin: Origin, facts: object) -> Style:
    """Return the style that a picture and its metadata describe."""
    table = facts if isinstance(facts, dict) else {}
    return Style(
        path.stem,
        path,
        origin,
        title=str(table.get("title") or _title_of(path.stem)),
        description=str(table.get("description", "")),
        license=str(table.get("license", "")),
    )


def _read_toml(path: Path) -> dict[str, object]:
    """Return the tables of a TOML file, nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StyleError(f"{path} is not valid TOML: {error}.") from error


def _store(source: Path, picture: Frame, stem: Path, facts: Mapping[str, str]) -> Path:
    """Write a style's picture, as it is or as PNG if its ending tells nothing, and its facts."""
    text = "".join(f"{key} = {_toml_string(value)}\n" for key, value in facts.items())
    folders.write_atomically(stem.with_name(f"{stem.name}.toml"), lambda f: f.write(text.encode()))
    suffix = source.suffix.lower()
    if suffix not in PICTURE_SUFFIXES:
        target = stem.with_name(f"{stem.name}.png")
        save_picture(target, picture, overwrite=True)
        return target
    target = stem.with_name(f"{stem.name}{suffix}")
    data = source.read_bytes()
    folders.write_atomically(target, lambda f: f.write(data))
    return target


def _toml_string(text: str) -> str:
    """Return a TOML basic string: a JSON string without what only JSON allows."""
    return json.dumps(re.sub(r"[\x00-\x1f\x7f]+", " ", text), ensure_ascii=False)


def _title_of(name: str) -> str:
    return name.replace("-", " ").replace("_", " ").capitalize()


def _unknown(name: str, known: Sequence[str]) -> str:
    """Return the sentence for a name that no style has."""
    near = [f"'{match}'" for match in difflib.get_close_matches(name.lower(), known, n=3)]
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return (
        f"No style '{name}'. {hint}`nst-video styles list` shows all; any picture's path works too."
    )


def _predict(style: Style, predictor: Predictor) -> Bottleneck:
    """Run the predictor on a style's picture; StyleError unless numbers come out."""
    bottleneck = np.asarray(predictor(style.load()), np.float32)
    if bottleneck.ndim != 1 or not np.isfinite(bottleneck).all():
        raise StyleError(f"The model makes no sense of style picture {style.path}: try another.")
    return bottleneck


def _read_bottleneck(path: Path) -> Bottleneck | None:
    """Return a cached bottleneck, None where there is none or a broken one."""
    try:
        array = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    good = isinstance(array, np.ndarray) and array.dtype == np.float32 and array.ndim == 1
    return array if good and np.isfinite(array).all() else None


def _try_write(path: Path, bottleneck: Bottleneck) -> None:
    """Cache a bottleneck; a folder that cannot be written only costs predicting again."""
    try:
        folders.write_atomically(path, lambda file: np.save(file, bottleneck))
    except OSError:
        return
