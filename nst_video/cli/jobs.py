"""Input files and the names of their outputs, from command-line arguments."""

import glob
import os
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nst_video.cli.file_kinds import VIDEOS, Kind
from nst_video.errors import UsageError
from nst_video.system.output_files import suffix_list
from nst_video.system.partial_file import fit_name
from nst_video.system.path_lookup import PathKind, address_scheme, look_up, os_reason, user_path

DEFAULT_TEMPLATE = "{stem}-{style}{ext}"

MAX_LISTED = 5
"""Maximum number of skipped files named in a note."""

_LIKE_SUFFIX = re.compile(r"\.[a-z][a-z0-9]{0,4}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Job:
    """An input file and the output file to make of it."""

    source: Path
    target: Path


@dataclass(frozen=True, slots=True)
class _Input:
    """An input file.

    Attributes:
        path: the file.
        below: its folder relative to the folder argument that it was found in, else ".".
        is_named: it was an argument itself.
    """

    path: Path
    below: Path = Path()
    is_named: bool = False


@dataclass(slots=True)
class _Search:
    """A search of folders for input files, and what it skipped.

    Attributes:
        kind: the kind of files to find.
        is_recursive: search subfolders, too.
        output: output folder, not to be searched.
        others: files of another kind.
        painted: files written by nst-video.
        unreadable: folders that cannot be read, with the reason.
    """

    kind: Kind
    is_recursive: bool
    output: Path | None
    others: list[Path] = field(default_factory=list)
    painted: list[Path] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)

    def files(self, folder: Path) -> Iterator[_Input]:
        """Yield the files of the kind in a folder, sorted."""
        for path in self._files(folder):
            if not self.kind.is_one(path):
                self.others.append(path)
            elif self.is_new(path):
                yield _Input(path, path.relative_to(folder).parent)

    def is_new(self, path: Path) -> bool:
        """Return whether a file was not written by nst-video; remember those that were."""
        if self.kind.is_painted(path):
            self.painted.append(path)
            return False
        return True

    def notes(self) -> Iterator[str]:
        """Yield messages about skipped files."""
        for text in self.unreadable:
            yield f"Skipped the folder {text}."
        for paths, reason in (
            (self.others, f"not a {self.kind.name}"),
            (self.painted, "already stylized"),
        ):
            if paths:
                names = ", ".join(path.name for path in paths[:MAX_LISTED])
                more = len(paths) - MAX_LISTED
                yield f"Skipped ({reason}): {names}{f' and {more} more' if more > 0 else ''}."

    def _files(self, folder: Path) -> Iterator[Path]:
        def fail(error: OSError) -> None:
            self.unreadable.append(f"{error.filename}: {os_reason(error)}")

        for parent, folders, names in os.walk(folder, onerror=fail):
            # A leading dot marks our own unfinished files and hidden files.
            folders[:] = sorted(
                name for name in folders if self.is_recursive and self._enters(Path(parent, name))
            )
            for path in (Path(parent, name) for name in sorted(names) if name[0] != "."):
                if look_up(path).kind is not PathKind.SPECIAL:
                    yield path

    def _enters(self, folder: Path) -> bool:
        is_output = self.output is not None and _resolved(folder) == _resolved(self.output)
        return folder.name[0] != "." and not is_output


def plan_jobs(
    inputs: Sequence[str],
    output: str | os.PathLike[str] | None = None,
    *,
    style: str,
    template: str = DEFAULT_TEMPLATE,
    kind: Kind = VIDEOS,
    is_recursive: bool = False,
    on_note: Callable[[str], None] | None = None,
) -> list[Job]:
    """Pair every input file with its output file.

    A folder stands for the videos or pictures in it, a pattern such as `*.mp4` for its matches.
    Files written by nst-video are skipped, unless they are arguments themselves.

    Args:
        inputs: files, folders and patterns.
        output: the output file for a single input; else a folder, in which the subfolders of
            the inputs are kept. None writes beside each input.
        style: name of the style, for the template.
        template: file name with {stem}, {style} and {ext}; {ext} holds the dot.
        kind: the kind of input files.
        is_recursive: search subfolders, too.
        on_note: called with messages about skipped files.

    Raises:
        UsageError: no inputs, a template with other fields, an output that is neither a folder nor
            a file of the kind, one file for several inputs, or two inputs with the same output.
    """
    target = None if output is None else user_path(output)
    is_file = output is not None and _names_file(os.fspath(output), kind)
    found = _find(inputs, _Search(kind, is_recursive, None if is_file else target), on_note)
    if target is not None and is_file:
        if len(found) > 1:
            raise UsageError(
                f"{target} cannot hold {len(found)} {kind.name}s: give a folder to -o."
            )
        return [Job(found[0].path, target)]
    jobs = _pair(found, target, template, style, kind)
    results = {_resolved(job.target) for job in jobs}
    named = {each.path for each in found if each.is_named}
    jobs = [job for job in jobs if job.source in named or _resolved(job.source) not in results]
    _check_distinct(jobs)
    return jobs


def _find(
    inputs: Sequence[str], search: _Search, on_note: Callable[[str], None] | None
) -> list[_Input]:
    """Return the input files of all arguments, each once.

    Raises:
        UsageError: there are none.
    """
    try:
        found = _unique(each for text in inputs for each in _expand(text, search))
    finally:
        if on_note is not None:
            for note in search.notes():
                on_note(note)
    if not found:
        raise UsageError(f"No {search.kind.name} to stylize: name a file, a folder or a pattern.")
    return found


def _resolved(path: Path) -> Path:
    """Return a path without links, or the path itself if it cannot be resolved."""
    try:
        return path.resolve()
    except (OSError, ValueError, RuntimeError):
        return path


def _names_file(output: str, kind: Kind) -> bool:
    """Return whether `-o` names a file to write; else it names a folder.

    Raises:
        UsageError: it names neither.
    """
    path, known = user_path(output), suffix_list(kind.suffixes)
    if output == "-":
        raise UsageError(f"Writing to standard output is not supported: name a file ({known}).")
    if (scheme := address_scheme(output)) is not None:
        raise UsageError(f"{output} is an address ({scheme}): name a file ({known}) or a folder.")
    if output.endswith(("/", os.sep)) or look_up(path).kind is PathKind.FOLDER:
        return False
    if path.suffix.lower() in kind.suffixes:
        return True
    if _LIKE_SUFFIX.fullmatch(path.suffix):
        raise UsageError(
            f"{output} is not a {kind.name} format that can be written: use {known}, or "
            f"{output}/ for a folder."
        )
    return False


def _expand(text: str, search: _Search) -> Iterator[_Input]:
    """Yield the input files of one argument.

    Raises:
        UsageError: there are none.
    """
    path = user_path(text)
    if look_up(path).kind is PathKind.FOLDER:
        files = list(search.files(path))
        if not files:
            deeper = "" if search.is_recursive else "; -r searches subfolders"
            raise UsageError(f"The folder {path} has no {search.kind.name} to stylize{deeper}.")
        yield from files
    elif glob.has_magic(text) and not os.path.lexists(path):
        # Path.glob refuses absolute patterns, and an argument may well be one.
        matched = sorted(glob.glob(os.fspath(path), recursive=True))  # noqa: PTH207
        paths = [Path(name) for name in matched if look_up(name).kind is not PathKind.FOLDER]
        if not paths:
            raise UsageError(f"Nothing matches {text}.")
        yield from (_Input(each) for each in paths if search.is_new(each))
    else:
        yield _Input(path, is_named=True)


def _unique(inputs: Iterator[_Input]) -> list[_Input]:
    """Return every file once; it is named if it was named at least once."""
    found: dict[Path, _Input] = {}
    for each in inputs:
        before = found.setdefault(each.path, each)
        found[each.path] = replace(before, is_named=before.is_named or each.is_named)
    return list(found.values())


def _pair(
    found: Sequence[_Input], folder: Path | None, template: str, style: str, kind: Kind
) -> list[Job]:
    def file_name(path: Path, stem: str) -> str:
        return _file_name(stem, kind.suffix_of(path), template, style)

    def target(each: _Input, stem: str) -> Path:
        parent = each.path.parent if folder is None else folder / each.below
        name = file_name(each.path, stem)
        # The output of a source with a name of maximum length needs a shortened name.
        others = len(os.fsencode(name)) - len(os.fsencode(stem))
        cut = fit_name(stem, "", parent, taken=others)
        return parent / (name if cut == stem else file_name(each.path, cut))

    targets = [target(each, each.path.stem) for each in found]
    # If talk.avi and talk.mpg would both become talk-wave.mp4, their suffixes are kept.
    taken = Counter(targets)
    return [
        Job(each.path, path if taken[path] == 1 else target(each, each.path.name))
        for each, path in zip(found, targets, strict=True)
    ]


def _file_name(stem: str, suffix: str, template: str, style: str) -> str:
    try:
        name = template.format(stem=stem, style=style, ext=suffix)
    except (KeyError, IndexError, ValueError, AttributeError):
        raise UsageError(
            f"The template {template!r} may only contain {{stem}}, {{style}} and {{ext}}."
        ) from None
    if not name or Path(name).name != name:
        raise UsageError(f"The template {template!r} must make a file name, not {name!r}.")
    return name


def _check_distinct(jobs: Sequence[Job]) -> None:
    seen: dict[Path, Path] = {}
    for job in jobs:
        other = seen.setdefault(job.target, job.source)
        if other != job.source:
            raise UsageError(
                f"{other} and {job.source} would both become {job.target}: change --template."
            )
