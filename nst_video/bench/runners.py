"""The engines and baselines that are measured, each as a function from frame to painted frame.

All paint the same frame in the same style. The engines and LiteRT read the style once; the TF-Hub
graph reads it again for every frame, because it has no other interface.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

from nst_video import weights
from nst_video.bench.peak_throughput import MatrixProduct, open_matrix_product
from nst_video.engines import ENGINES, IdentityEngine, open_engine
from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame, Size
from nst_video.image import synthetic
from nst_video.networks.fused.convolutions import fuse_transformer
from nst_video.networks.fused.flops import count_fused, count_original, gflop
from nst_video.networks.models import StyleModel, load_model, style_input
from nst_video.settings import DEFAULT_STYLE
from nst_video.style_library.library import StyleLibrary

LITERT_SIZE: Size = (384, 384)
"""The picture size, a constant of the public `.tflite` file."""

LITERT_THREADS = 2
"""Threads of LiteRT, whose default is one."""

OTHER_STYLE = "wave"
"""The style that alternates with the default one when changes of style are measured."""

Paint = Callable[[Frame], Frame]


@dataclass(frozen=True, slots=True)
class BenchmarkCase:
    """One engine or baseline, model and size.

    Attributes:
        engine: a name from `engines.ENGINES`, a baseline ("litert", "hub"), or "plain": the network
            without optimizations, the reference for accuracy.
        model: a name from the table of weights.
        size: (width, height) of the frames.
        models_dir: folder of model files, searched before the cache.
    """

    engine: str
    model: str
    size: Size
    models_dir: Path | None = None


def plan(
    models: Sequence[str],
    engines: Sequence[str],
    sizes: Sequence[tuple[int | None, int | None]],
    against: Sequence[str] = (),
    models_dir: Path | None = None,
) -> list[BenchmarkCase]:
    """Return the cases: every engine on every model and size, and each baseline where it can run.

    Args:
        models: names from the table of weights.
        engines: names from `engines.ENGINES`.
        sizes: (width, height) of the frames.
        against: names of baselines.
        models_dir: folder of model files, searched before the cache.

    Raises:
        UsageError: a name is unknown, a side is missing, or a baseline cannot run any case.
    """
    whole = [(width, height) for width, height in sizes if width and height]
    if len(whole) < len(sizes) or not whole:
        raise UsageError("Sizes to measure need both sides, such as 640x360.")
    if not models:
        raise UsageError("No model is at hand to measure: see `nst-video models list`.")
    cases = []
    for model in models:
        for size in whole:
            baselines = [name for name in against if _can_run(name, model, size)]
            names = (*engines, *baselines)
            cases += [BenchmarkCase(name, model, size, models_dir) for name in names]
    for name in dict.fromkeys((*engines, *against)):
        if name not in ENGINES and name not in RUNNERS:
            known = ", ".join((*ENGINES, *RUNNERS))
            raise UsageError(f"No engine {name!r} to measure. Choose from: {known}.")
        if all(case.engine != name for case in cases):
            raise UsageError(f"{name} runs {BASELINES[name].limits}: choose that model and size.")
    return cases


def _can_run(name: str, model: str, size: Size) -> bool:
    baseline = BASELINES.get(name)
    return baseline is not None and baseline.model == model and baseline.size in (None, size)


def test_frame(size: Size) -> Frame:
    """Return a frame of the synthetic scene, with edges, fine texture and gradients.

    It is RGB uint8, of a size (width, height).
    """
    return synthetic.draw(size, 0.4)


@dataclass(frozen=True, slots=True)
class FrameFlops:
    """Billions of floating-point operations (GFLOP) per frame.

    They are those of the transformer's convolutions on a whole frame. Tiles overlap and need more.
    The operations of the TF-Hub graph for the style are not included.

    Attributes:
        gflop: as executed.
        plain_gflop: of the network without optimizations.
    """

    gflop: float
    plain_gflop: float


@dataclass(frozen=True, slots=True)
class Runner:
    """A loaded engine or baseline.

    Attributes:
        paint: paints a frame, RGB uint8 (h, w, 3) to the same.
        device: where it runs.
        select_style: takes the name of the style of the next frames.
        flops: counts the operations of a frame.
        matrix_product: returns a matrix product on its runtime; None where there is none.
    """

    paint: Paint
    device: str
    select_style: Callable[[str], None]
    flops: Callable[[], FrameFlops]
    matrix_product: Callable[[], MatrixProduct | None] = lambda: None


def open_runner(case: BenchmarkCase) -> Runner:
    """Load and compile a case; it paints in the default style.

    Raises:
        WeightsError: the model's files are missing.
    """
    files = weights.resolve(case.model, models_dir=case.models_dir, offline=True)
    return RUNNERS.get(case.engine, _engine)(case, files)


class _SelectedStyle:
    """The bottleneck of the selected style; each style is read once."""

    def __init__(self, model: StyleModel) -> None:
        self._library = StyleLibrary()
        self._predictor = model.predictor
        self._bottlenecks: dict[str, Floats] = {}
        self.select(DEFAULT_STYLE)

    def select(self, name: str) -> None:
        """Select a style by name."""
        if name not in self._bottlenecks:
            style = self._library.get(name)
            self._bottlenecks[name] = self._library.bottleneck(style, self._predictor)
        self.bottleneck = self._bottlenecks[name]


def _engine(case: BenchmarkCase, files: Mapping[str, Path]) -> Runner:
    model = load_model(case.model, files)
    engine = open_engine(case.engine, model.config, model.arrays)
    selected = _SelectedStyle(model)

    def paint(frame: Frame) -> Frame:
        painted: Frame = engine(frame[None], model.style_parameters(selected.bottleneck[None]))[0]
        return painted

    def flops() -> FrameFlops:
        plain = gflop(count_original(model.arrays, case.size))
        if isinstance(engine, IdentityEngine):
            return FrameFlops(0, plain)
        convolutions = fuse_transformer(model.config, model.arrays)
        return FrameFlops(gflop(count_fused(convolutions, case.size)), plain)

    matrix_product = cache(lambda: open_matrix_product(engine))
    return Runner(paint, engine.device.name, selected.select, flops, matrix_product)


def _plain(case: BenchmarkCase, files: Mapping[str, Path]) -> Runner:
    from nst_video.networks.checkpoints import load_transformer

    model = load_model(case.model, files)
    network = load_transformer(model.config, model.arrays)
    selected = _SelectedStyle(model)

    def paint(frame: Frame) -> Frame:
        style = model.style_parameters(selected.bottleneck[None])
        painted = np.asarray(network(frame[None].astype(np.float32) / 255, style))[0]
        return _to_bytes(painted)

    return Runner(paint, "CPU", selected.select, lambda: _plain_flops(model, case.size))


def _litert(case: BenchmarkCase, files: Mapping[str, Path]) -> Runner:
    """The LiteRT interpreter on the public float16 file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(files["transformer"]), num_threads=LITERT_THREADS)
    interpreter.allocate_tensors()
    content, style = (each["index"] for each in interpreter.get_input_details())
    target = interpreter.get_output_details()[0]["index"]
    model = load_model(case.model, files)
    selected = _SelectedStyle(model)

    def select_style(name: str) -> None:
        selected.select(name)
        interpreter.set_tensor(style, selected.bottleneck.reshape(1, 1, 1, -1))

    def paint(frame: Frame) -> Frame:
        interpreter.set_tensor(content, frame[None].astype(np.float32) / 255)
        interpreter.invoke()
        return _to_bytes(interpreter.get_tensor(target)[0])

    select_style(DEFAULT_STYLE)
    device = f"CPU, {LITERT_THREADS} threads"
    return Runner(paint, device, select_style, lambda: _plain_flops(model, case.size))


def _hub(case: BenchmarkCase, files: Mapping[str, Path]) -> Runner:
    """The TF-Hub graph, with content and style for every frame, as in its documentation."""
    import tensorflow as tf
    import tensorflow_hub as hub

    module = hub.load(str(files["saved_model"]))
    run = module.signatures["serving_default"]
    library = StyleLibrary()
    styles = {
        name: tf.constant(style_input(library.get(name).load()))
        for name in (DEFAULT_STYLE, OTHER_STYLE)
    }
    selected = [DEFAULT_STYLE]

    def select_style(name: str) -> None:
        selected[0] = name

    def paint(frame: Frame) -> Frame:
        content = tf.constant(frame[None].astype(np.float32) / 255)
        painted = run(placeholder=content, placeholder_1=styles[selected[0]])["output_0"]
        return _to_bytes(painted.numpy()[0])

    def flops() -> FrameFlops:
        return _plain_flops(load_model(case.model, files), case.size)

    return Runner(paint, "TensorFlow's default", select_style, flops)


def _plain_flops(model: StyleModel, size: Size) -> FrameFlops:
    """Return the operations of the network without optimizations."""
    plain = gflop(count_original(model.arrays, size))
    return FrameFlops(plain, plain)


def _to_bytes(painted: Floats) -> Frame:
    return (painted * 255).round().astype(np.uint8)


OpenRunner = Callable[[BenchmarkCase, Mapping[str, Path]], Runner]


@dataclass(frozen=True, slots=True)
class Baseline:
    """An implementation of others that is measured for comparison.

    Attributes:
        open: loads it.
        model: the only model that it runs.
        size: the only size that it runs; None for any.
        limits: model and size in words.
    """

    open: OpenRunner
    model: str
    size: Size | None
    limits: str


BASELINES = {
    "litert": Baseline(_litert, "magenta-lite", LITERT_SIZE, "magenta-lite at 384x384"),
    "hub": Baseline(_hub, "magenta", None, "magenta"),
}
"""By the name that `--against` takes."""

RUNNERS: dict[str, OpenRunner] = {
    "plain": _plain,
    **{name: baseline.open for name, baseline in BASELINES.items()},
}
"""Runners besides the engines, by name."""
