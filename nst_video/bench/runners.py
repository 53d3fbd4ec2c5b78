"""What is measured: functions from frame to painted frame, of our engines and of the peers.

All paint the same frame in the same style. Ours and LiteRT read the style once, as in real use;
the hub graph reads it again for every frame, because it offers nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video import weights
from nst_video.bench.products import Product, open_product
from nst_video.engines import ENGINES, IdentityEngine, open_engine
from nst_video.errors import UsageError
from nst_video.frames import Frame, Size
from nst_video.image import synthetic
from nst_video.networks.fused.convolutions import fold_transformer
from nst_video.networks.fused.flops import count_plain, count_rewritten, gflop
from nst_video.networks.models import StyleModel, load_model, style_input
from nst_video.settings import DEFAULT_STYLE
from nst_video.style_library.library import StyleLibrary

LITERT_SIZE: Size = (384, 384)
"""The public `.tflite` carries its picture size as a constant."""

LITERT_THREADS = 2
"""LiteRT takes one thread unless told."""

OTHER_STYLE = "wave"
"""What a switch of styles leads to, and from which the next one leads back."""

Paint = Callable[[Frame], Frame]


@dataclass(frozen=True, slots=True)
class Case:
    """One thing to measure.

    Attributes:
        engine: a name from `engines.ENGINES`, a peer ("litert", "hub"), or "plain": our network
            as it is written, which the others are compared with.
        model: a name from the table of weights.
        size: (width, height) of the frames.
        models_dir: a folder to look for model files in, before the cache.
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
) -> list[Case]:
    """Return every engine on every model and size, and each peer where it can run.

    Raises:
        UsageError: a name is unknown, a side is missing, or a peer would never run.
    """
    whole = [(width, height) for width, height in sizes if width and height]
    if len(whole) < len(sizes) or not whole:
        raise UsageError("Sizes to measure need both sides, such as 640x360.")
    if not models:
        raise UsageError("No model is at hand to measure: see `nst-video models list`.")
    cases = []
    for model in models:
        for size in whole:
            peers = [peer for peer in against if _runs(peer, model, size)]
            cases += [Case(name, model, size, models_dir) for name in (*engines, *peers)]
    for name in dict.fromkeys((*engines, *against)):
        if name not in ENGINES and name not in RUNNERS:
            known = ", ".join((*ENGINES, *RUNNERS))
            raise UsageError(f"No engine {name!r} to measure. Choose from: {known}.")
        if all(case.engine != name for case in cases):
            raise UsageError(f"{name} runs {PEERS[name].limits}: choose that model and size.")
    return cases


def _runs(peer: str, model: str, size: Size) -> bool:
    return peer in PEERS and PEERS[peer].model == model and PEERS[peer].size in (None, size)


def test_frame(size: Size) -> Frame:
    """Return a frame of the synthetic scene: edges, fine texture and gradients."""
    return synthetic.draw(size, 0.4)


@dataclass(frozen=True, slots=True)
class Work:
    """What a frame takes in billions of floating-point operations (GFLOP).

    Of the transformer's convolutions, on a frame painted whole: tiles overlap, and take more. What
    the hub graph does for the style is left out.

    Attributes:
        gflop: as they are run.
        plain_gflop: as the network is written.
    """

    gflop: float
    plain_gflop: float


@dataclass(frozen=True, slots=True)
class Runner:
    """What paints.

    Attributes:
        paint: frame to painted frame.
        device: where it runs.
        choose: takes a style's name; the next frame is painted in that style.
        work: counts what a frame takes.
        product: returns what tells how much its runtime could do, None where nothing does.
    """

    paint: Paint
    device: str
    choose: Callable[[str], None]
    work: Callable[[], Work]
    product: Callable[[], Product | None] = lambda: None


def open_runner(case: Case) -> Runner:
    """Load and compile what a case needs; it paints in the default style.

    Raises:
        WeightsError: the model's files are missing.
    """
    files = weights.resolve(case.model, models_dir=case.models_dir, offline=True)
    return RUNNERS.get(case.engine, _engine)(case, files)


class _Choice:
    """The bottleneck in use; each style is read once."""

    def __init__(self, model: StyleModel) -> None:
        self._library = StyleLibrary()
        self._predictor = model.predictor
        self._known: dict[str, NDArray[np.float32]] = {}
        self.choose(DEFAULT_STYLE)

    def choose(self, name: str) -> None:
        """Take another style."""
        if name not in self._known:
            style = self._library.get(name)
            self._known[name] = self._library.bottleneck(style, self._predictor)
        self.bottleneck = self._known[name]


def _engine(case: Case, files: Mapping[str, Path]) -> Runner:
    model = load_model(case.model, files)
    engine = open_engine(case.engine, model.config, model.arrays)
    choice = _Choice(model)

    def paint(frame: Frame) -> Frame:
        painted: Frame = engine(frame[None], model.style_parameters(choice.bottleneck[None]))[0]
        return painted

    def work() -> Work:
        plain = gflop(count_plain(model.arrays, case.size))
        if isinstance(engine, IdentityEngine):
            return Work(0, plain)
        convolutions = fold_transformer(model.config, model.arrays)
        return Work(gflop(count_rewritten(convolutions, case.size)), plain)

    product = cache(lambda: open_product(engine))
    return Runner(paint, engine.device.name, choice.choose, work, product)


def _plain(case: Case, files: Mapping[str, Path]) -> Runner:
    from nst_video.networks.checkpoints import load_transformer

    model = load_model(case.model, files)
    network = load_transformer(model.config, model.arrays)
    choice = _Choice(model)

    def paint(frame: Frame) -> Frame:
        style = model.style_parameters(choice.bottleneck[None])
        painted = np.asarray(network(frame[None].astype(np.float32) / 255, style))[0]
        return _to_bytes(painted)

    return Runner(paint, "CPU", choice.choose, lambda: _plain_work(model, case.size))


def _litert(case: Case, files: Mapping[str, Path]) -> Runner:
    """The official interpreter on the public float16 file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(files["transformer"]), num_threads=LITERT_THREADS)
    interpreter.allocate_tensors()
    content, style = (each["index"] for each in interpreter.get_input_details())
    target = interpreter.get_output_details()[0]["index"]
    model = load_model(case.model, files)
    choice = _Choice(model)

    def choose(name: str) -> None:
        choice.choose(name)
        interpreter.set_tensor(style, choice.bottleneck.reshape(1, 1, 1, -1))

    def paint(frame: Frame) -> Frame:
        interpreter.set_tensor(content, frame[None].astype(np.float32) / 255)
        interpreter.invoke()
        return _to_bytes(interpreter.get_tensor(target)[0])

    choose(DEFAULT_STYLE)
    device = f"CPU, {LITERT_THREADS} threads"
    return Runner(paint, device, choose, lambda: _plain_work(model, case.size))


def _hub(case: Case, files: Mapping[str, Path]) -> Runner:
    """The TF-Hub graph, given content and style for every frame, as its documentation shows."""
    import tensorflow as tf
    import tensorflow_hub as hub

    module = hub.load(str(files["saved_model"]))
    run = module.signatures["serving_default"]
    library = StyleLibrary()
    styles = {
        name: tf.constant(style_input(library.get(name).load()))
        for name in (DEFAULT_STYLE, OTHER_STYLE)
    }
    chosen = [DEFAULT_STYLE]

    def choose(name: str) -> None:
        chosen[0] = name

    def paint(frame: Frame) -> Frame:
        content = tf.constant(frame[None].astype(np.float32) / 255)
        painted = run(placeholder=content, placeholder_1=styles[chosen[0]])["output_0"]
        return _to_bytes(painted.numpy()[0])

    def work() -> Work:
        return _plain_work(load_model(case.model, files), case.size)

    return Runner(paint, "TensorFlow's default", choose, work)


def _plain_work(model: StyleModel, size: Size) -> Work:
    """Return the work of what runs the network as it is written."""
    plain = gflop(count_plain(model.arrays, size))
    return Work(plain, plain)


def _to_bytes(painted: NDArray[np.float32]) -> Frame:
    return (painted * 255).round().astype(np.uint8)


OpenRunner = Callable[[Case, Mapping[str, Path]], Runner]


@dataclass(frozen=True, slots=True)
class Peer:
    """What others use.

    Attributes:
        open: opens it.
        model: the one model that it runs.
        size: the one size that it runs, None for any.
        limits: both in words.
    """

    open: OpenRunner
    model: str
    size: Size | None
    limits: str


PEERS = {
    "litert": Peer(_litert, "magenta-lite", LITERT_SIZE, "magenta-lite at 384x384"),
    "hub": Peer(_hub, "magenta", None, "magenta"),
}
"""By the name that `--against` takes."""

RUNNERS: dict[str, OpenRunner] = {
    "plain": _plain,
    **{name: peer.open for name, peer in PEERS.items()},
}
"""Everything that can be measured besides the engines."""
