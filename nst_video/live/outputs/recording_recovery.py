"""Finds and repairs the recordings of sessions that were killed."""

import threading
from collections.abc import Callable, Iterable
from pathlib import Path

from nst_video.live.outputs import recording_journal
from nst_video.live.outputs.recording_repair import RECOVERED, repair_recording
from nst_video.system.partial_file import PartialFile, old_recoverable_files
from nst_video.system.path_lookup import os_reason

TRIES = 20
PAUSE_S = 1.0
"""Seconds between attempts: ffmpeg may still be writing the recording of a killed session."""


class RecordingRecovery:
    """Searches for unfinished recordings in a thread of its own.

    Recordings of running sessions are not touched.
    """

    def __init__(self, folders: Iterable[Path], on_message: Callable[[str], None]) -> None:
        """Prepare.

        Args:
            folders: searched for recordings that are not in the journal.
            on_message: called in the thread, with a message for each recording found.
        """
        self._folders = tuple(folders)
        self._notify = on_message
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._search, name="recovery", daemon=True)

    def start(self) -> None:
        """Start the search."""
        self._thread.start()

    def close(self) -> None:
        """End the search early; the next session finds the remaining recordings."""
        self._is_over.set()
        self._thread.join()

    def _search(self) -> None:
        found = recording_journal.noted()
        for folder in self._folders:
            found += (file.absolute() for file in old_recoverable_files(folder))
        waiting = list(dict.fromkeys(found))
        for _ in range(TRIES):
            waiting = [path for path in waiting if not self._is_settled(path)]
            if not waiting or self._is_over.wait(PAUSE_S):
                return

    def _is_settled(self, path: Path) -> bool:
        """Recover a recording; return False if a process still writes to it."""
        if self._is_over.is_set():
            return True
        try:
            recording = PartialFile.adopt(path)
            if recording is None:
                return False
            with recording:
                repaired = repair_recording(recording, RECOVERED, self._is_over.is_set)
        except FileNotFoundError:
            if path.parent.is_dir():
                recording_journal.forget(path)
            else:
                self._notify(
                    f"A recording that was cut off is in {path.parent}, which is not there now: "
                    "it will be recovered when it is."
                )
        except OSError as error:
            self._notify(f"The recording {path} was cut off and not recovered: {os_reason(error)}.")
        else:
            recording_journal.forget(path)
            if repaired is not None:
                self._notify(f"Recovered a recording that was cut off: {repaired}")
        return True
