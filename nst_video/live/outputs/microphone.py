"""Microphone capture by a separate ffmpeg process, so that it cannot block the video."""

import platform
import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from nst_video.errors import UsageError
from nst_video.video.media.ffmpeg import FfmpegProcess

RATE = 48000
CHANNELS = 2
SAMPLE_BYTES = 2 * CHANNELS
"""Bytes per sample: 16 bits for each channel."""

MICROPHONES: dict[str, tuple[str, tuple[str, ...], str]] = {
    "Linux": ("pulse", (), "{}"),
    "Darwin": ("avfoundation", (), ":{}"),
    "Windows": ("dshow", ("-audio_buffer_size", "50"), "audio={}"),
}
"""System: ffmpeg's input device, options for low latency, format of the device name."""

DEFAULT_MICROPHONES = {"Linux": "default", "Darwin": "0"}
"""Name of the default microphone by system; Windows has none."""

SLACK_S = 0.3
"""Drift in seconds before silence is inserted or sound is dropped."""

_CHUNK_SAMPLES = 1024


def microphone_input(name: str, system: str | None = None) -> list[str]:
    """Return ffmpeg's arguments for a microphone.

    Args:
        name: name of the microphone in the system, or "default".
        system: as returned by `platform.system()`, which is the default.

    Raises:
        UsageError: not supported on this system, or the name is required.
    """
    system = system or platform.system()
    if system not in MICROPHONES:
        raise UsageError(f"Sound cannot be recorded on {system}.")
    device, options, form = MICROPHONES[system]
    if name == "default":
        if system not in DEFAULT_MICROPHONES:
            raise UsageError(f"On {system} the microphone must be named.")
        name = DEFAULT_MICROPHONES[system]
    return [*options, "-f", device, "-i", form.format(name)]


class Microphone:
    """Captures a microphone continuously; gaps are filled with silence.

    Attributes:
        has_sound: some sound has been captured.
        problem: why the capture ended, None while it runs.
    """

    def __init__(self, name: str, clock: Callable[[], float]) -> None:
        """Prepare; nothing runs before `start`.

        Args:
            name: name of a microphone, or "default".
            clock: returns the current time in seconds.

        Raises:
            UsageError: see `microphone_input`.
        """
        self.has_sound = False
        self.problem: str | None = None
        self._input = microphone_input(name)
        self._clock = clock
        self._received: SimpleQueue[tuple[float, bytes]] = SimpleQueue()
        self._track = SoundTrack(0.0)
        self._process: FfmpegProcess | None = None
        self._thread = threading.Thread(target=self._listen, name="microphone", daemon=True)

    def start(self) -> None:
        """Start the capture."""
        self._track = SoundTrack(self._clock())
        self._process = FfmpegProcess(
            [
                *(*self._input, "-map", "0:a:0", "-ac", f"{CHANNELS}", "-ar", f"{RATE}"),
                *("-flush_packets", "1", "-f", "s16le", "pipe:1"),
            ],
            drain=True,
        )
        self._thread.start()

    def take(self) -> bytes:
        """Return the sound since the last call as interleaved 16-bit samples."""
        sound = []
        while True:
            try:
                sound.append(self._track.place(*self._received.get_nowait()))
            except Empty:
                return b"".join([*sound, self._track.fill(self._clock())])

    def close(self) -> None:
        """End the capture."""
        if self._process is not None:
            self._process.close()
            self._thread.join()

    def _listen(self) -> None:
        process, chunk = self._process, bytearray(_CHUNK_SAMPLES * SAMPLE_BYTES)
        while process is not None and process.read_into(memoryview(chunk)) == len(chunk):
            self.has_sound = True
            self._received.put((self._clock(), bytes(chunk)))
        if process is not None:
            process.finish()
            self.problem = process.failure()


class SoundTrack:
    """Joins chunks of sound to a continuous track, by their times."""

    def __init__(self, start_s: float) -> None:
        """Start an empty track at `start_s` seconds."""
        self._start_s = start_s
        self._samples = 0

    def place(self, end_s: float, sound: bytes) -> bytes:
        """Return the samples to append for a chunk, perhaps with silence before it.

        Args:
            end_s: time at the end of the chunk in seconds.
            sound: interleaved 16-bit samples.
        """
        ahead = self._samples + len(sound) // SAMPLE_BYTES - (end_s - self._start_s) * RATE
        if ahead > SLACK_S * RATE:
            return b""
        silence = b""
        if ahead < -SLACK_S * RATE:
            silence = bytes(int(-ahead) * SAMPLE_BYTES)
        self._samples += (len(silence) + len(sound)) // SAMPLE_BYTES
        return silence + sound

    def fill(self, now_s: float) -> bytes:
        """Return the silence to append if no sound has been captured for some time."""
        missing_s = now_s - self._start_s - self._samples / RATE
        if missing_s < 2 * SLACK_S:
            return b""
        return self.place(now_s - SLACK_S, b"")
