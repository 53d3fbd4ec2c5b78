"""Finds the files of a model: in the user's folder, in the cache, or on the network."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import HashMismatchError, ModelMissingError, UsageError, WeightsError
from nst_video.system import paths as folders
from nst_video.system.path_lookup import PathKind, look_up, short_name
from nst_video.weights.checks import check_file, check_saved_model
from nst_video.weights.fetch import (
    OnProgress,
    fetch_archive,
    fetch_file,
    private_folder,
    publish_folder,
)
from nst_video.weights.table import ALL_MODELS, MODELS, ModelArchive, ModelFile, ModelFiles

EMBEDDED_DIR = Path(__file__).resolve().parent.parent / "_models"
_NO = ("", "0", "false", "no", "off")


@dataclass(frozen=True, slots=True)
class _Places:
    """Folders in which the files of a model may be.

    Attributes:
        given: folders that the user named, or none.
        cache: the model's folder in the cache, which may not exist.
    """

    given: tuple[Path, ...]
    cache: Path


def resolve(
    name: str,
    *,
    models_dir: Path | None = None,
    offline: bool = False,
    trust: bool = False,
    on_progress: OnProgress | None = None,
    models: Mapping[str, ModelFiles] = ALL_MODELS,
) -> dict[str, Path]:
    """Return the paths of a model's files; download them if they are not on disk.

    Args:
        name: of a model in the table.
        models_dir: folder to look in first, holding `<name>/files` or the files themselves;
            default: the environment variable NST_VIDEO_MODELS.
        offline: never download (also: environment variable NST_VIDEO_OFFLINE).
        trust: accept files whose SHA-256 is not known.
        on_progress: called while downloading.
        models: the table.

    Returns:
        Path per role: "predictor" and "transformer" of magenta-lite, the folder "saved_model" of
        magenta, and every file's stem of an embedded model.

    Raises:
        UsageError: no model has this name.
        HashMismatchError: a file is not one of the known variants.
        DownloadError: all mirrors failed.
        ModelMissingError: files are missing and may not be downloaded.
        WeightsError: a folder is missing or incomplete.
    """
    model = find_model(name, models)
    places = _places(model, models_dir)
    if model.embedded:
        return _embedded_files(model)
    may_fetch = not (offline or is_offline())
    with _plain_errors(model):
        if model.archive:
            return _find_archive(
                model,
                model.archive,
                places,
                may_fetch=may_fetch,
                trust=trust,
                on_progress=on_progress,
            )
        return _find_files(model, places, may_fetch=may_fetch, trust=trust, on_progress=on_progress)


def is_cached(
    name: str,
    models_dir: Path | None = None,
    *,
    models: Mapping[str, ModelFiles] = ALL_MODELS,
) -> bool:
    """Return whether `resolve` would succeed without a download.

    Raises:
        UsageError: no model has this name.
        WeightsError: the user's folder does not exist.
    """
    _named_folder(models_dir)
    try:
        resolve(name, models_dir=models_dir, offline=True, models=models)
    except WeightsError:
        return False
    return True


def install(
    name: str,
    source: Path,
    *,
    trust: bool = False,
    models: Mapping[str, ModelFiles] = ALL_MODELS,
) -> dict[str, Path]:
    """Copy a model's files from a folder into the cache and return their paths by role.

    Args:
        name: of a model in the table.
        source: holds `<name>/files` or the files themselves.
        trust: accept files whose SHA-256 is not known.
        models: the table.

    Raises:
        UsageError: no model has this name.
        WeightsError: a file is missing in `source`, or not one of the known variants.
    """
    model = find_model(name, models)
    if model.embedded:
        return _embedded_files(model)
    places = _places(model, source)
    with _plain_errors(model):
        if model.archive:
            return _install_archive(model, model.archive, places, source, trust=trust)
        return _install_files(model, places, source, trust=trust)


def find_model(name: str, models: Mapping[str, ModelFiles] = MODELS) -> ModelFiles:
    """Return the entry of a model in the table.

    Raises:
        UsageError: no model has this name; the message lists them all.
    """
    try:
        return models[name]
    except KeyError:
        known = ", ".join(models)
        raise UsageError(f"No model '{name}': choose one of {known}.") from None


def check_models_dir(
    models_dir: Path | None,
    *,
    whole: bool = False,
    models: Mapping[str, ModelFiles] = ALL_MODELS,
) -> None:
    """Make sure that the user's folder, if there is one, has files of a model.

    Args:
        models_dir: as for `resolve`.
        whole: verify the contents of the files, too.
        models: the table.

    Raises:
        HashMismatchError: a file is not one of the known variants.
        WeightsError: it has no such file, is not a folder, or has only part of a model.
    """
    folder = _named_folder(models_dir)
    if folder is None:
        return
    given = [model for model in models.values() if _has_any(model, (folder / model.name, folder))]
    if not given:
        raise WeightsError(
            f"The folder {folder} holds no file of any model: name the one that does, "
            "or leave out --models-dir and NST_VIDEO_MODELS."
        )
    for model in given if whole else ():
        places = _places(model, folder)
        for file in model.files:
            _given_file(file, places, trust=False)
        if model.archive:
            _given_archive(model.archive, places, trust=False)


def _has_any(model: ModelFiles, candidates: tuple[Path, ...]) -> bool:
    """Return whether one of the folders has a file of the model, under any of its names."""
    variants = (variant for file in model.files for variant in file.variants)
    members = model.archive.members if model.archive else ()
    names = [each.name for each in (*variants, *members)]
    return any((folder / name).is_file() for folder in candidates for name in names)


def is_offline() -> bool:
    """Return whether the environment variable NST_VIDEO_OFFLINE forbids downloads."""
    return os.environ.get("NST_VIDEO_OFFLINE", "").strip().lower() not in _NO


def _places(model: ModelFiles, models_dir: Path | None) -> _Places:
    """Return the folders to search; raise WeightsError if the user's folder does not exist."""
    folder = _named_folder(models_dir)
    cache = folders.cache_dir() / "models" / model.name
    return _Places(() if folder is None else (folder / model.name, folder), cache)


def _named_folder(models_dir: Path | None) -> Path | None:
    """Return the user's folder; raise WeightsError if it does not exist."""
    named = models_dir or os.environ.get("NST_VIDEO_MODELS") or None
    if named is None:
        return None
    found = look_up(named)
    if found.kind is not PathKind.FOLDER:
        problem = "it is a file" if found.kind is PathKind.FILE else found.problem
        raise WeightsError(
            f"No folder {short_name(named)} to read models from ({problem}): check --models-dir "
            "or NST_VIDEO_MODELS."
        )
    return found.path


def _embedded_files(model: ModelFiles) -> dict[str, Path]:
    """Return every file of an embedded model by its stem."""
    paths = {path.stem: path for path in sorted(EMBEDDED_DIR.glob("*.npz"))}
    if not paths:
        raise ModelMissingError(
            f"This copy of nst-video was built without the {model.name} model: "
            "use --model magenta-lite, or install a released package."
        )
    return paths


def _find_files(
    model: ModelFiles,
    places: _Places,
    *,
    may_fetch: bool,
    trust: bool,
    on_progress: OnProgress | None,
) -> dict[str, Path]:
    """Return the path of every single file of a model, see `resolve`."""
    paths = {}
    for file in model.files:
        path = _given_file(file, places, trust=trust) or _cached_file(
            file, places, trust=trust, raises=not may_fetch
        )
        if path is None:
            _refuse_unless(may_fetch, model)
            path = fetch_file(file, places.cache, trust=trust, on_progress=on_progress)
        paths[file.role] = path
    return paths


def _find_archive(
    model: ModelFiles,
    archive: ModelArchive,
    places: _Places,
    *,
    may_fetch: bool,
    trust: bool,
    on_progress: OnProgress | None,
) -> dict[str, Path]:
    """Return the folder of a model that is one, see `resolve`."""
    folder = _given_archive(archive, places, trust=trust) or _cached_archive(
        archive, places, trust=trust, raises=not may_fetch
    )
    if folder is None:
        _refuse_unless(may_fetch, model)
        folder = fetch_archive(archive, places.cache, trust=trust, on_progress=on_progress)
    return {archive.role: folder}


def _install_files(
    model: ModelFiles, places: _Places, source: Path, *, trust: bool
) -> dict[str, Path]:
    """Copy the files of a model into the cache, after checking that all exist."""
    found = [(file, _given_file(file, places, trust=trust)) for file in model.files]
    if any(path is None for _, path in found):
        raise _missing(model, f"not in {source}")
    return {
        file.role: _copy_file(file, path, places.cache, trust=trust) for file, path in found if path
    }


def _install_archive(
    model: ModelFiles, archive: ModelArchive, places: _Places, source: Path, *, trust: bool
) -> dict[str, Path]:
    """Copy the folder of a model that is one into the cache."""
    folder = _given_archive(archive, places, trust=trust)
    if folder is None:
        raise _missing(model, f"not in {source}")
    copy = _copy_archive(folder, archive, places.cache)
    check_saved_model(copy, archive, trust=trust)
    return {archive.role: copy}


@contextmanager
def _plain_errors(model: ModelFiles) -> Iterator[None]:
    """Convert errors of the file system to WeightsError."""
    try:
        yield
    except OSError as error:
        raise WeightsError(
            f"Cannot read or write the files of model {model.name}: {error.strerror or error} "
            f"({error.filename}); make room, or set NST_VIDEO_HOME to a folder that can be written."
        ) from error


def _given_file(file: ModelFile, places: _Places, *, trust: bool) -> Path | None:
    """Return the file in the user's folder; None if it is missing."""
    path = _first_of(file, places.given)
    if path is not None:
        check_file(path, file.variants, trust=trust)
    return path


def _cached_file(file: ModelFile, places: _Places, *, trust: bool, raises: bool) -> Path | None:
    """Return the file in the cache; a wrong one raises or counts as missing."""
    path = _first_of(file, (places.cache,))
    if path is None:
        return None
    try:
        check_file(path, file.variants, trust=trust)
    except HashMismatchError:
        if raises:
            raise
        path.unlink(missing_ok=True)
        return None
    return path


def _given_archive(archive: ModelArchive, places: _Places, *, trust: bool) -> Path | None:
    """Return the user's SavedModel folder; None if there is none."""
    for folder in places.given:
        if (folder / archive.graph.name).is_file():
            check_saved_model(folder, archive, trust=trust)
            return folder
    return None


def _cached_archive(
    archive: ModelArchive, places: _Places, *, trust: bool, raises: bool
) -> Path | None:
    """Return the SavedModel folder in the cache; a damaged one raises or counts as missing."""
    if not places.cache.is_dir():
        return None
    try:
        check_saved_model(places.cache, archive, trust=trust)
    except WeightsError:
        if raises:
            raise
        return None
    return places.cache


def _first_of(file: ModelFile, candidates: tuple[Path, ...]) -> Path | None:
    """Return the first file, under any of its names, in the first folder that has one."""
    paths = (folder / variant.name for folder in candidates for variant in file.variants)
    return next((path for path in paths if path.is_file()), None)


def _copy_file(file: ModelFile, source: Path, folder: Path, *, trust: bool) -> Path:
    """Copy a verified file atomically; other variants of it are removed."""
    target = folder / source.name
    with source.open("rb") as reader:
        folders.write_atomically(target, lambda writer: shutil.copyfileobj(reader, writer))
    check_file(target, file.variants, trust=trust)
    for variant in file.variants:
        if variant.name != source.name:
            (folder / variant.name).unlink(missing_ok=True)
    return target


def _copy_archive(source: Path, archive: ModelArchive, target: Path) -> Path:
    """Copy a verified SavedModel folder: the graph and the complete checkpoint."""
    with private_folder(target.parent, target.name) as parts:
        copy = parts / target.name
        variables = copy / "variables"
        variables.mkdir(parents=True)
        shutil.copyfile(source / archive.graph.name, copy / archive.graph.name)
        for path in (source / "variables").glob("variables.*"):
            shutil.copyfile(path, variables / path.name)
        publish_folder(copy, target, lambda _: False)
    return target


def _refuse_unless(may_fetch: bool, model: ModelFiles) -> None:
    if not may_fetch:
        raise _missing(model, "not on this machine")


def _missing(model: ModelFiles, where: str) -> ModelMissingError:
    return ModelMissingError(
        f"The files of model {model.name} are {where}: run `nst-video models fetch {model.name}` "
        f"where there is a network, `nst-video models fetch {model.name} --from DIR` to copy them "
        "from a folder, or name a folder in NST_VIDEO_MODELS."
    )
