"""The queue of films: one is painted at a time, by the same jobs as on the command line.

What is finished of a film survives the server: paused or interrupted, it goes on from there.
"""

import shlex
import threading
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from itertools import count

from nst_video.errors import NstVideoError
from nst_video.frames import Frame
from nst_video.system.thread_priority import run_at_low_priority
from nst_video.transcode import Progress, ResumeOptions, transcode
from nst_video.transcode.painters import Painter
from nst_video.web.camera_session import encode_jpeg
from nst_video.web.film_painter import WatchedPainter
from nst_video.web.film_store import Film, FilmStore
from nst_video.web.look import Look
from nst_video.web.problems import ProblemError, without_paths

PAINTED = "painted.jpg"
"""The newest painted frame, kept for when the film is not being painted."""


class _Stopped(Exception):  # noqa: N818 - not a failure: somebody has asked for it
    """The film is paused or deleted, or the server ends."""


class Films:
    """Films and their queue. Thread-safe.

    Attributes:
        store: keeps the films.
        is_elsewhere: another server of this user has the films.
    """

    def __init__(
        self,
        store: FilmStore,
        open_painter: Callable[[Look], WatchedPainter],
        *,
        goes_on: bool = True,
    ) -> None:
        """Take up what is kept, unless another server of this user has it.

        Args:
            store: keeps the films.
            open_painter: returns a painter for a look; slow.
            goes_on: films that were being painted are queued again; otherwise they are paused.
        """
        self.store = store
        self.is_elsewhere = not store.acquire()
        self._open = open_painter
        self._films = {} if self.is_elsewhere else {film.id: film for film in store.load()}
        self._changed = threading.Condition()
        self._numbers = count(1)
        unfinished = [film for film in self._films.values() if not film.is_over]
        for film in unfinished:
            film.state = "queued" if goes_on else "paused"
        self._queue = [film.id for film in unfinished if goes_on]
        self._painter: WatchedPainter | None = None
        self._running: str | None = None
        self._stop = ""
        self._is_over = False
        self._thread = threading.Thread(target=self._work, name="films", daemon=True)

    def start(self) -> None:
        """Begin to paint what is queued."""
        self._thread.start()

    def close(self) -> None:
        """Interrupt what is being painted; it goes on when the server starts again."""
        with self._changed:
            self._is_over = True
            self._changed.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=5)
        self.store.release()

    @property
    def number(self) -> int:
        """How many films there are."""
        return len(self._films)

    def add(self, film: Film) -> None:
        """Add a film that has been uploaded."""
        with self._changed:
            self._films[film.id] = film
            self._note(film)

    def get(self, id_: str) -> Film:
        """Return a film.

        Raises:
            ProblemError: there is none of that id.
        """
        film = self._films.get(id_)
        if film is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "There is no such film.")
        return film

    def describe(self, film: Film) -> dict[str, object]:
        """Return a film as it is sent."""
        place = self._queue.index(film.id) + 1 if film.id in self._queue else 0
        return film.describe(place)

    def all(self) -> list[Film]:
        """Return all films, the oldest first."""
        return list(self._films.values())

    def enqueue(self, id_: str, look: Look | None = None) -> Film:
        """Have a film painted after those before it; `look` None goes on in that of before.

        Raises:
            ProblemError: it is being painted already.
        """
        film = self.get(id_)
        with self._changed:
            if not film.is_over:
                raise ProblemError(HTTPStatus.CONFLICT, f"{film.name} is being painted already.")
            if look is not None:
                film.look = look
            if film.state == "done" or look is not None:
                film.frame = 0
            film.state, film.text, film.notes = "queued", "", ()
            self._queue.append(id_)
            self._keep(film)
            self._changed.notify_all()
        return film

    def pause(self, id_: str) -> Film:
        """Stop painting a film, to go on later.

        Raises:
            ProblemError: it is neither queued nor being painted.
        """
        film = self.get(id_)
        with self._changed:
            if film.is_over:
                raise ProblemError(HTTPStatus.CONFLICT, f"{film.name} is not being painted.")
            if id_ in self._queue:
                self._queue.remove(id_)
                film.state = "paused"
                self._keep(film)
            else:
                self._stop = id_
        return film

    def remove(self, id_: str) -> None:
        """Delete a film and everything made of it, once it is not being painted any more."""
        film = self.get(id_)
        with self._changed:
            if id_ in self._queue:
                self._queue.remove(id_)
            self._stop = id_
            del self._films[id_]
            self._note(film)
            self._changed.wait_for(lambda: self._running != id_, timeout=10)
        self.store.remove(id_)

    def painted(self, id_: str) -> bytes:
        """Return the newest painted frame of a film as JPEG.

        Raises:
            ProblemError: there is none yet.
        """
        self.get(id_)
        painter = self._painter if self._running == id_ else None
        newest: Frame | None = None if painter is None else painter.newest
        if newest is not None:
            return encode_jpeg(newest)
        with suppress(OSError):
            return (self.store.folder / id_ / PAINTED).read_bytes()
        raise ProblemError(HTTPStatus.NOT_FOUND, "No frame has been painted yet.")

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queue or self._is_over)
                if self._is_over:
                    return
                self._running, self._stop = self._queue.pop(0), ""
                film = self._films[self._running]
                film.state = "running"
                self._keep(film)
            self._paint(film)
            with self._changed:
                self._running = self._painter = None
                if film.id in self._films:
                    self._keep(film)
                self._changed.notify_all()

    def _paint(self, film: Film) -> None:
        """Paint a film and note how that ended."""
        try:
            result = run_at_low_priority(lambda: self._transcode(film))
        except _Stopped:
            film.state = "queued" if self._is_over else "paused"
        except NstVideoError as error:
            film.state, film.text = "failed", without_paths(str(error))
        except Exception as error:  # noqa: BLE001 - the queue goes on with the next film
            film.state, film.text = "failed", f"Painting failed: {type(error).__name__}."
        else:
            film.state, film.notes = "done", tuple(map(without_paths, result))
            film.frame, film.remaining_s = film.info.frame_count or film.frame, None
        self._keep_newest(film)

    def _transcode(self, film: Film) -> tuple[str, ...]:
        painter = self._painter = self._open(film.look)

        def note(progress: Progress) -> None:
            if self._is_over or self._stop == film.id:
                raise _Stopped
            film.frame, film.remaining_s = progress.frame, progress.remaining_s
            film.painted_fps = progress.fps
            self._note(film)

        return _transcode(film, painter, note)

    def _keep_newest(self, film: Film) -> None:
        newest = None if self._painter is None else self._painter.newest
        if newest is not None and film.id in self._films:
            with suppress(OSError):
                (self.store.folder / film.id / PAINTED).write_bytes(encode_jpeg(newest))

    def _keep(self, film: Film) -> None:
        self._note(film)
        self.store.save(film)

    def _note(self, film: Film) -> None:
        film.version = next(self._numbers)


def _transcode(
    film: Film, painter: Painter, on_progress: Callable[[Progress], None]
) -> tuple[str, ...]:
    """Paint a film; return sentences about the result."""
    styles = [part for name in film.look.names for part in ("--style", name)]
    words = ["nst-video", "transcode", str(film.source), "-o", str(film.target), *styles]
    resume = ResumeOptions(command=shlex.join(words))
    done = transcode(
        film.source,
        film.target,
        painter,
        resume=resume,
        on_progress=on_progress,
        overwrite=True,
    )
    return done.notes
