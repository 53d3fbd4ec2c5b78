"""What is measured: functions from frame to painted frame, of our engines and of the peers.

All paint the same frame in the same style. Ours and LiteRT read the style once, as in real use;
the hub graph reads it again for every frame, because it offers nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from nst_video import scene, weights
from nst_video.engines import ENGINES, open_engine
from nst_video.errors import UsageError
from nst_video.frames import Frame, Size
from nst_video.library import StyleLibrary
from nst_video.look import DEFAULT_STYLE
from nst_video.networks.models import StyleModel, load_model, style_input

LITERT_SIZE: Size = (384, 384)
"""The public `.tflite` carries its picture size as a constant."""

LITERT_THREADS = 2
"""LiteRT takes one thread unless told."""

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
    return scene.draw(size, 0.4)


def open_runner(case: Case) -> tuple[Paint, str]:
    """Load and compile what a case needs; return what paints, and where it runs.

    Raises:
        WeightsError: the model's files are missing.
    """
    files = weights.resolve(case.model, models_dir=case.models_dir, offline=True)
    return RUNNERS.get(case.engine, _engine)(case, files)


def _bottleneck(model: StyleModel) -> NDArray[np.float32]:
    library = StyleLibrary()
    return library.bottleneck(library.get(DEFAULT_STYLE), model.predictor)


def _engine(case: Case, files: Mapping[str, Path]) -> tuple[Paint, str]:
    model = load_model(case.model, files)
    engine = open_engine(case.engine, model.config, model.arrays)
    style = model.style_parameters(_bottleneck(model)[None])
    return lambda frame: engine(frame[None], style)[0], engine.device.name


def _plain(case: Case, files: Mapping[str, Path]) -> tuple[Paint, str]:
    from nst_video.networks.checkpoints import load_transformer

    model = load_model(case.model, files)
    network = load_transformer(model.config, model.arrays)
    style = model.style_parameters(_bottleneck(model)[None])

    def paint(frame: Frame) -> Frame:
        painted = np.asarray(network(frame[None].astype(np.float32) / 255, style))[0]
        return _to_bytes(painted)

    return paint, "CPU"


def _litert(case: Case, files: Mapping[str, Path]) -> tuple[Paint, str]:
    """The official interpreter on the public float16 file."""
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(files["transformer"]), num_threads=LITERT_THREADS)
    interpreter.allocate_tensors()
    content, style = (each["index"] for each in interpreter.get_input_details())
    target = interpreter.get_output_details()[0]["index"]
    bottleneck = _bottleneck(load_model(case.model, files))
    interpreter.set_tensor(style, bottleneck.reshape(1, 1, 1, -1))

    def paint(frame: Frame) -> Frame:
        interpreter.set_tensor(content, frame[None].astype(np.float32) / 255)
        interpreter.invoke()
        return _to_bytes(interpreter.get_tensor(target)[0])

    return paint, f"CPU, {LITERT_THREADS} threads"


def _hub(case: Case, files: Mapping[str, Path]) -> tuple[Paint, str]:
    """The TF-Hub graph, given content and style for every frame, as its documentation shows."""
    import tensorflow as tf
    import tensorflow_hub as hub

    module = hub.load(str(files["saved_model"]))
    run = module.signatures["serving_default"]
    style = tf.constant(style_input(StyleLibrary().get(DEFAULT_STYLE).load()))

    def paint(frame: Frame) -> Frame:
        content = tf.constant(frame[None].astype(np.float32) / 255)
        return _to_bytes(run(placeholder=content, placeholder_1=style)["output_0"].numpy()[0])

    return paint, "TensorFlow's default"


def _to_bytes(painted: NDArray[np.float32]) -> Frame:
    return (painted * 255).round().astype(np.uint8)


Runner = Callable[[Case, Mapping[str, Path]], tuple[Paint, str]]


@dataclass(frozen=True, slots=True)
class Peer:
    """What others use.

    Attributes:
        run: opens it.
        model: the one model that it runs.
        size: the one size that it runs, None for any.
        limits: both in words.
    """

    run: Runner
    model: str
    size: Size | None
    limits: str


PEERS = {
    "litert": Peer(_litert, "magenta-lite", LITERT_SIZE, "magenta-lite at 384x384"),
    "hub": Peer(_hub, "magenta", None, "magenta"),
}
"""By the name that `--against` takes."""

RUNNERS: dict[str, Runner] = {"plain": _plain, **{name: peer.run for name, peer in PEERS.items()}}
"""Everything that can be measured besides the engines."""
