"""The ffmpeg binary as a child process that is always ended."""

import os
import re
import signal
import subprocess
import threading
from collections import deque
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from nst_video.errors import NstVideoError
from nst_video.frames import Size
from nst_video.system.path_lookup import os_reason, short_name

PIPE_BYTES = 1 << 20
"""Requested pipe size (honored on Linux): fewer context switches for each frame."""

MAX_LOG_LINES = 400

_ANSWER_S = 20
"""Longest wait in seconds for the answer to `-version`."""

_ADDRESS = re.compile(r" @ 0x[0-9a-f]+")
_LINE = re.compile(r"^(?:\[(?P<context>[^\]]*)\] ?)*\[(?P<level>warning|error|fatal|panic)\] ")

_OTHER_SIZE = re.compile(
    r"filter context - w: (\d+) h: (\d+) .*incoming frame - w: (\d+) h: (\d+) "
)

_DECODED = re.compile(r"Input stream #0:\d+ \(video\): (\d+) packets read .*; (\d+) frames decoded")

_REASONS = (
    ("No space left on device", "the disk is full; free some space and try again"),
    ("Disk quota exceeded", "the disk quota is used up; free some space and try again"),
    ("File too large", "the file grew larger than the system allows"),
    ("Permission denied", "permission denied"),
    ("Read-only file system", "the disk is read-only"),
    ("Input/output error", "the disk reports an input/output error"),
    ("Invalid data found", "its data is damaged"),
)
"""Phrases in ffmpeg's log, and the message for the user."""

_SIGNALS = {"SIGXFSZ": "the file grew larger than the system allows"}
"""Signals that end ffmpeg, and the message for the user."""


@cache
def ffmpeg_exe() -> str:
    """Return the path of the ffmpeg binary.

    The environment variable `IMAGEIO_FFMPEG_EXE` overrides the bundled binary (imageio-ffmpeg).

    Raises:
        NstVideoError: there is none, or the override is not ffmpeg.
    """
    import imageio_ffmpeg

    override = os.environ.get("IMAGEIO_FFMPEG_EXE")
    if override:
        _check_override(override)

    try:
        return str(imageio_ffmpeg.get_ffmpeg_exe())
    except RuntimeError as error:
        raise NstVideoError(
            "No ffmpeg found: reinstall imageio-ffmpeg or set IMAGEIO_FFMPEG_EXE to a binary."
        ) from error


def _check_override(exe: str) -> None:
    """Make sure that a program is ffmpeg; imageio-ffmpeg does not check it."""
    try:
        answer = subprocess.run(
            [exe, "-version"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ANSWER_S,
            check=False,
        )
        problem = "" if answer.stdout.startswith(b"ffmpeg version") else "it is not ffmpeg"
    except (OSError, ValueError) as error:
        problem = os_reason(error)
    except subprocess.TimeoutExpired:
        problem = "it does not answer"
    if problem:
        raise NstVideoError(
            f"IMAGEIO_FFMPEG_EXE names {short_name(exe)}, which does not run ({problem}): correct "
            "it, or unset it to use the ffmpeg that came with nst-video."
        )


def ffmpeg_path(path: Path) -> str:
    """Return `path` in a form that ffmpeg reads as a file, whatever characters it contains.

    A colon would mean a protocol and a leading dash an option; the `file:` prefix prevents both.
    """
    return f"file:{path}"


class FfmpegProcess:
    """A running ffmpeg, as a context manager: leaving it ends the process.

    A thread reads its standard error, so that ffmpeg never blocks on a full pipe. It runs in a
    process group of its own: Ctrl-C at the terminal reaches only this program, which then ends it.

    Attributes:
        corrupt_frames: frames that its decoder repaired.
        other_sizes: frame sizes other than that of the first frame.
        lost_frames: video packets that gave no frame; known after the end, with verbose logging.
    """

    def __init__(
        self,
        arguments: Sequence[str],
        *,
        feed: bool = False,
        drain: bool = False,
        inherit: Sequence[int] = (),
    ) -> None:
        """Start ffmpeg.

        Args:
            arguments: arguments after the general options.
            feed: open a pipe to its standard input (`write`).
            drain: open a pipe from its standard output (`read_into`).
            inherit: file descriptors that it keeps open, with their locks (not on Windows).
        """
        command = [ffmpeg_exe(), "-hide_banner", "-nostdin", "-loglevel", "level+warning"]
        self._log: deque[str] = deque(maxlen=MAX_LOG_LINES)
        self.corrupt_frames = 0
        self.other_sizes: set[Size] = set()
        self.lost_frames = 0
        self._process = subprocess.Popen(
            [*command, *arguments],
            stdin=subprocess.PIPE if feed else subprocess.DEVNULL,
            stdout=subprocess.PIPE if drain else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            bufsize=0,
            pipesize=PIPE_BYTES,
            pass_fds=inherit if os.name == "posix" else (),
            start_new_session=os.name == "posix",
            creationflags=_own_group_flag(),
        )
        self._reader = threading.Thread(target=self._collect, name="ffmpeg-log", daemon=True)
        self._reader.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def pid(self) -> int:
        """Process id of the child."""
        return self._process.pid

    def read_into(self, buffer: memoryview) -> int:
        """Fill `buffer` from its output; return the number of bytes, fewer only at the end."""
        stdout = _opened(self._process.stdout)
        done = 0
        while done < len(buffer):
            count = stdout.readinto(buffer[done:])  # type: ignore[attr-defined]  # raw pipe
            if not count:
                break
            done += count
        return done

    def write(self, data: memoryview) -> None:
        """Write all of `data` to its input.

        Raises:
            BrokenPipeError: ffmpeg has stopped reading; call `finish()`, then `failure()`.
        """
        stdin = _opened(self._process.stdin)
        done = 0
        while done < len(data):
            # A pipe can take only part of a frame at a time.
            done += stdin.write(data[done:])

    def finish(self, timeout_s: float | None = None) -> int:
        """Close its input, wait until it has ended and return the exit status.

        Raises:
            subprocess.TimeoutExpired: it is still running after `timeout_s`.
        """
        _close(self._process.stdin)
        status = self._process.wait(timeout_s)
        self._reader.join()
        return status

    def stop(self) -> None:
        """Kill it without waiting; calls that block on its pipes then return.

        This method may be called from any thread at any time.
        """
        self._process.kill()

    def close(self) -> None:
        """Kill it if it is still running, wait until it has ended and close all pipes."""
        self._process.kill()
        _close(self._process.stdin)
        self._process.wait()
        self._reader.join()
        _close(self._process.stdout)
        _close(self._process.stderr)

    def failure(self) -> str:
        """Return why it failed, to be shown after a colon; call it after the end."""
        text = "\n".join(self._log)
        for phrase, reason in _REASONS:
            if phrase in text:
                return reason
        status = self._process.returncode
        if status is not None and status < 0:
            return _SIGNALS.get(_signal_name(-status), f"ffmpeg was stopped by signal {-status}")
        found = [(match["level"], line) for line in self._log if (match := _LINE.match(line))]
        # The first error matters; warnings often come before it.
        errors = [line for level, line in found if level != "warning"]
        first = next(iter((*errors, *(line for _, line in found), *self._log)), "no reason given")
        return f"ffmpeg ended with status {status} ({_LINE.sub('', first).strip()})"

    def log(self) -> tuple[str, ...]:
        """Return the last lines of its warnings and errors."""
        return tuple(self._log)

    def _collect(self) -> None:
        stderr = _opened(self._process.stderr)
        with open(stderr.fileno(), "rb", closefd=False) as lines:
            for raw in lines:
                line = _ADDRESS.sub("", raw.decode("utf-8", "replace")).rstrip()
                self.corrupt_frames += "corrupt decoded frame" in line
                if (found := _OTHER_SIZE.search(line)) is not None:
                    first, other = found.group(1, 2), found.group(3, 4)
                    if other != first:
                        self.other_sizes.add((int(other[0]), int(other[1])))
                if (found := _DECODED.search(line)) is not None:
                    self.lost_frames = int(found[1]) - int(found[2])
                if "[verbose]" not in line:
                    self._log.append(line)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def _own_group_flag() -> int:
    # The constant exists on Windows only, where start_new_session has no effect.
    return int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))


def _opened(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise ValueError("this ffmpeg was started without that pipe")
    return pipe


def _close(pipe: IO[bytes] | None) -> None:
    if pipe is None:
        return
    try:
        pipe.close()
    except BrokenPipeError:
        # The process has ended; unwritten data no longer matters.
        return
