"""Films on disk: each has a folder with its source, a record, the journal and the result."""

import json
import secrets
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.frames import VideoInfo
from nst_video.system.file_lock import FileLock
from nst_video.system.paths import data_dir, write_atomically
from nst_video.video.media.containers import default_suffix
from nst_video.web.film_files import safe_stem, safe_suffix
from nst_video.web.look import Look, changed

FilmState: TypeAlias = Literal["uploaded", "queued", "running", "paused", "done", "failed"]

RECORD = "film.json"
_DIGITS = 6


@dataclass
class Film:
    """A film that has been uploaded or chosen, and what becomes of it.

    Attributes:
        id: names it, and its folder.
        name: for display.
        source: the file.
        target: of the painted film.
        info: size, rate and length of the source.
        state: what becomes of it.
        text: a sentence about that, or empty.
        look: in which it is painted.
        frame: frames painted.
        remaining_s: estimated seconds to the end, None where unknown.
        painted_fps: frames painted per second.
        notes: sentences about the result.
        version: changes with everything else.
    """

    id: str
    name: str
    source: Path
    target: Path
    info: VideoInfo
    state: FilmState = "uploaded"
    text: str = ""
    look: Look = field(default_factory=Look)
    frame: int = 0
    remaining_s: float | None = None
    painted_fps: float = 0.0
    notes: tuple[str, ...] = ()
    version: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing more happens by itself."""
        return self.state not in ("queued", "running")

    def describe(self, place: int) -> dict[str, object]:
        """Return the film as it is sent; `place` is its position in the queue, 0 without."""
        frames, address = self.info.frame_count, f"/api/films/{self.id}"
        has_result = self.state == "done" and self.target.is_file()
        return {
            "id": self.id,
            "name": self.name,
            "state": self.state,
            "text": self.text,
            "notes": list(self.notes),
            "look": self.look.to_json(),
            "width": self.info.size[0],
            "height": self.info.size[1],
            "fps": round(float(self.info.fps), 3),
            "frames": frames,
            "duration_s": self.info.duration_s,
            "frame": self.frame,
            "done": min(1.0, self.frame / frames) if frames else 0.0,
            "remaining_s": None if self.remaining_s is None else round(self.remaining_s, 1),
            "painted_fps": round(self.painted_fps, 1),
            "bytes": self.target.stat().st_size if has_result else None,
            "place": place,
            "preview": f"{address}/painted.jpg?n={self.frame}" if self.frame else None,
        }


class FilmStore:
    """Keeps films in folders, so that they survive the server."""

    def __init__(self, folder: Path | None = None) -> None:
        """Choose the folder, by default one of the user's data folder."""
        self.folder = folder or data_dir() / "serve" / "films"
        self._lock = FileLock(self.folder / "lock")

    def acquire(self) -> bool:
        """Take the films for this process; False where another server has them."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return self._lock.acquire()

    def release(self) -> None:
        """Give the films back."""
        self._lock.release()

    def reserve(self, name: str) -> tuple[str, Path]:
        """Return a new id, and where to write the film's source."""
        id_ = secrets.token_hex(_DIGITS)
        folder = self.folder / id_
        folder.mkdir(parents=True)
        return id_, folder / f"source{safe_suffix(name)}"

    def make(self, id_: str, name: str, source: Path, info: VideoInfo, look: Look) -> Film:
        """Return the film of a reserved id, and keep it."""
        stem = safe_stem(name)
        target = self.folder / id_ / f"{stem}-painted{default_suffix(source)}"
        film = Film(id_, f"{stem}{source.suffix}", source, target, info, look=look)
        self.save(film)
        return film

    def save(self, film: Film) -> None:
        """Write the record of a film."""
        record = {
            "name": film.name,
            "source": str(film.source),
            "target": film.target.name,
            "info": [*film.info.size, str(film.info.fps), film.info.frame_count],
            "state": film.state,
            "text": film.text,
            "notes": list(film.notes),
            "look": film.look.to_json(),
            "frame": film.frame,
        }
        path = self.folder / film.id / RECORD
        write_atomically(path, lambda file: file.write(json.dumps(record).encode()))

    def load(self) -> list[Film]:
        """Return the films that are kept, the oldest first; damaged records are ignored."""
        found = []
        for path in self.folder.glob(f"*/{RECORD}"):
            with suppress(OSError, ValueError, KeyError, TypeError, UsageError):
                found.append((path.parent.stat().st_ctime, _read(path)))
        return [film for _, film in sorted(found, key=lambda each: each[0])]

    def remove(self, id_: str) -> None:
        """Delete everything of a film."""
        shutil.rmtree(self.folder / id_, ignore_errors=True)

    def free_bytes(self) -> int:
        """Return how much room the disk has."""
        self.folder.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self.folder).free


def _read(path: Path) -> Film:
    record = json.loads(path.read_text("utf-8"))
    width, height, fps, count = record["info"]
    if record["state"] not in get_args(FilmState):
        raise ValueError(record["state"])
    return Film(
        id=path.parent.name,
        name=record["name"],
        source=Path(record["source"]),
        target=path.parent / record["target"],
        info=VideoInfo((width, height), Fraction(fps), count),
        state=record["state"],
        text=record["text"],
        notes=tuple(record["notes"]),
        look=changed(Look(), record["look"]),
        frame=record["frame"],
    )
