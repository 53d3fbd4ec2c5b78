"""Networks that find people in a frame: `builtin`, in the package, and MediaPipe's `selfie`.

Both see the whole frame squeezed to 256x144 pixels, whatever its aspect, and return a mask of that
size for the same frame.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

import numpy as np

from nst_video import weights
from nst_video.errors import UsageError, WeightsError
from nst_video.frames import Floats, Frame
from nst_video.image.resize import resize_area
from nst_video.networks import segmenter as network
from nst_video.system.stderr import quiet_stderr

AUTO = "auto"

ENOUGH_LINES = 200
"""Lines of a frame of which those of the mask are averages: more would only take time."""


class Segmenter(Protocol):
    """Finds people in single frames. It serves one thread at a time."""

    @property
    def name(self) -> str:
        """Its name in `SEGMENTERS`."""
        ...

    def __call__(self, frame: Frame) -> Floats:
        """Return the probability of a person, float32 (144, 256), in a frame (height, width, 3)."""
        ...


class BuiltinSegmenter:
    """Our own small network on OpenVINO."""

    name = "builtin"

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Compile it from the files of the model `builtin`.

        Raises:
            WeightsError: this copy of the package lacks the network.
        """
        if "segmenter" not in files:
            raise WeightsError(
                "This copy of nst-video was built without a network that finds people: "
                "`nst-video models fetch selfie` gets one."
            )
        self._run = network.open_segmenter(files["segmenter"])

    def __call__(self, frame: Frame) -> Floats:
        """Return the mask, see `Segmenter`."""
        return self._run(_shrink(frame))


class SelfieSegmenter:
    """MediaPipe's network for wide frames in a LiteRT interpreter.

    OpenVINO refuses its transposed convolutions with a bias.
    """

    name = "selfie"

    def __init__(self, files: Mapping[str, Path]) -> None:
        """Open the file of the model `selfie`.

        Raises:
            WeightsError: it is not a TF Lite model.
        """
        from ai_edge_litert.interpreter import Interpreter

        path = files["segmenter"]
        try:
            with quiet_stderr():
                self._interpreter = Interpreter(model_path=str(path), num_threads=2)
                self._interpreter.allocate_tensors()
        except ValueError as error:
            raise WeightsError(f"{path} is not a TF Lite model: {error}.") from error
        self._source = self._interpreter.get_input_details()[0]["index"]
        self._target = self._interpreter.get_output_details()[0]["index"]

    def __call__(self, frame: Frame) -> Floats:
        """Return the mask, see `Segmenter`."""
        small = _shrink(frame).astype(np.float32) * np.float32(1 / 255)
        self._interpreter.set_tensor(self._source, small[None])
        self._interpreter.invoke()
        return np.array(self._interpreter.get_tensor(self._target)[0, ..., 0], np.float32)


SEGMENTERS: Mapping[str, Callable[[Mapping[str, Path]], Segmenter]] = {
    "builtin": BuiltinSegmenter,
    "selfie": SelfieSegmenter,
}
"""By the name of the model whose files they read."""


def choose_segmenter(name: str = AUTO, models_dir: Path | None = None) -> str:
    """Return the name of a segmenter; "auto" is `selfie` where it is on disk, else `builtin`.

    Raises:
        UsageError: there is none of this name.
    """
    if name not in (AUTO, *SEGMENTERS):
        raise UsageError(f"No segmenter {name!r}. Choose from: {AUTO}, {', '.join(SEGMENTERS)}.")
    if name != AUTO:
        return name
    return "selfie" if weights.is_cached("selfie", models_dir) else "builtin"


def open_segmenter(
    name: str = AUTO,
    *,
    models_dir: Path | None = None,
    offline: bool = False,
    on_progress: weights.OnProgress | None = None,
) -> Segmenter:
    """Return a segmenter, whose files are fetched where they are missing.

    Raises:
        UsageError: there is none of this name.
        WeightsError: its files are missing or damaged.
    """
    name = choose_segmenter(name, models_dir)
    files = weights.resolve(name, models_dir=models_dir, offline=offline, on_progress=on_progress)
    return SEGMENTERS[name](files)


def _shrink(frame: Frame) -> Frame:
    """Return a frame at the networks' size: 2 instead of 5 ms from 3840x2160."""
    some = frame[:: max(1, len(frame) // ENOUGH_LINES)]
    return resize_area(some, network.SIZE)
