"""Verifies the files of a model by reading them completely, without cached digests."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import WeightsError
from nst_video.system.stderr import quiet_stderr
from nst_video.weights.checks import digest_of, is_trusted, read_again
from nst_video.weights.store import find_model, resolve
from nst_video.weights.table import ALL_MODELS, ModelFiles

_CHECKPOINT = "variables/variables"


@dataclass(frozen=True, slots=True)
class VerifiedFile:
    """A file that was verified.

    Attributes:
        path: the file.
        sha256: of its contents, hexadecimal.
        basis: what it was compared with, in words.
    """

    path: Path
    sha256: str
    basis: str


def verify(
    name: str,
    *,
    models_dir: Path | None = None,
    models: Mapping[str, ModelFiles] = ALL_MODELS,
) -> list[VerifiedFile]:
    """Read all files of a model and verify them; never download.

    Args:
        name: of a model in the table.
        models_dir: as for `resolve`.
        models: the table.

    Returns:
        Every file, in order of the path.

    Raises:
        UsageError: no model has this name.
        HashMismatchError: a file is not one of the known variants.
        WeightsError: a file is missing, or a tensor differs from its checksum.
    """
    model = find_model(name, models)
    found = resolve(name, models_dir=models_dir, offline=True, models=models)
    files = [file for path in found.values() for file in _files_of(path)]
    for file in files:
        read_again(file)
    resolve(name, models_dir=models_dir, offline=True, models=models)
    if model.archive:
        _read_every_tensor(found[model.archive.role] / _CHECKPOINT)
    known = _known_hashes(model)
    return [VerifiedFile(file, digest_of(file), _basis(file, model, known)) for file in files]


def _files_of(path: Path) -> list[Path]:
    """Return the file itself, or the files of a SavedModel folder."""
    return sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]


def _known_hashes(model: ModelFiles) -> set[str | None]:
    members = model.archive.members if model.archive else ()
    variants = (variant for file in model.files for variant in file.variants)
    return {variant.sha256 for variant in (*members, *variants)}


def _basis(file: Path, model: ModelFiles, known: set[str | None]) -> str:
    """Return what a valid file was compared with, in words."""
    if digest_of(file) in known:
        return "known SHA-256"
    if is_trusted(file):
        return "trusted by you"
    if model.embedded:
        return "part of the package"
    if any(variant.md5 for part in model.files for variant in part.variants):
        return "known MD5"
    return "the checkpoint's own CRC-32C" if ".data-" in file.name else "no known SHA-256"


def _read_every_tensor(checkpoint: Path) -> None:
    """Let TensorFlow compare every tensor with its CRC-32C in the index."""
    with quiet_stderr():
        import tensorflow as tf

    try:
        reader = tf.train.load_checkpoint(str(checkpoint))
        for key in reader.get_variable_to_shape_map():
            reader.get_tensor(key)
    except (tf.errors.OpError, ValueError, RuntimeError, IndexError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise WeightsError(
            f"The checkpoint {checkpoint} is damaged ({reason}): fetch or copy it again."
        ) from error
