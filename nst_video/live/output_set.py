"""All outputs of a session, managed by one thread."""

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue

from nst_video.frames import Frame, VideoInfo
from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA, recording_folders
from nst_video.live.outputs.recording_recovery import RecordingRecovery
from nst_video.live.outputs.threads import Output, OutputThread, error_text

PATIENCE_S = 0.5
"""Seconds after which the user is told which outputs are still being finished."""

_POLL_S = 0.01


class LiveOutputs:
    """The running outputs. Only the thread that created it may call it.

    Every output runs in a thread of its own and may end at any time. The change becomes visible
    here when `collect` is called.

    Attributes:
        lost: the outputs that failed.
    """

    def __init__(self) -> None:
        self.lost: list[OutputThread] = []
        self._running: list[OutputThread] = []
        self._finishing: list[OutputThread] = []
        self._ended: SimpleQueue[OutputThread] = SimpleQueue()
        self._recovery: RecordingRecovery | None = None

    def __len__(self) -> int:
        """Return the number of outputs that accept frames."""
        return len(self._running)

    def start(
        self, outputs: Iterable[Output], save_dir: Path, on_message: Callable[[str], None]
    ) -> None:
        """Start outputs, and recover recordings of sessions that were killed.

        Args:
            outputs: the outputs to start.
            save_dir: folder of the recordings that a key starts.
            on_message: called with what was recovered, from another thread.
        """
        outputs = [*outputs]
        self._recovery = RecordingRecovery([save_dir, *recording_folders(outputs)], on_message)
        self._recovery.start()
        for output in outputs:
            self.add(output)

    def add(self, output: Output) -> None:
        """Start an output."""
        self._running.append(OutputThread(output, self._ended.put))

    def put(self, frame: Frame, info: VideoInfo) -> None:
        """Pass a frame, uint8 RGB (height, width, 3), to every output; never waits."""
        for output in self._running:
            output.put(frame, info)

    def find(self, name: str) -> OutputThread | None:
        """Return the first running output with this name, None if there is none."""
        return next((o for o in self._running if o.output.name == name), None)

    def badges(self, now_s: float) -> tuple[str, ...]:
        """Return the texts that mark a running recording and virtual camera on the screen."""
        badges = []
        recorder = self.find(RECORDING)
        if recorder is not None and recorder.begun_s is not None:
            minutes, seconds = divmod(int(now_s - recorder.begun_s), 60)
            badges.append(f"REC {minutes}:{seconds:02}")
        if self.find(VIRTUAL_CAMERA) is not None:
            badges.append("CAMERA")
        return tuple(badges)

    def recording_errors(self) -> tuple[BaseException, ...]:
        """Return the errors of the recordings that failed."""
        failed = (each for each in self.lost if each.output.name == RECORDING)
        return tuple(each.error for each in failed if each.error is not None)

    def finish(self, output: OutputThread) -> None:
        """Stop passing frames to an output and let it finish its file, without waiting."""
        output.finish()
        self._running.remove(output)
        self._finishing.append(output)

    def collect(self) -> tuple[OutputThread, ...]:
        """Remove and return the outputs that have ended since the last call."""
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
        """Finish every output and wait; `on_message` is called for each that takes long."""
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
    """Return the message for the user about an output that has ended, or an empty text."""
    name = ended.output.name
    if ended.error is not None:
        return f"The {name} has ended. {error_text(ended.error)}"
    if name == RECORDING and ended.written:
        return "; ".join((f"Saved {ended.where}", *ended.notes))
    return "Virtual camera off" if name == VIRTUAL_CAMERA else ""
