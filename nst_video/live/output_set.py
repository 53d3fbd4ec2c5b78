"""All outputs of a session, in the hands of one thread."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue

from nst_video.frames import Frame, VideoInfo
from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA, recording_folders
from nst_video.live.outputs.recording_recovery import Recovery
from nst_video.live.outputs.threads import Output, OutputThread, explain

PATIENCE_S = 0.5
"""Seconds after which the user is told what is still being finished."""

_POLL_S = 0.01


class OutputSet:
    """The outputs at work; only the thread that made it may call it.

    An output ends in a thread of its own. That thread leaves word here, and nothing changes before
    `collect` is called.

    Attributes:
        lost: those that failed.
    """

    def __init__(self) -> None:
        self.lost: list[OutputThread] = []
        self._running: list[OutputThread] = []
        self._finishing: list[OutputThread] = []
        self._ended: SimpleQueue[OutputThread] = SimpleQueue()
        self._recovery: Recovery | None = None

    def __len__(self) -> int:
        """Return how many take frames."""
        return len(self._running)

    def start(
        self, outputs: Iterable[Output], save_dir: Path, on_message: Callable[[str], None]
    ) -> None:
        """Begin with some; also look for recordings that killed sessions have left unfinished.

        Args:
            outputs: where frames go.
            save_dir: where recordings by key go.
            on_message: told what was recovered, from another thread.
        """
        outputs = [*outputs]
        self._recovery = Recovery([save_dir, *recording_folders(outputs)], on_message)
        self._recovery.start()
        for output in outputs:
            self.add(output)

    def add(self, output: Output) -> None:
        """Let an output take frames from now on."""
        self._running.append(OutputThread(output, self._ended.put))

    def put(self, frame: Frame, info: VideoInfo) -> None:
        """Hand a frame to all of them; never waits."""
        for output in self._running:
            output.put(frame, info)

    def find(self, name: str) -> OutputThread | None:
        """Return the first one of that name that takes frames."""
        return next((o for o in self._running if o.output.name == name), None)

    def finish(self, output: OutputThread) -> None:
        """Let an output take no more frames and finish what it made, without waiting for it."""
        output.finish()
        self._running.remove(output)
        self._finishing.append(output)

    def collect(self) -> tuple[OutputThread, ...]:
        """Return those that have ended since the last call; they take no more frames."""
        ended: list[OutputThread] = []
        while True:
            try:
                ended.append(self._ended.get_nowait())
            except Empty:
                break
        self._running = [output for output in self._running if output not in ended]
        self._finishing = [output for output in self._finishing if output not in ended]
        self.lost += [output for output in ended if output.error is not None]
        return tuple(ended)

    def close(self, on_message: Callable[[str], None]) -> None:
        """Finish all of them and wait for that; `on_message` is told of each that takes long."""
        for output in tuple(self._running):
            self.finish(output)
        patient_until_s = time.monotonic() + PATIENCE_S
        while any(o.is_alive for o in self._finishing) and time.monotonic() < patient_until_s:
            time.sleep(_POLL_S)
        for output in self._finishing:
            if output.is_alive:
                on_message(
                    f"Finishing {output.where or output.output.name}; Ctrl-C ends at once, and "
                    "what is written is kept."
                )
            output.close()
        if self._recovery is not None:
            self._recovery.close()


def describe_end(ended: OutputThread) -> str:
    """Return what to tell the user of an output that has ended, empty where that is nothing."""
    name = ended.output.name
    if ended.error is not None:
        return f"The {name} has ended. {explain(ended.error)}"
    if name == RECORDING and ended.written:
        return f"Saved {ended.where}" + (f"; {ended.note}" if ended.note else "")
    return "Virtual camera off" if name == VIRTUAL_CAMERA else ""
