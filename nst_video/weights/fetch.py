"""Downloads model files: mirrors in order, interrupted transfers resumed, results atomic."""

import contextlib
import gzip
import secrets
import shutil
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, TypeAlias, cast

from nst_video.errors import DownloadError, HashMismatchError, WeightsError
from nst_video.weights.checks import check_file, check_saved_model
from nst_video.weights.table import ModelArchive, ModelFile

if TYPE_CHECKING:
    pass

_PAUSES_S = (0.0, 0.5, 1.0)
"""Seconds to wait before each attempt at one mirror."""

_TIMEOUTS_S = (10.0, 60.0)
"""Longest wait for a connection, and for the next bytes."""

_CHUNK = 1 << 16

TRUSTED_FACTOR = 4
"""How many times larger than expected a file may be that the user trusts."""

ARCHIVE_EXTRA = 1 << 20
"""Bytes that an archive may have besides its members."""

_PUBLISH_ATTEMPTS = 5
_ABANDONED_S = 24 * 3600
_OVERLOADED = 429
_RANGE_REFUSED = 416


@dataclass(frozen=True, slots=True)
class FetchProgress:
    """Progress of a download.

    Attributes:
        name: of the file.
        done: bytes received.
        total: bytes to receive; None where unknown.
    """

    name: str
    done: int
    total: int | None


OnProgress: TypeAlias = Callable[[FetchProgress], None]


def fetch_file(
    file: ModelFile, folder: Path, *, trust: bool = False, on_progress: OnProgress | None = None
) -> Path:
    """Download one file into `folder` and return its path.

    Args:
        file: its variants are the mirrors, tried in order.
        folder: created if missing.
        trust: keep the file whatever its hash.
        on_progress: called after every chunk.

    Raises:
        HashMismatchError: a mirror delivered another file, and no other mirror succeeded.
        DownloadError: no mirror delivered a complete file.
    """
    failures: list[str] = []
    mismatch: HashMismatchError | None = None
    largest = max(variant.size for variant in file.variants) * (TRUSTED_FACTOR if trust else 1)
    for variant in file.variants:
        with private_folder(folder, variant.name) as parts:
            part = parts / variant.name
            try:
                download(variant.url, part, largest=largest, on_progress=on_progress)
                check_file(part, file.variants, trust=trust)
            except HashMismatchError as error:
                mismatch = error
            except DownloadError as error:
                failures.append(str(error))
            else:
                return part.replace(folder / variant.name)
    raise mismatch or _all_failed(failures)


def fetch_archive(
    archive: ModelArchive,
    folder: Path,
    *,
    trust: bool = False,
    on_progress: OnProgress | None = None,
) -> Path:
    """Download an archive, unpack its known members to `folder` and return that.

    Raises:
        HashMismatchError: a member differs from the known one, and no other mirror succeeded.
        DownloadError: no mirror delivered a complete archive.
    """
    failures: list[str] = []
    mismatch: HashMismatchError | None = None
    largest = sum(member.size for member in archive.members) + ARCHIVE_EXTRA
    for url in archive.urls:
        with private_folder(folder.parent, folder.name) as parts:
            packed, unpacked = parts / f"{folder.name}.tar.gz", parts / folder.name
            try:
                download(url, packed, largest=largest, on_progress=on_progress)
                _unpack(packed, archive, unpacked, largest)
                check_saved_model(unpacked, archive, trust=trust, exact=True)
            except HashMismatchError as error:
                mismatch = error
            except DownloadError as error:
                failures.append(str(error))
            else:
                publish_folder(unpacked, folder, partial(_is_whole, archive))
                return folder
    raise mismatch or _all_failed(failures)


def download(url: str, part: Path, *, largest: int, on_progress: OnProgress | None = None) -> None:
    """Download `url` to the file `part`; interrupted transfers are resumed.

    Args:
        url: the address.
        part: the file.
        largest: maximum size in bytes; nothing beyond it is written.
        on_progress: called after every chunk.

    Raises:
        DownloadError: all attempts failed, the server refuses, or the file is too large.
    """
    import requests

    reason = ""
    with part.open("wb") as file:
        for pause_s in _PAUSES_S:
            time.sleep(pause_s)
            try:
                _receive(url, _Limited(file, largest), part.name, on_progress)
            except _TooLargeError as error:
                raise DownloadError(f"{url}: {error}") from None
            except requests.RequestException as error:
                reason = _reason(error)
                if not _is_transient(error):
                    break
            else:
                return
    raise DownloadError(f"{url}: {reason}")


def publish_folder(source: Path, target: Path, is_good: Callable[[Path], bool]) -> None:
    """Rename a complete folder to `target`.

    A folder that another process has put there is kept if it is valid, because it may be in use.
    Otherwise it is moved away first: a folder cannot be renamed over one that is not empty.

    Args:
        source: the folder; the old one is moved into its parent.
        target: final path.
        is_good: whether the folder at `target` is valid.
    """
    for attempt in range(_PUBLISH_ATTEMPTS):
        try:
            source.rename(target)
        except OSError:
            if not target.is_dir() or attempt + 1 == _PUBLISH_ATTEMPTS:
                raise
        else:
            return
        if is_good(target):
            return
        with contextlib.suppress(FileNotFoundError):
            target.rename(source.with_name(f"replaced-{attempt}"))


class _TooLargeError(Exception):
    """A file exceeds its maximum size."""


class _Limited:
    """A file, open for reading or writing, of a bounded number of bytes."""

    def __init__(self, file: IO[bytes], largest: int) -> None:
        self.file = file
        self._left = self._largest = largest

    def start_over(self) -> None:
        """Empty the file."""
        self.file.seek(0)
        self.file.truncate()
        self._left = self._largest

    def start_at_end(self) -> int:
        """Seek to the end and return the size of the file in bytes."""
        size = self.file.seek(0, 2)
        self._left = self._largest - size
        return size

    def expect(self, count: int) -> None:
        """Raise if `count` more bytes would exceed the limit."""
        if count > self._left:
            raise _TooLargeError(f"more than the {self._largest} bytes that it may have")

    def write(self, data: bytes) -> int:
        """Append bytes."""
        self.expect(len(data))
        self._left -= len(data)
        return self.file.write(data)

    def read(self, count: int = -1) -> bytes:
        """Read up to `count` bytes, all for -1."""
        data = self.file.read(min(count, self._left + 1) if count >= 0 else self._left + 1)
        self.expect(len(data))
        self._left -= len(data)
        return data

    def flush(self) -> None:
        """Flush the file."""
        self.file.flush()


def _receive(url: str, file: _Limited, name: str, on_progress: OnProgress | None) -> None:
    """Make one attempt: append the missing bytes, or start over if the server sends all."""
    import requests

    start = file.start_at_end()
    headers = {"Accept-Encoding": "identity"}
    if start:
        headers["Range"] = f"bytes={start}-"
    with requests.get(url, stream=True, timeout=_TIMEOUTS_S, headers=headers) as response:
        if response.status_code in (200, _RANGE_REFUSED):
            file.start_over()
            start = 0
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        total = start + int(length) if length.isdecimal() else None
        if total is not None:
            file.expect(total - start)
        done = start
        for chunk in response.iter_content(_CHUNK):
            done += file.write(chunk)
            file.flush()
            if on_progress:
                on_progress(FetchProgress(name, done, total))


def _is_transient(error: Exception) -> bool:
    """Return whether another attempt may succeed."""
    import requests

    if isinstance(error, requests.HTTPError):
        status = error.response.status_code if error.response is not None else 0
        return status >= 500 or status in (_OVERLOADED, _RANGE_REFUSED)
    lasting = (requests.ConnectTimeout, requests.exceptions.InvalidURL)
    return isinstance(error, requests.RequestException) and not isinstance(error, lasting)


def _reason(error: Exception) -> str:
    """Return why a request failed, in a few words and without library internals."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answered {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return type(error).__name__


def _is_whole(archive: ModelArchive, folder: Path) -> bool:
    try:
        check_saved_model(folder, archive)
    except (WeightsError, OSError):
        return False
    return True


def _unpack(packed: Path, archive: ModelArchive, target: Path, largest: int) -> None:
    """Extract the known members of a `.tar.gz` to `target`; others are ignored.

    The stream is read to its end, where gzip's checksum is: the only one for members without a
    known hash.

    Raises:
        DownloadError: it is no such archive, is damaged, or lacks a member.
    """
    missing = {member.name for member in archive.members}
    try:
        with gzip.open(packed) as unlimited:
            stream = _Limited(cast("IO[bytes]", unlimited), largest)
            with tarfile.open(fileobj=cast("IO[bytes]", stream), mode="r|") as tar:
                for info in tar:
                    name = info.name.removeprefix("./")
                    source = tar.extractfile(info) if name in missing else None
                    if source is not None:
                        _write(source, target / name)
                        missing.remove(name)
            while stream.read(_CHUNK):
                pass
    except (_TooLargeError, tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise DownloadError(f"{packed.name}: not a whole model archive ({error})") from error
    if missing:
        raise DownloadError(f"{packed.name}: the archive lacks {', '.join(sorted(missing))}")


def _write(source: IO[bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        shutil.copyfileobj(source, file, _CHUNK)


@contextlib.contextmanager
def private_folder(folder: Path, name: str) -> Iterator[Path]:
    """Create a private folder `.NAME.XXXX.part` in `folder`, and remove it at the end.

    Old ones that killed processes left behind are removed too.
    """
    for old in folder.glob(f".{name}.*.part"):
        if time.time() - old.stat().st_mtime > _ABANDONED_S:
            shutil.rmtree(old, ignore_errors=True)
    parts = folder / f".{name}.{secrets.token_hex(4)}.part"
    parts.mkdir(parents=True)
    try:
        yield parts
    finally:
        shutil.rmtree(parts, ignore_errors=True)


def _all_failed(failures: list[str]) -> DownloadError:
    return DownloadError(
        f"No mirror delivered the model files ({'; '.join(failures)}): check the network, install "
        "them from disk with `nst-video models fetch NAME --from DIR`, name a folder in "
        "NST_VIDEO_MODELS, or use `builtin`, which needs no download."
    )
