"""The interface of engines: uint8 frames and style parameters in, uint8 frames out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from nst_video.errors import EngineError
from nst_video.frames import Floats, Frame, Frames, Size
from nst_video.image.yuv420 import YuvColors, YuvFrames
from nst_video.networks.config import MIN_SIDE
from nst_video.networks.fused.regions import region_maps


@dataclass(frozen=True, slots=True)
class Device:
    """The device of an engine, and why it was chosen; shown by `nst-video doctor`.

    Attributes:
        name: such as "GPU:0" or "CPU:0".
        reason: one sentence for the user.
        dtype: type in which the network computes: a Keras dtype policy for TensorFlow; "float32",
            "bfloat16" or "float16" for OpenVINO.
        xla: whether the graph is compiled by XLA.
    """

    name: str
    reason: str
    dtype: str = "float32"
    xla: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SecondStyle:
    """Where frames are painted in a second style, in the same pass of the network.

    Attributes:
        style: style parameters (n or 1, style_size), float32.
        masks: uint8 (n, height, width): 255 where the first style is, 0 where the second one is,
            and mixed between them.
    """

    style: NDArray[np.float32]
    masks: NDArray[np.uint8]

    def part(self, here: slice) -> "SecondStyle":
        """Return it for some frames of the batch."""
        style = self.style if len(self.style) == 1 else self.style[here]
        return SecondStyle(style, self.masks[here])


@dataclass(frozen=True, slots=True)
class PendingFrames:
    """Frames that are being painted: a future.

    Attributes:
        wait: blocks until they are painted and returns them, uint8; raises the error of the engine.
            The input must not be changed before it returns. Call it once.
        is_done: `wait` returns at once.
    """

    wait: Callable[[], NDArray[np.uint8]]
    is_done: bool = False

    @classmethod
    def done(cls, painted: NDArray[np.uint8]) -> Self:
        """Return a result that is finished already."""
        return cls(lambda: painted, is_done=True)

    def then(self, finish: Callable[[NDArray[np.uint8]], NDArray[np.uint8]]) -> "PendingFrames":
        """Return a future that applies `finish` to the painted frames."""
        if self.is_done:
            return PendingFrames.done(finish(self.wait()))
        return PendingFrames(lambda: finish(self.wait()))


@dataclass(frozen=True, slots=True)
class EngineCapabilities:
    """What an engine can do besides painting whole RGB frames.

    Attributes:
        yuv: it paints 4:2:0 frames (`Engine.submit_yuv`).
        tiles: it paints a frame tile by tile (`Engine.paint_tiles`), which takes less memory.
        peak_feature_maps: for the estimate of memory: how many feature maps of full resolution,
            as wide as the network's first layer, exist at once at most; measured.
    """

    yuv: bool = False
    tiles: bool = False
    peak_feature_maps: float = 0.0


class Engine(Protocol):
    """A compiled style transformer; RGB and YUV frames are uint8, styles float32."""

    @property
    def name(self) -> str:
        """The engine's name in `ENGINES`."""
        ...

    @property
    def device(self) -> Device:
        """Where it runs and why."""
        ...

    @property
    def capabilities(self) -> EngineCapabilities:
        """What it can do besides painting whole RGB frames."""
        ...

    def make_reproducible(self, cores: int | None = None) -> None:
        """Paint the same from now on whatever the number of cores, where the engine can.

        That is, on processors of the same kind; for films of which parts are painted elsewhere.

        Args:
            cores: frames that are painted at once; None for as many as the machine has cores.
        """
        ...

    def __call__(
        self, frames: Frames, style: NDArray[np.float32], second: SecondStyle | None = None
    ) -> Frames:
        """Paint RGB frames and wait for the result.

        Args:
            frames: (n, height, width, 3).
            style: style parameters (n or 1, style_size).
            second: another style for a part of the frames.

        Returns:
            The painted frames, RGB, of the same shape.

        Raises:
            EngineError: a side is under `MIN_SIDE` pixels, or the network fails.
            OutOfMemoryError: the device has not enough memory.
        """
        ...

    def submit(
        self, frames: Frames, style: NDArray[np.float32], second: SecondStyle | None = None
    ) -> PendingFrames:
        """Begin to paint RGB frames, as a call does, and return at once where the engine can.

        `frames` must not be changed until the result has been waited for.

        Raises:
            EngineError: as for a call; so does waiting.
        """
        ...

    def accepts_yuv(self, size: Size) -> bool:
        """Return whether `submit_yuv` is the fast way for pictures of `size` (width, height).

        The answer may change while the program runs: where memory is short, frames are painted in
        tiles, which takes RGB.
        """
        ...

    def submit_yuv(
        self,
        yuv: YuvFrames,
        style: NDArray[np.float32],
        colors: YuvColors,
        second: SecondStyle | None = None,
    ) -> PendingFrames:
        """Begin to paint 4:2:0 frames, as `submit` does.

        Args:
            yuv: (n, height * 3 / 2, width); both sides of the picture are even.
            style: style parameters (n or 1, style_size).
            colors: matrix and range of the YUV frames.
            second: another style for a part of the pictures; masks have their full size.

        Returns:
            YuvFrames of the same shape in `image.yuv420.OUTPUT_COLORS`.

        Raises:
            EngineError: as for a call, or without `capabilities.yuv`; so does waiting.
        """
        ...

    def paint_tiles(
        self,
        frame: Frame,
        style: NDArray[np.float32],
        rows: int,
        second: SecondStyle | None = None,
    ) -> Frame:
        """Paint one RGB frame (height, width, 3) in tiles of `rows` rows and the full width.

        The result is within 1 of 255 levels of the frame painted whole.

        Raises:
            EngineError: as for a call, or without `capabilities.tiles`.
        """
        ...


class IdentityEngine:
    """Returns frames unchanged: for tests, and to measure everything except the network."""

    name = "identity"
    device = Device("none", "identity: nothing is computed")
    capabilities = EngineCapabilities()

    def make_reproducible(self, cores: int | None = None) -> None:
        """Nothing has to be done."""

    def __call__(
        self, frames: Frames, style: NDArray[np.float32], second: SecondStyle | None = None
    ) -> Frames:
        """Return a copy of `frames`."""
        return frames.copy()

    def submit(
        self, frames: Frames, style: NDArray[np.float32], second: SecondStyle | None = None
    ) -> PendingFrames:
        """Return a copy of `frames`, finished."""
        return PendingFrames.done(self(frames, style))

    def accepts_yuv(self, size: Size) -> bool:
        """Return False."""
        return False

    def submit_yuv(
        self,
        yuv: YuvFrames,
        style: NDArray[np.float32],
        colors: YuvColors,
        second: SecondStyle | None = None,
    ) -> PendingFrames:
        """Raise EngineError: not supported."""
        raise EngineError("The engine identity takes RGB frames only.")

    def paint_tiles(
        self,
        frame: Frame,
        style: NDArray[np.float32],
        rows: int,
        second: SecondStyle | None = None,
    ) -> Frame:
        """Raise EngineError: not supported."""
        raise EngineError("The engine identity takes whole frames only.")


def second_inputs(
    second: SecondStyle | None, here: slice = slice(None), *, is_sampled: bool = False
) -> list[Floats]:
    """Return what a network takes in for a second style; nothing for one style.

    That is its style parameters, then mask and weights of `fused.regions.RegionMap` at each
    resolution.

    Args:
        second: of a batch.
        here: frames of the batch.
        is_sampled: see `fused.regions.region_maps`.
    """
    if second is None:
        return []
    part = second.part(here)
    maps = region_maps(part.masks, is_sampled=is_sampled).values()
    return [part.style, *(array for each in maps for array in (each.mask, each.weights))]


def check_min_size(size: Size) -> None:
    """Check that frames of `size` (width, height) are large enough for reflection padding.

    Raises:
        EngineError: a side is under `MIN_SIDE` pixels.
    """
    width, height = size
    if min(height, width) < MIN_SIDE:
        raise EngineError(
            f"A frame of {width}x{height} is too small to paint: "
            f"both sides must have at least {MIN_SIDE} pixels."
        )


def warm_up(engine: Engine, size: Size, style: NDArray[np.float32]) -> None:
    """Paint a test picture of `size` (width, height) to compile the network, and check the result.

    Raises:
        EngineError: the style parameters are not finite, or the output has no contrast, which
            faulty drivers and damaged weights cause.
    """
    if not np.isfinite(style).all():
        raise EngineError("The style parameters are not finite: the model's weights are broken.")
    width, height = size
    ramp = np.linspace(0, 255, width * height * 3).reshape(1, height, width, 3)
    picture = (ramp + 40 * np.sin(ramp)).clip(0, 255).astype(np.uint8)
    painted = engine(picture, style[:1])
    if painted.shape != picture.shape or int(painted.max()) - int(painted.min()) < 2:
        raise EngineError(
            f"Engine {engine.name!r} on {engine.device.name} painted a flat test picture: "
            "its driver or the weights are broken. Try `nst-video models verify`."
        )
