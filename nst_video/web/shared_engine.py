"""The engine that everyone who uses the server shares, and the styles they choose from."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from nst_video.engines import SecondStyle
from nst_video.errors import NstVideoError
from nst_video.frames import Frame, Size
from nst_video.live.live_stylizer import LiveStylizer
from nst_video.live.loader_thread import choose_live_engine
from nst_video.networks.models import StyleModel
from nst_video.settings import ModelOptions, Regions, StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.system.thread_priority import run_at_low_priority
from nst_video.web.catalog import StyleCatalog
from nst_video.web.look import Look
from nst_video.web.loop_compiler import LoopCompiler
from nst_video.web.regions import regions_of

FIRST_S = 5.0
"""Seconds that everything else waits for the first frame of a camera."""

T = TypeVar("T")


@dataclass(frozen=True)
class _SharedPredictor:
    """A style predictor for several threads, one at a time."""

    predict: Callable[[Frame], NDArray[np.float32]]
    key: str
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, picture: Frame) -> NDArray[np.float32]:
        with self.lock:
            return self.predict(picture)


class SharedEngine:
    """Makes stylizers that share one model and one compiled engine.

    Attributes:
        catalog: the styles.
        look: that pages begin with.
        trouble: why nothing can be painted, empty otherwise.
        has_loops: steady frames can be made. At the first start, compiling what they need takes
            half a minute; frames are painted one by one until then.
        refined: how often a style has been given better style parameters.
    """

    def __init__(self, catalog: StyleCatalog, options: ModelOptions, look: Look) -> None:
        """Prepare; `start` loads.

        Args:
            catalog: the styles.
            options: the network, and what computes it.
            look: that pages begin with.
        """
        self.catalog = catalog
        self.look = look
        self.trouble = ""
        self.has_loops = False
        self.refined = 0
        self._options = replace(options, engine=choose_live_engine(options.engine))
        self._lock, self._has_begun = threading.Lock(), False
        self._first: Stylizer | None = None
        self._model: StyleModel | None = None
        self._is_over = False
        self._loader = ThreadPoolExecutor(1, "load")
        self._compiled: set[Size] = set()
        self._compiled_two: set[Size] = set()
        self._has_size = threading.Event()
        self._loops = LoopCompiler()
        self._compiler = threading.Thread(target=self._prepare_more, name="loops", daemon=True)

    @property
    def is_ready(self) -> bool:
        """Whether model and engine are loaded."""
        return self._model is not None

    @property
    def model_name(self) -> str:
        """The name of the model, empty until it is loaded."""
        return "" if self._first is None else self._first.choice.name

    @property
    def transformer_key(self) -> str:
        """Names the model and its weights, empty until it is loaded."""
        return "" if self._model is None else self._model.transformer_key

    @property
    def description(self) -> str:
        """Model, engine and device in a few words."""
        return "" if self._first is None else self._first.describe()

    def start(self) -> None:
        """Begin to load, in a thread, unless that has begun already."""
        with self._lock:
            has_begun, self._has_begun = self._has_begun, True
        if not has_begun:
            self._loader.submit(self._load)

    def note_refined(self) -> None:
        """Have all sessions load their styles again."""
        self.refined += 1

    def close(self) -> None:
        """Load nothing further."""
        self._is_over = True
        self._has_size.set()
        self._loops.stop()
        self._loader.shutdown(wait=False, cancel_futures=True)

    def later(self, work: Callable[[], T], on_done: Callable[[T | NstVideoError], None]) -> None:
        """Run slow work in the loader's thread, one after the other; pass on what it returns."""

        def run() -> None:
            try:
                found: T | NstVideoError = work()
            except NstVideoError as error:
                found = error
            on_done(found)

        try:
            self._loader.submit(run)
        except RuntimeError:
            return  # The server ends.

    def wait(self) -> None:
        """Wait until model and engine are loaded.

        Raises:
            NstVideoError: they cannot be loaded.
        """
        self.start()
        self._loader.submit(lambda: None).result()
        if not self.is_ready:
            raise NstVideoError(self.trouble)

    def stylizer(self, look: Look) -> Stylizer:
        """Return a stylizer of its own state, with the shared model and engine.

        Args:
            look: its styles and settings.

        Raises:
            StyleError: an unknown style.
            NstVideoError: the model cannot be loaded.
        """
        if self._first is None or self._model is None:
            self.wait()
        return self._share(look, look.settings(), regions_of(look, self.catalog))

    def live_stylizer(self, look: Look) -> LiveStylizer:
        """Return a stylizer for live frames, see `stylizer`. Its mask is set when it is ready.

        Another style is there with the next painting: a transition would only make it late.
        """
        return self._share(look, look.live_settings(), None)

    def _share(self, look: Look, settings: StylizeSettings, regions: Regions | None) -> Stylizer:
        first, model = self._first, self._model
        if first is None or model is None:
            raise NstVideoError(self.trouble or "The model is not loaded yet.")
        made = Stylizer(
            self.catalog.select(look.names),
            settings,
            self._options,
            mix=look.mix,
            library=self.catalog.library,
            regions=regions,
        )
        made.model, made.engine = model, first.engine
        return made

    def compile_size(self, size: Size) -> None:
        """Compile the network for a working size (width, height).

        Raises:
            EngineError: the network does not run at that size.
        """
        first = self._first
        if first is not None and size not in self._compiled:
            # Frames of other sizes are painted meanwhile: they go first.
            run_at_low_priority(lambda: first.load_size(size))
            self._compiled.add(size)
        self._has_size.set()

    def compile_two_styles(self, size: Size) -> None:
        """Compile the network that paints two styles in one pass, see `compile_size`.

        Raises:
            EngineError: the network does not run at that size.
        """
        first, model = self._first, self._model
        if first is None or model is None or size in self._compiled_two:
            return
        style = model.to_parameters(first.style_vector[None])
        frames = np.zeros((1, *size[::-1], 3), np.uint8)
        second = SecondStyle(style, frames[..., 0])
        run_at_low_priority(lambda: first.engine(frames, style, second))
        self._compiled_two.add(size)

    def has_two_styles(self, size: Size) -> bool:
        """Return whether `compile_two_styles` has been done."""
        return size in self._compiled_two

    def _load(self) -> None:
        try:
            first = Stylizer(
                self.catalog.select(self.look.names),
                options=self._options,
                library=self.catalog.library,
            )
            first.prepare()
            predictor = first.model.predictor
            engine = _SharedPredictor(predictor, predictor.key)
            self._first = first
            self._model = replace(first.model, predictor=engine)  # type: ignore[arg-type]
        except NstVideoError as error:
            self.trouble = str(error)
            return
        self._compiler.start()

    def _prepare_more(self) -> None:
        """Prepare what the first painted frame does not wait for."""
        self._has_size.wait(FIRST_S)
        run_at_low_priority(self._predict_styles)
        self._loops.run()
        self.has_loops = not self._is_over

    def _predict_styles(self) -> None:
        """Have the vectors of all styles in the cache, so that the first click shows at once."""
        model = self._model
        for style in self.catalog.styles():
            if model is not None and not self._is_over:
                with suppress(NstVideoError):
                    self.catalog.library.bottleneck(style, model.predictor)
