"""Verifies model files by SHA-256; digests are cached, so that a start does not hash megabytes."""

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from nst_video.errors import HashMismatchError, WeightsError
from nst_video.system import paths
from nst_video.weights.table import FileVariant, ModelArchive


@dataclass(frozen=True, slots=True)
class _Stamp:
    """Cached digests of a file, with its size and time, and whether the user trusts the file."""

    size: int
    mtime_ns: int
    sha256: str
    md5: str
    trusted: bool


def check_file(path: Path, accepted: Sequence[FileVariant], *, trust: bool = False) -> None:
    """Make sure that a file is one of the accepted variants.

    Args:
        path: an existing file.
        accepted: the variants.
        trust: accept any contents, and remember that until the file changes.

    Raises:
        HashMismatchError: it is none of them.
    """
    stamp = _stamp_of(path)
    if trust and not stamp.trusted:
        stamp = replace(stamp, trusted=True)
        _remember(path, stamp)
    if stamp.trusted or any(_is(stamp, variant) for variant in accepted):
        return
    expected = " or ".join(_expectation(variant) for variant in accepted)
    raise HashMismatchError(
        f"{path.name} in {path.parent} is not the expected file: found SHA-256 {stamp.sha256} "
        f"({stamp.size} bytes), expected {expected}; fetch it again, or give --trust to "
        "`nst-video models fetch` if you know where it is from."
    )


def check_saved_model(
    folder: Path, archive: ModelArchive, *, trust: bool = False, exact: bool = False
) -> None:
    """Make sure that a folder holds the archive's complete SavedModel.

    The graph must be the known one. The checkpoint is compared with the known one when its index
    is; another index means a checkpoint retrained for the same graph, of which only the presence
    of every shard can be checked here (TensorFlow checks a CRC-32C of every tensor on reading).

    Args:
        folder: holds `saved_model.pb` and `variables/`.
        archive: the table's entry.
        trust: accept any contents.
        exact: accept only the known checkpoint, as after a download.

    Raises:
        HashMismatchError: a member differs from the known one.
        WeightsError: a member is missing.
    """
    graph, index = (_member(folder, archive, name) for name in (archive.graph.name, ".index"))
    _require(folder, graph)
    _require(folder, index)
    check_file(folder / graph.name, [graph], trust=trust)
    if exact or _is(_stamp_of(folder / index.name), index):
        for member in archive.members:
            _require(folder, member)
            check_file(folder / member.name, [member], trust=trust)
    else:
        _require_all_shards(folder / index.name)


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, from memory when the file has not changed."""
    return _stamp_of(path).sha256


def is_trusted(path: Path) -> bool:
    """Return whether the user trusts the file in its current state."""
    return _stamp_of(path).trusted


def read_again(path: Path) -> None:
    """Hash a file again; trust in it ends if its contents changed."""
    old = _stamp_of(path)
    _stamp_path(path.stat()).unlink(missing_ok=True)
    new = _stamp_of(path)
    if old.trusted and new.sha256 == old.sha256:
        _remember(path, replace(new, trusted=True))


def _is(stamp: _Stamp, variant: FileVariant) -> bool:
    if variant.sha256 is not None:
        return stamp.sha256 == variant.sha256
    return stamp.size == variant.size and variant.md5 in (None, stamp.md5)


def _expectation(variant: FileVariant) -> str:
    if variant.md5 and not variant.sha256:
        return f"MD5 {variant.md5} ({variant.size} bytes)"
    return variant.sha256 or f"a size of {variant.size} bytes"


def _member(folder: Path, archive: ModelArchive, suffix: str) -> FileVariant:
    return next(member for member in archive.members if member.name.endswith(suffix))


def _require(folder: Path, member: FileVariant) -> None:
    if not (folder / member.name).is_file():
        raise WeightsError(
            f"The model in {folder} is incomplete, {member.name} is missing: "
            "fetch it again or copy the whole folder."
        )


def _require_all_shards(index: Path) -> None:
    """Raise WeightsError unless every `variables.data-I-of-N` that the names promise is there."""
    shards = sorted(index.parent.glob(f"{index.stem}.data-*-of-*"))
    counts = {int(shard.name.rpartition("-of-")[2]) for shard in shards}
    if len(counts) != 1 or len(shards) != counts.pop():
        raise WeightsError(
            f"The model in {index.parent.parent} is incomplete: {len(shards)} data files belong "
            f"to {index.name}, and not all it needs; copy the whole folder."
        )


def _stamp_of(path: Path) -> _Stamp:
    """Return the stamp of a file; the file is read only if its size or a time has changed."""
    status = path.stat()
    with contextlib.suppress(OSError, ValueError, TypeError):
        old = _Stamp(**json.loads(_stamp_path(status).read_text("utf-8")))
        if (old.size, old.mtime_ns) == (status.st_size, status.st_mtime_ns):
            return old
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        md5 = hashlib.file_digest(file, _plain_md5).hexdigest()
    stamp = _Stamp(status.st_size, status.st_mtime_ns, sha256, md5, trusted=False)
    _remember(path, stamp)
    return stamp


def _plain_md5() -> "hashlib._Hash":
    """Return an MD5 hash, used to detect damage only."""
    return hashlib.md5(usedforsecurity=False)


def _remember(path: Path, stamp: _Stamp) -> None:
    """Write a stamp; if the cache is not writable, the file is hashed again next time."""
    text = json.dumps(asdict(stamp)).encode()
    with contextlib.suppress(OSError):
        paths.write_atomically(_stamp_path(path.stat()), lambda file: file.write(text))


def _stamp_path(status: os.stat_result) -> Path:
    """Return where a file's stamp is kept: by file number, so that it survives a rename."""
    return paths.cache_dir() / "verified" / f"{status.st_dev:x}-{status.st_ino:x}.json"
