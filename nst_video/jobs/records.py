"""What journals say, read from the disk and checked."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst_video.jobs import folders

FORMAT = 2
"""Version of the journal's form; others are not read."""


@dataclass(frozen=True, slots=True)
class FinishedChunk:
    """A chunk on the disk.

    Attributes:
        number: of the chunk.
        frame_count: frames in the file, fewer than planned where the source ends early.
        file: its name in the folder.
        sha256: of the file.
        source_before: SHA-256 of the frame of the source before it, empty where it was not read.
        source_last: SHA-256 of the last frame of the source in it.
    """

    number: int
    frame_count: int
    file: str
    sha256: str
    source_before: str
    source_last: str


def read_record(folder: Path) -> dict[str, Any] | None:
    """Return what the journal in a folder says; None where it cannot be read."""
    try:
        record = json.loads((folder / folders.JOURNAL).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return record if _is_record(record) else None


def remove_completed(target: Path) -> None:
    """Remove what a process left that was killed after it had completed the target."""
    for folder in folders.folders_of(target):
        record = read_record(folder)
        size = record["result_bytes"] if record else 0
        try:
            is_complete = size > 0 and target.stat().st_size == size
        except OSError:
            continue
        if is_complete and not folders.is_running(folder):
            folders.remove(folder)


def _is_record(record: object) -> bool:
    """Return whether a journal has the form that this version writes."""
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        return False
    texts = all(isinstance(record.get(n), str) for n in ("program", "command", "target", "source"))
    ends, finished = record.get("chunks"), record.get("finished")
    if not (texts and isinstance(ends, list) and isinstance(finished, list)):
        return False
    fields = {name: type_ for name, type_ in FinishedChunk.__annotations__.items()}
    return (
        isinstance(record.get("inputs"), dict)
        and isinstance(record.get("fps"), int | float)
        and isinstance(record.get("result_bytes"), int)
        and all(isinstance(end, int) for end in ends)
        and all(_is_entry(each, fields) for each in finished)
    )


def _is_entry(entry: object, fields: Mapping[str, type]) -> bool:
    return (
        isinstance(entry, dict)
        and entry.keys() == fields.keys()
        and all(isinstance(entry[name], type_) for name, type_ in fields.items())
        and Path(entry["file"]).name == entry["file"]
    )
