"""Transcoding in chunks, which are kept until they are joined, so that a job can be resumed."""

from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from nst_video.errors import NstVideoError, SourceError
from nst_video.frames import VideoInfo
from nst_video.jobs import folders
from nst_video.jobs.chunks import Chunk
from nst_video.jobs.fingerprint import differences, identify_source
from nst_video.jobs.joining import restore_chunks
from nst_video.jobs.journal import Journal
from nst_video.jobs.records import read_record
from nst_video.system.words import counted
from nst_video.transcode.chunk_run import ChunkRun, paint_run
from nst_video.transcode.chunked_film import ChunkedFilm
from nst_video.transcode.disk_space import space_warning
from nst_video.transcode.joining import join_film
from nst_video.transcode.progress import OnProgress, ProgressMeter
from nst_video.transcode.result import ResumeOptions, TranscodeResult


def transcode_by_chunks(
    film: ChunkedFilm,
    resume: ResumeOptions,
    on_progress: OnProgress | None = None,
    *,
    overwrite: bool = False,
) -> TranscodeResult:
    """Paint what no earlier run has finished, and join everything to the target.

    Args:
        film: what to make of what.
        resume: whether finished chunks are used, and who is told.
        on_progress: called in this thread after every batch.
        overwrite: an existing target is replaced once the new file is complete.

    Raises:
        NstVideoError: as `transcode`. What is finished stays for the next run.
    """
    with ExitStack() as opened:
        journal, report = open_journal(film, resume, opened)
        try:
            _paint(film, journal, report, on_progress)
            result = finish_film(film, journal, report, overwrite=overwrite)
        except BaseException:
            report.tell_kept()
            raise
        report.discard()
    return result


def open_journal(
    film: ChunkedFilm, resume: ResumeOptions, opened: ExitStack
) -> tuple[Journal, "FilmReport"]:
    """Open the journal of a film, check what is in it, and say what was found.

    Raises:
        UsageError: another process works on the target.
        SinkError: nothing can be written there.
    """
    job = replace(film.job, command=resume.command)
    journal = opened.enter_context(Journal(job))
    if resume.restart:
        journal.restart()
        for folder in _others(journal):
            folders.remove(folder)
    restore_chunks(journal)
    journal.verify()
    _tell_found(journal, resume)
    return journal, FilmReport(film, journal, resume)


class FilmReport:
    """What is said of a film, and measured, while it is painted.

    Attributes:
        meter: counts its frames.
        busy_s: seconds that each stage worked.
        kept_frames: how many frames an interrupted run had finished.
    """

    def __init__(self, film: ChunkedFilm, journal: Journal, resume: ResumeOptions) -> None:
        """Begin; warn if the disk is too small."""
        info = film.source.info
        self.meter = ProgressMeter(info.frame_count)
        left = sum(chunk.frame_count for chunk in journal.missing)
        self.meter.frame = (info.frame_count or 0) - left
        self.busy_s = {"decode": 0.0, "paint": 0.0, "encode": 0.0}
        self.kept_frames = sum(entry.frame_count for entry in journal.finished.values())
        self._film, self._journal, self._resume = film, journal, resume
        self._notes = film.source.notes
        journal.on_finished = _SpaceWatch(film, journal, resume)
        journal.on_finished()

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the source."""
        return self._notes

    def tell(self, text: str) -> None:
        """Say something of the film while it is painted."""
        self._resume.note(text)

    def add_notes(self, notes: Iterable[str]) -> None:
        """Add those that are new."""
        self._notes = tuple(dict.fromkeys((*self._notes, *notes)))

    def tell_kept(self) -> None:
        """Say what the next run will find."""
        _tell_kept(self._journal, self._resume)

    def discard(self) -> None:
        """Remove the chunks, also those of other settings: the film is complete."""
        self._journal.discard()
        for folder in _others(self._journal):
            folders.remove(folder)


def _paint(
    film: ChunkedFilm, journal: Journal, report: FilmReport, on_progress: OnProgress | None
) -> None:
    """Paint what is missing in this process."""
    may_seek = True
    while runs := plan_runs(journal, may_seek=may_seek):
        for run in runs:
            worked, notes = paint_run(film, run, journal, report.meter, on_progress)
            for stage, seconds in worked.items():
                report.busy_s[stage] += seconds
            report.add_notes(notes)
        if (wrong := journal.first_misread()) is None:
            break
        may_seek = False
        journal.forget(number for number in journal.finished if number >= wrong)


def finish_film(
    film: ChunkedFilm, journal: Journal, report: FilmReport, *, overwrite: bool
) -> TranscodeResult:
    """Join the chunks of a film.

    Raises:
        NstVideoError: the source has changed, chunks are missing, or the film cannot be written.
    """
    info, source = film.source.info, film.source
    if not source.has_grown and identify_source(source.media.path) != film.job.inputs["source"]:
        raise SourceError(
            f"{source.media.path} has changed while it was painted: repeat the command."
        )
    if sorted(journal.finished) != [*range(len(journal.finished))]:
        raise NstVideoError(f"Chunks of {film.target} are missing: repeat the command.")
    file = join_film(film, journal, overwrite=overwrite)
    return TranscodeResult(
        target=file.target,
        info=VideoInfo(info.size, info.fps, file.frame_count),
        elapsed_s=report.meter.elapsed_s,
        busy_s=report.busy_s,
        notes=(*report.notes, *file.notes),
        kept_frames=report.kept_frames,
    )


def plan_runs(journal: Journal, *, may_seek: bool = True) -> list[ChunkRun]:
    """Return what to paint: the missing chunks, consecutive ones together."""
    runs: list[list[Chunk]] = []
    for chunk in journal.missing:
        if runs and runs[-1][-1].number == chunk.number - 1:
            runs[-1].append(chunk)
        else:
            runs.append([chunk])
    finished = journal.finished
    return [
        ChunkRun(
            first,
            following,
            end=[first, *following][-1].end,
            source_before=before.source_last if (before := finished.get(first.number - 1)) else "",
            may_seek=may_seek,
        )
        for first, *following in runs
    ]


class _SpaceWatch:
    """Says once that the disk has too little room: at first by a guess, then by what is there."""

    def __init__(self, film: ChunkedFilm, journal: Journal, resume: ResumeOptions) -> None:
        self._film, self._journal, self._resume = film, journal, resume
        self._has_warned = False

    def __call__(self) -> None:
        """Look again."""
        if not self._has_warned and (warning := space_warning(self._film, self._journal)):
            self._has_warned = True
            self._resume.note(warning)


def _tell_found(journal: Journal, resume: ResumeOptions) -> None:
    """Say what an interrupted run has left."""
    finished, total = journal.finished, len(journal.job.chunks)
    if journal.damaged:
        count = len(journal.damaged)
        chunks = "1 finished chunk is" if count == 1 else f"{count} finished chunks are"
        resume.note(f"{chunks} damaged or was replaced; painting anew.")
    if finished:
        left = sum(chunk.frame_count for chunk in journal.missing)
        resume.note(
            f"An interrupted run has finished {len(finished)} of {total} chunks; "
            f"{counted(left, 'frame')} {'is' if left == 1 else 'are'} left. --restart begins anew."
        )
        return
    for folder in _others(journal):
        record = read_record(folder)
        if record is None:
            resume.note(
                f"An interrupted run of another version of nst-video is in {folder}; "
                "it cannot be used."
            )
        elif record["finished"]:
            changed = ", ".join(differences(record["inputs"], journal.job.inputs)[:3])
            count = len(record["finished"])
            resume.note(
                f"An interrupted run has finished {count} of {len(record['chunks'])} chunks, but "
                f"not for this command: {changed}. They are kept until this one is complete."
            )


def _tell_kept(journal: Journal, resume: ResumeOptions) -> None:
    """Say what the next run will find."""
    finished, total = journal.finished, len(journal.job.chunks)
    if finished:
        are = "is" if len(finished) == 1 else "are"
        resume.note(
            f"{len(finished)} of {counted(total, 'chunk')} {are} kept in {journal.folder}: run the "
            "same command to resume."
        )


def _others(journal: Journal) -> list[Path]:
    """Return the folders of interrupted runs for the same target, of other inputs."""
    found = folders.folders_of(journal.job.target)
    return [f for f in found if f != journal.folder and not folders.is_running(f)]
