"""Drives the workers: plans films, orders chunks, records them, and joins what is complete."""

import queue
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from typing import TypeAlias

from nst_video.errors import NstVideoError
from nst_video.transcode.chunked import finish_film, open_journal
from nst_video.transcode.chunked_film import plan_film
from nst_video.transcode.painters import Painter
from nst_video.transcode.parallel.messages import (
    Advance,
    ChunkOrder,
    Failed,
    FilmOrder,
    Finished,
    FromWorker,
    Notes,
    Nothing,
    Request,
)
from nst_video.transcode.parallel.schedule import ChunkSchedule, Task
from nst_video.transcode.parallel.state import FilmJob, OpenFilm, WorkerState
from nst_video.transcode.parallel.worker_pool import WorkerPool
from nst_video.transcode.pipeline import prepare_target, transcode, usual_batch_size
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.transcode.result import ResumeOptions, TranscodeResult
from nst_video.video.media.codec_options import TranscodeOptions
from nst_video.video.sources import VideoFileSource, open_source

TRIES = 3
"""How often a chunk may take its worker with it before it counts as failed."""

POLL_S = 0.1
"""Longest single wait in seconds, so that Ctrl-C is noticed on every system."""


Outcome: TypeAlias = TranscodeResult | NstVideoError
OnFilm: TypeAlias = Callable[[FilmJob, Outcome], None]
"""Called in the caller's thread as soon as a film is complete or has failed."""


def transcode_films(
    jobs: Sequence[FilmJob],
    painter: Painter,
    pool: WorkerPool,
    options: TranscodeOptions | None = None,
    *,
    resume: Callable[[FilmJob], ResumeOptions] = lambda job: ResumeOptions(),
    keep_going: bool = False,
    on_progress: OnProgress | None = None,
    on_film: OnFilm = lambda job, outcome: None,
) -> list[Outcome]:
    """Paint films by many workers; each as `transcode` does, and with the same frames.

    Films that hold no chunks, such as animations, are painted by this process at the end.

    Args:
        jobs: what to paint.
        painter: paints; the workers get copies.
        pool: the workers.
        options: which part of the films to read, and how to encode them.
        resume: whether finished chunks are used, and who is told.
        keep_going: paint the other chunks of a film of which one has failed.
        on_progress: called with the progress of all films together.
        on_film: called as films are complete or have failed.

    Returns:
        The outcome of each job.
    """
    driver = _Driver(jobs, painter, pool, options or TranscodeOptions(), resume, keep_going)
    driver.on_progress, driver.on_film = on_progress, on_film
    try:
        driver.run()
    finally:
        driver.close()
    return [driver.outcomes[number] for number in range(len(jobs))]


class _Driver:
    """See `transcode_films`."""

    def __init__(
        self,
        jobs: Sequence[FilmJob],
        painter: Painter,
        pool: WorkerPool,
        options: TranscodeOptions,
        resume: Callable[[FilmJob], ResumeOptions],
        keep_going: bool,
    ) -> None:
        self.outcomes: dict[int, Outcome] = {}
        self.on_progress: OnProgress | None = None
        self.on_film: OnFilm = lambda job, outcome: None
        self._jobs, self._painter, self._pool = jobs, painter, pool
        self._options, self._resume, self._keep_going = options, resume, keep_going
        self._unplanned = list(reversed(range(len(jobs))))
        self._at_once: list[int] = []
        self._schedule = ChunkSchedule()
        self._films: dict[int, OpenFilm] = {}
        self._hands: list[WorkerState] = []
        self._inbox: queue.SimpleQueue[tuple[WorkerState, FromWorker | None]] = queue.SimpleQueue()
        self._joining: dict[int, Future[TranscodeResult]] = {}
        self._joiner = ThreadPoolExecutor(1, "join-film")
        self._meter = ProgressMeter(0)
        self._busy_s = {"decode": 0.0, "paint": 0.0, "encode": 0.0}

    def run(self) -> None:
        """Paint everything."""
        self._plan_some()
        while self._films:
            self._hire()
            try:
                hand, message = self._inbox.get(timeout=POLL_S)
            except queue.Empty:
                pass
            else:
                self._handle(hand, message)
            self._collect()
            self._plan_some()
            self._serve_waiting()
        for number in self._at_once:
            self._paint_here(number)

    def close(self) -> None:
        """End all workers, and leave what is finished to the next run."""
        for hand in self._hands:
            if hand.worker is not None:
                hand.worker.close()
        self._joiner.shutdown()
        for film in self._films.values():
            film.report.tell_kept()
            film.closing.close()

    def _plan_some(self) -> None:
        """Open films, as many as there may be workers without one."""
        while self._unplanned and self._schedule.fresh_films < max(1, self._pool.wanted()):
            number = self._unplanned.pop()
            try:
                self._plan(number)
            except NstVideoError as error:
                self._note_outcome(number, error)

    def _plan(self, number: int) -> None:
        job = self._jobs[number]
        prepare_target(job.source, job.target, overwrite=job.overwrite)
        with ExitStack() as opened:
            source = opened.enter_context(open_source(job.source, self._options))
            film = None
            if isinstance(source, VideoFileSource):
                size = self._options.batch_size or usual_batch_size(self._painter, source.info.size)
                film = plan_film(
                    source, self._painter, self._options, job.target, size, min_chunks=1
                )
            if film is None:
                self._at_once.append(number)
                return
            journal, report = open_journal(film, self._resume(job), opened)
            open_film = OpenFilm(number, job, film, journal, opened.pop_all(), report)
        self._films[number] = open_film
        missing = journal.missing
        frames = sum(chunk.frame_count for chunk in film.job.chunks)
        self._meter.frame_count = (self._meter.frame_count or 0) + frames
        self._meter.frame += frames - sum(chunk.frame_count for chunk in missing)
        self._schedule.add(number, missing)
        if not missing:
            self._complete(open_film)

    def _hire(self) -> None:
        """Start workers until there are as many as there should be."""
        unfinished = self._schedule.left + sum(len(hand.tasks) for hand in self._hands)
        wanted = min(self._pool.wanted(), unfinished)
        while len(self._hands) < wanted:
            hand = WorkerState()
            self._hands.append(hand)
            hand.worker = self._pool.start(partial(self._put, hand))

    def _put(self, hand: WorkerState, message: FromWorker | None) -> None:
        self._inbox.put((hand, message))

    def _handle(self, hand: WorkerState, message: FromWorker | None) -> None:
        if message is None:
            self._bury(hand)
        elif isinstance(message, Request):
            if not self._order(hand) and hand.worker is not None:
                hand.waits = message.can_wait
                if not message.can_wait:
                    hand.worker.send(Nothing())
        elif isinstance(message, Advance):
            self._advance(message, hand)
        elif isinstance(message, Finished):
            self._record(hand, message)
        elif isinstance(message, Notes):
            if message.film in self._films:
                self._films[message.film].report.add_notes(message.texts)
        elif isinstance(message, Failed):
            self._fail(hand, message)

    def _serve_waiting(self) -> None:
        for hand in self._hands:
            if hand.waits and self._order(hand):
                hand.waits = False

    def _order(self, hand: WorkerState) -> bool:
        """Give a worker something to paint; return False if there is nothing."""
        if hand.worker is None or self._has_suspect(hand):
            return False
        if (task := self._schedule.take(hand.last)) is None:
            return False
        if hand.tasks and task.number in self._films[task.film].tries:
            self._schedule.give_back(task)
            return False
        film = self._films[task.film]
        job = film.film.job
        if task.film not in hand.films:
            folder = film.journal.folder.absolute() if self._pool.shares_folders else None
            order = FilmOrder(task.film, film.film.options, film.film.batch_size, job, folder)
            hand.worker.send(order)
            hand.films.add(task.film)
        before = film.journal.finished.get(task.number - 1)
        known = before.source_last if before else ""
        chunk = job.chunks[task.number]
        hand.worker.send(ChunkOrder(task.film, chunk, known, film.may_seek))
        hand.tasks.append(task)
        hand.last = task
        film.painting.add(task.number)
        return True

    def _has_suspect(self, hand: WorkerState) -> bool:
        """Return whether a worker has a chunk that has lost a worker before.

        It paints nothing else meanwhile: whose fault its end is would not be known.
        """
        return any(
            task.film in self._films and task.number in self._films[task.film].tries
            for task in hand.tasks
        )

    def _advance(self, message: Advance, hand: WorkerState) -> None:
        hand.advanced += message.frames
        for stage, seconds in message.busy_s.items():
            self._busy_s[stage] += seconds
        self._tell(message.frames)

    def _tell(self, frames: int) -> None:
        progress = self._meter.advance(frames, self._busy_s)
        if self.on_progress is not None:
            self.on_progress(progress)

    def _record(self, hand: WorkerState, message: Finished) -> None:
        number = message.painted.chunk.number
        task = Task(message.film, number)
        if task in hand.tasks:
            hand.tasks.remove(task)
        hand.advanced = max(0, hand.advanced - message.painted.frame_count)
        film = self._films.get(message.film)
        if film is None:
            return
        film.painting.discard(number)
        try:
            film.journal.take(message.painted, message.data)
        except NstVideoError as error:
            self._give_up(film, number, error)
        self._check_complete(film)

    def _fail(self, hand: WorkerState, message: Failed) -> None:
        """A worker could not paint a run: none of the chunks that it has taken of the film."""
        lost = [task for task in hand.tasks if task.film == message.film]
        self._release(hand, lost)
        film = self._films.get(message.film)
        if film is None or not lost:
            return
        error = message.error
        reason = error if isinstance(error, NstVideoError) else NstVideoError(str(error))
        first, *others = lost
        for task in others:
            self._schedule.give_back(task)
        self._give_up(film, first.number, reason)
        self._check_complete(film)

    def _bury(self, hand: WorkerState) -> None:
        """A worker has ended: others paint what it had taken."""
        worker, hand.worker, hand.waits = hand.worker, None, False
        self._hands.remove(hand)
        if worker is None:
            return
        how = worker.how_it_ended()
        worker.close()
        lost = list(hand.tasks)
        self._release(hand, lost)
        for position, task in enumerate(lost):
            if (film := self._films.get(task.film)) is not None:
                self._lose(film, task.number, how, is_to_blame=position == 0)

    def _lose(self, film: OpenFilm, number: int, how: str, *, is_to_blame: bool) -> None:
        """Have a chunk painted again whose worker has ended; not more than `TRIES` times."""
        if is_to_blame:
            film.tries[number] = film.tries.get(number, 0) + 1
        if film.tries.get(number, 0) >= TRIES:
            reason = (
                f"{film.describe(number)} of {film.job.source} cannot be painted: {TRIES} workers "
                f"have ended over it; of the last, {how}. Use fewer --workers, a smaller "
                "--work-size, or another --engine."
            )
            self._give_up(film, number, NstVideoError(reason))
        else:
            self._schedule.give_back(Task(film.number, number))
            if is_to_blame:
                film.report.tell(
                    f"{film.describe(number)} has lost its worker: {how}. Another paints it."
                )
        self._check_complete(film)

    def _release(self, hand: WorkerState, lost: Sequence[Task]) -> None:
        self._meter.frame -= hand.advanced
        hand.advanced = 0
        hand.tasks = [task for task in hand.tasks if task not in lost]
        for task in lost:
            if task.film in self._films:
                self._films[task.film].painting.discard(task.number)

    def _give_up(self, film: OpenFilm, number: int, error: NstVideoError) -> None:
        film.errors[number] = error
        if not self._keep_going:
            self._schedule.drop(film.number)

    def _check_complete(self, film: OpenFilm) -> None:
        """Finish a film of which nothing is left, or fail."""
        if film.painting or film.number in self._joining:
            return
        missing = film.journal.missing
        failed = [film.errors[chunk.number] for chunk in missing if chunk.number in film.errors]
        if failed and (not self._keep_going or len(failed) == len(missing)):
            self._close_film(film)
            more = f" {len(failed) - 1} more of its chunks have failed." if failed[1:] else ""
            error = NstVideoError(f"{failed[0]}{more}") if more else failed[0]
            self._note_outcome(film.number, error)
        elif not missing:
            self._complete(film)

    def _complete(self, film: OpenFilm) -> None:
        """Join the chunks in the background, unless the source was read from the wrong place."""
        if (wrong := film.journal.first_misread()) is not None and film.may_seek:
            film.may_seek = False
            film.journal.forget(n for n in film.journal.finished if n >= wrong)
            self._schedule.add(film.number, film.journal.missing)
            return
        self._schedule.drop(film.number)
        self._joining[film.number] = self._joiner.submit(
            finish_film, film.film, film.journal, film.report, overwrite=film.job.overwrite
        )

    def _collect(self) -> None:
        """Close the films that have been joined."""
        for number in [n for n, joined in self._joining.items() if joined.done()]:
            film, joined = self._films[number], self._joining.pop(number)
            try:
                outcome: Outcome = joined.result()
            except NstVideoError as error:
                outcome = error
            self._close_film(film, is_complete=isinstance(outcome, TranscodeResult))
            self._note_outcome(number, outcome)

    def _close_film(self, film: OpenFilm, *, is_complete: bool = False) -> None:
        del self._films[film.number]
        self._schedule.drop(film.number)
        if is_complete:
            film.report.discard()
        else:
            film.report.tell_kept()
        film.closing.close()

    def _note_outcome(self, number: int, outcome: Outcome) -> None:
        self.outcomes[number] = outcome
        self.on_film(self._jobs[number], outcome)

    def _paint_here(self, number: int) -> None:
        job = self._jobs[number]
        try:
            outcome: Outcome = transcode(
                job.source,
                job.target,
                self._painter,
                options=self._options,
                resume=self._resume(job),
                on_progress=self.on_progress,
                overwrite=job.overwrite,
            )
        except NstVideoError as error:
            outcome = error
        self._note_outcome(number, outcome)
