"""Frames painted in a style by a feed-forward network.

stylizer = Stylizer("wave", intensity=0.8)
painted = stylizer(frame)          # one RGB uint8 frame (height, width, 3), or a batch
"""

import copy
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from nst_video import finishing, weights
from nst_video.engines import (
    Engine,
    OnNote,
    PendingFrames,
    check_engine,
    check_min_size,
    choose_model,
    open_engine,
    warm_up,
)
from nst_video.errors import UsageError
from nst_video.frames import Frame, Frames, Size, check_frames, size_of
from nst_video.image.yuv420 import YuvColors, YuvFrames, can_be_yuv420, check_yuv, yuv_size
from nst_video.networks.models import StyleModel, load_model
from nst_video.region_selection import RegionSelection
from nst_video.settings import DEFAULT_STYLE, RENEWAL_FRAMES, ModelOptions, Regions, StylizeSettings
from nst_video.steady_frames import SteadyFrames
from nst_video.style_library.library import StyleLibrary, StyleName
from nst_video.style_mixer import StyleMixer
from nst_video.style_selection import StyleSelection
from nst_video.stylizer_identity import describe_painting
from nst_video.temporal import planes
from nst_video.validation import FADE_S, check_type

TEST_SIZE = (64, 64)
"""(width, height) of the picture that tests an engine before its first frame."""


class Stylizer(StyleSelection, RegionSelection):
    """Paints frames in a style; used alike for pictures, video files and cameras.

    The model is loaded at the first frame that needs it, or by `prepare`.

    Attributes:
        paints: "batches", as in `transcode.Painter`: no frame needs later ones.
        settings: how the result looks; a new one may be assigned between any two frames.
        options: which network paints, and what computes it.
        library: where styles come from.
        choice: the name of the model in use, and why it was chosen.
    """

    paints: ClassVar[Literal["batches"]] = "batches"

    def __init__(
        self,
        style: StyleName | Sequence[StyleName] = DEFAULT_STYLE,
        settings: StylizeSettings | None = None,
        options: ModelOptions | None = None,
        *,
        intensity: float | None = None,
        mix: Sequence[float] | None = None,
        library: StyleLibrary | None = None,
        on_fetch: weights.OnProgress | None = None,
        on_note: OnNote | None = None,
        fade_s: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        regions: Regions | None = None,
    ) -> None:
        """Choose a model and find the styles; loading waits for `prepare` or the first frame.

        Args:
            style: a style's name, the path of any picture, or several of these to mix.
            settings: how the result looks.
            options: which network paints, and what computes it.
            intensity: replaces the one in `settings`.
            mix: a weight for each style, by default equal; normalized.
            library: where styles come from; by default the packaged and the user's own.
            on_fetch: called while model files are downloaded.
            on_note: called with a sentence when memory forces smaller batches or tiles.
            fade_s: seconds of the transition from one style to the next; 0 switches at once.
            clock: returns the current time in seconds, for the transition.
            regions: what else than the style, and where; None for the whole frame in it.

        Raises:
            UsageError: a value of a wrong type or out of its range.
            StyleError: an unknown style.
            WeightsError: `options.models_dir` is not a folder with model files.
        """
        settings = StylizeSettings() if settings is None else settings
        options = ModelOptions() if options is None else options
        check_type("The settings", settings, StylizeSettings)
        check_type("The options", options, ModelOptions)
        if intensity is not None:
            settings = replace(settings, intensity=intensity)
        self.settings = settings
        FADE_S.check("The fade", fade_s)
        check_engine(options.engine)
        self.library = library or StyleLibrary()
        self.options = options
        self.choice = choose_model(options.model, options.models_dir)
        weights.find_model(self.choice.name)
        self._on_note = on_note
        self._on_fetch = on_fetch
        self._is_prepared = self._is_reproducible = False
        self._cores: int | None = None
        self._mixer = StyleMixer(self.library, fade_s, clock)
        self._steady = SteadyFrames(on_note)
        self.set_style(style, mix)
        self.set_regions(regions)

    def __getstate__(self) -> dict[str, object]:
        """Return what `copy` and `pickle` keep.

        The loaded model, the compiled engine, the callbacks and a transition in progress are left
        out; the copy loads and compiles for itself when it needs to.
        """
        state = {k: v for k, v in self.__dict__.items() if k not in ("engine", "model")}
        return state | {
            "_is_prepared": False,
            "_loaded": None,
            "_on_fetch": None,
            "_on_note": None,
            "_mixer": copy.copy(self._mixer),
        }

    @cached_property
    def model(self) -> StyleModel:
        """The style model, fetched and read when first needed."""
        files = weights.resolve(
            self.choice.name,
            models_dir=self.options.models_dir,
            offline=self.options.offline,
            on_progress=self._on_fetch,
        )
        return load_model(self.choice.name, files)

    @cached_property
    def engine(self) -> Engine:
        """What runs the transformer, compiled when first needed."""
        model, tile = self.model, self.options.tile
        engine = open_engine(
            self.options.engine, model.config, model.arrays, tile=tile, on_note=self._on_note
        )
        if self._is_reproducible:
            engine.make_reproducible(self._cores)
        return engine

    @property
    def frames_per_painting(self) -> int:
        """One of so many frames is painted at least; the others are carried from it."""
        return self.settings.every

    @property
    def paintings(self) -> int:
        """How many frames were painted since `reset`, where others were carried from them."""
        return self._steady.paintings

    def describe(self) -> str:
        """Name model, engine and device, as in "builtin, tensorflow on CPU:0"."""
        if not self._is_prepared:
            return self.choice.name
        return f"{self.choice.name}, {self.engine.name} on {self.engine.device.name}"

    def prepare(self) -> None:
        """Load and compile everything, and test it, now instead of at the first frame.

        Raises:
            WeightsError: the model's files are missing or broken.
            EngineError: the network does not run on this machine.
        """
        if not (self._is_prepared or self.settings.is_original):
            warm_up(self.engine, TEST_SIZE, self.model.to_parameters(self.style_vector[None]))
            self._is_prepared = True

    def load_size(self, size: Size) -> None:
        """Compile for a working size (width, height), where engines do. Thread-safe.

        Raises:
            EngineError: the network does not run at that size.
        """
        self.prepare()
        style = self.model.to_parameters(self.style_vector[None])
        self.engine(np.zeros((1, *size[::-1], 3), np.uint8), style)

    def reset(self) -> None:
        """Forget earlier frames; call it before another clip or an unrelated picture."""
        self._mixer.reset()
        self._steady.reset()
        if self._regions is not None:
            self._regions.reset()

    def make_reproducible(self, cores: int | None = None) -> None:
        """Paint the same from now on whatever the number of cores, where the engine can."""
        self._is_reproducible, self._cores = True, cores
        if "engine" in self.__dict__:
            self.engine.make_reproducible(cores)

    def identity(self) -> Mapping[str, object]:
        """Return everything that the painted frames depend on, as plain values."""
        self.prepare()
        parts = None if self.settings.is_original else (self.model, self.engine, self.style_vector)
        described = describe_painting(self.settings, self.options, parts)
        if self._regions is None:
            return described
        return {**described, "regions": self._regions.identity(parts and self.model)}

    @property
    def renewal_frames(self) -> int:
        """Frames that `renew` is best given; 0 where frames do not depend on earlier ones."""
        looks_back = self.settings.looks_back or self._regions is not None
        return RENEWAL_FRAMES if looks_back else 0

    def renew(self, frames: int) -> None:
        """Pass over the next frames to what a film is like that begins with the next frame."""
        self._mixer.reset()
        self._steady.renew(frames)
        if self._regions is not None:
            self._regions.renew()

    def begin_at(self, frame: int) -> None:
        """After `reset`, go on with a later frame of the film than the first."""
        if self._regions is not None:
            self._regions.begin_at(frame)

    def __call__(self, frames: Frame | Frames) -> Frame | Frames:
        """Paint one frame or a batch, and wait for the result.

        Args:
            frames: RGB uint8 (height, width, 3), or (n, height, width, 3); each side has at least
                8 pixels. They are not changed.

        Returns:
            RGB uint8 of the same shape.

        Raises:
            UsageError: not frames of that shape and type.
            EngineError: the frames cannot be painted.
        """
        check_frames(frames, (3, 4))
        batch = frames[None] if frames.ndim == 3 else frames
        painted = self.submit(batch).wait()
        return painted[0] if frames.ndim == 3 else painted

    def submit(self, frames: Frames) -> PendingFrames:
        """Begin to paint RGB frames, uint8 (n, height, width, 3); not to be changed meanwhile.

        Raises:
            UsageError: not frames of that shape and type.
            EngineError: they cannot be painted.
        """
        check_frames(frames, (4,))
        regions, settings = self._regions, self.settings
        if settings.is_original or not len(frames):
            return PendingFrames.done(frames.copy())
        if regions is not None and not regions.regions.paints:
            return PendingFrames.done(regions.compose(frames, frames, regions.masks(frames)))
        size = size_of(frames)
        check_min_size(size)
        self.prepare()
        work = finishing.working_size(size, self.settings)
        small = finishing.resize_rgb(frames, work)
        masks = None if regions is None else regions.masks(small)
        painting = self._submit_steady(small, self.begin, planes.RGB, masks)
        if work != size or settings.keep_colors or settings.fade != 1:
            painting = painting.then(
                lambda each: finishing.finish_rgb(each, frames, small, settings)
            )
        if regions is None or masks is None:
            return painting
        return painting.then(lambda each: regions.compose(each, frames, masks))

    def begin(self, small: Frames, masks: NDArray[np.uint8] | None = None) -> PendingFrames:
        """Begin to paint RGB frames of working size: each by itself, not enlarged.

        Args:
            small: uint8 (n, h, w, 3); not to be changed until they are painted.
            masks: where the first style is, (n, h, w); found where they are needed and missing.

        Raises:
            EngineError: they cannot be painted.
        """
        settings = self.settings
        style, second = self._mixer.parameters(self.model, small, settings), None
        if self._regions is not None and self._regions.has_style:
            masks = self._regions.masks(small) if masks is None else masks
            second = self._regions.second(self.model, small, masks, settings)
        painting = self.engine.submit(small, style, second)
        return painting.then(lambda each: finishing.restore_faces(each, small, settings.gentle))

    def accepts_yuv(self, size: Size) -> bool:
        """Return whether `submit_yuv` is the fast way for pictures of `size` (width, height).

        It is where the network's output needs no other colors: at intensity 1 and without
        `keep_colors`, if all sides are even and the picture is painted whole.

        Raises:
            WeightsError: the model's files are missing or broken.
            EngineError: the network does not run here.
        """
        engine = self._yuv_engine(size)
        work = finishing.working_size(size, self.settings)
        return engine is not None and engine.accepts_yuv(work)

    def submit_yuv(self, yuv: YuvFrames, colors: YuvColors) -> PendingFrames:
        """Begin to paint a batch of 4:2:0 frames.

        Args:
            yuv: uint8 (n, height * 3 / 2, width); not to be changed until they are painted.
            colors: their matrix and range.

        Returns:
            YuvFrames of the same shape in `image.yuv420.OUTPUT_COLORS`.

        Raises:
            UsageError: not YUV frames of that shape and type, or the settings need RGB frames.
            EngineError: they cannot be painted.
        """
        check_yuv(yuv)
        size = yuv_size(yuv)
        if (engine := self._yuv_engine(size)) is None:
            raise UsageError(
                "YuvFrames are painted at full intensity, in new colors and at even sizes only."
            )
        self.prepare()
        work = finishing.working_size(size, self.settings)
        small = finishing.resize_yuv(yuv, work)
        gentle, regions = self.settings.gentle, self._regions
        masks = None if regions is None else regions.masks_yuv(small, colors)

        def paint(yuv: YuvFrames, masks: NDArray[np.uint8] | None = None) -> PendingFrames:
            second = None
            if regions is not None and masks is not None:
                second = regions.second_yuv(self.model, masks)
            style = self._mixer.full_parameters(self.model)
            painting = engine.submit_yuv(yuv, style, colors, second)
            return painting.then(lambda painted: finishing.restore_faces_yuv(painted, yuv, gentle))

        painting = self._submit_steady(small, paint, planes.YUV420, masks)
        if work != size:
            painting = painting.then(lambda painted: finishing.finish_yuv(painted, yuv, small))
        if regions is None or masks is None:
            return painting
        return painting.then(lambda each: regions.compose_yuv(each, yuv, colors, masks))

    def _submit_steady(
        self,
        frames: NDArray[np.uint8],
        paint: Callable[..., PendingFrames],
        pixels: planes.PlaneFormat,
        masks: NDArray[np.uint8] | None = None,
    ) -> PendingFrames:
        """Begin to paint frames at working size, steady as the settings say."""
        settings = replace(self.settings, steady=1, paint_every=1)
        look = (self.styles, self.mix, settings, self.regions)
        fading = self.is_fading
        return self._steady.submit(
            frames, paint, pixels, self.settings, look=look, is_fading=fading, masks=masks
        )

    def _yuv_engine(self, size: Size) -> Engine | None:
        """Return the engine if it paints YUV frames of `size` as the settings say."""
        settings = self.settings
        is_plain = settings.intensity == 1 and not settings.keep_colors
        is_plain &= self.regions is None or self.regions.paints
        is_even = can_be_yuv420(size) and can_be_yuv420(finishing.working_size(size, settings))
        return self.engine if is_plain and is_even and self.engine.capabilities.yuv else None
