"""Which files to transcode and what to call the results, from what a user typed."""

import glob
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nst_video.errors import UsageError
from nst_video.media.containers import CONTAINERS, default_suffix

DEFAULT_TEMPLATE = "{stem}-{style}{ext}"

INPUT_SUFFIXES = frozenset(
    {*CONTAINERS, ".avi", ".mpg", ".mpeg", ".ts", ".mts", ".m2ts", ".wmv", ".flv", ".3gp", ".ogv"}
)
"""Suffixes by which a folder's videos are told from its other files."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file to make from another."""

    source: Path
    target: Path


def plan_jobs(
    inputs: Sequence[str],
    output: Path | None = None,
    *,
    style: str,
    template: str = DEFAULT_TEMPLATE,
) -> list[Job]:
    """Pair every input file with the file to make of it.

    A folder stands for the videos in it, a pattern such as `*.mp4` for what it matches; results
    of the same call that lie among them are not taken for inputs.

    Args:
        inputs: files, folders and patterns.
        output: the file to write, if there is one input; else a folder. None writes beside each.
        style: name of the style, for the template.
        template: file name with {stem}, {style} and {ext}; {ext} holds the dot.

    Raises:
        UsageError: nothing to do, a template with other fields, one file for several inputs, or
            two inputs with the same output.
    """
    named, found = _expand(inputs)
    is_file = output is not None and output.suffix.lower() in CONTAINERS and not output.is_dir()
    sources = list(dict.fromkeys([*named, *found]))
    if output is not None and is_file:
        if len(sources) > 1:
            raise UsageError(f"{output} cannot hold {len(sources)} videos: give a folder to -o.")
        return [Job(sources[0], output)]
    jobs = [Job(source, _target(source, output, template, style)) for source in sources]
    results = {job.target.resolve() for job in jobs}
    jobs = [job for job in jobs if job.source in named or job.source.resolve() not in results]
    _check_distinct(jobs)
    return jobs


def _expand(inputs: Sequence[str]) -> tuple[list[Path], list[Path]]:
    """Split into files named one by one and files found in folders or by patterns."""
    named: list[Path] = []
    found: list[Path] = []
    for text in inputs:
        path = Path(text)
        if path.is_dir():
            inside = sorted(p for p in path.iterdir() if _is_video(p))
            if not inside:
                raise UsageError(f"The folder {path} holds no video.")
            found += inside
        elif glob.has_magic(text) and not path.exists():
            matched = sorted(Path(name) for name in _matches(text))
            if not matched:
                raise UsageError(f"Nothing matches {text}.")
            found += [p for p in matched if p.is_file()]
        else:
            named.append(path)
    if not named and not found:
        raise UsageError("There is no video to paint: name a file, a folder or a pattern.")
    return named, found


def _matches(pattern: str) -> list[str]:
    # Path.glob refuses absolute patterns, and an argument may well be one.
    return glob.glob(pattern, recursive=True)  # noqa: PTH207 - see above


def _is_video(path: Path) -> bool:
    # A leading dot marks our own unfinished files, and other people's hidden ones.
    return path.suffix.lower() in INPUT_SUFFIXES and path.is_file() and path.name[0] != "."


def _target(source: Path, folder: Path | None, template: str, style: str) -> Path:
    try:
        name = template.format(stem=source.stem, style=style, ext=default_suffix(source))
    except (KeyError, IndexError, ValueError, AttributeError):
        raise UsageError(
            f"The template {template!r} may hold {{stem}}, {{style}} and {{ext}}, nothing else."
        ) from None
    if not name or Path(name).name != name:
        raise UsageError(f"The template {template!r} must make a file name, not {name!r}.")
    return (folder or source.parent) / name


def _check_distinct(jobs: Sequence[Job]) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        other = seen.setdefault(job.target, job.source)
        if other != job.source:
            raise UsageError(
                f"{other} and {job.source} would both become {job.target}: change --template."
            )
