"""A refinement in a process of its own, beside a live session: low priority, one core.

refinement = BackgroundRefinement(style, library, ModelOptions())
for update in refinement.updates():   # blocks: iterate in a thread
    ...                               # `stop` from any other thread ends it
"""

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection

from nst_video import weights
from nst_video.engines import choose_model
from nst_video.errors import NstVideoError, StyleError
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.refine_state import RefineStep
from nst_video.settings import ModelOptions
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.system.stderr import quiet_stderr

NICENESS = 15
"""Of 19: whatever else computes goes first."""

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""Environment variables that limit the threads of TensorFlow."""

_POLL_S = 0.1


@dataclass(frozen=True, slots=True)
class RefineUpdate:
    """What a background refinement has come to.

    Attributes:
        done: completed share of its time, 0..1.
        remaining_s: estimated seconds that remain.
        loss: of the best style parameters on pictures that the descent does not see, relative to
            those at the beginning; at most 1.
        is_better: the style has just been given better style parameters.
    """

    done: float
    remaining_s: float
    loss: float
    is_better: bool


class BackgroundRefinement:
    """A `StyleRefinement` in another process; what is better is kept with the style at once.

    Attributes:
        style: the style.
    """

    def __init__(
        self,
        style: Style,
        library: StyleLibrary,
        options: ModelOptions,
        settings: RefineSettings | None = None,
        *,
        niceness: int = NICENESS,
    ) -> None:
        """Prepare; `updates` starts the process.

        Args:
            style: one whose pictures are there, see `StyleLibrary.adopt`.
            library: where the result is kept.
            options: the network whose style parameters are refined.
            settings: how long, and how bold.
            niceness: of its process, 0..19: the higher, the more it gives way to others.
        """
        self.style = style
        self._library = library
        self._options = options
        self._settings = RefineSettings() if settings is None else settings
        self._niceness = niceness
        self._is_stopped = threading.Event()

    def stop(self) -> None:
        """End it after the current step, without waiting; the same refinement goes on from there.

        Thread-safe.
        """
        self._is_stopped.set()

    def updates(self) -> Iterator[RefineUpdate]:
        """Run, and yield an update after every step.

        Raises:
            StyleError: it fails; the message says why.
        """
        if self._is_stopped.is_set():
            return
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        arguments = (self.style, self._library, self._options, self._settings)
        process = context.Process(
            target=_serve, args=(theirs, self._niceness, *arguments), daemon=True
        )
        process.start()
        theirs.close()
        try:
            while not self._is_stopped.is_set():
                if not ours.poll(_POLL_S):
                    continue
                answer = ours.recv()
                if not isinstance(answer, RefineUpdate):
                    raise StyleError(f"Refining '{self.style.name}' failed: {answer}")
                yield answer
                if answer.done >= 1:
                    return
        except (EOFError, OSError) as error:
            raise StyleError(f"Refining '{self.style.name}' failed: its process ended.") from error
        finally:
            ours.close()  # the process notices that after its step, keeps its state and ends


def _serve(
    pipe: Connection,
    niceness: int,
    style: Style,
    library: StyleLibrary,
    options: ModelOptions,
    settings: RefineSettings,
) -> None:
    """Refine in this process and send an update after every step, until the pipe is closed."""
    _give_way(niceness)
    with quiet_stderr(), suppress(BrokenPipeError, ConnectionError):
        try:
            _refine(pipe, style, library, options, settings)
        except NstVideoError as error:
            pipe.send(str(error))


def _give_way(niceness: int) -> None:
    """Compute on one core, with low priority, and leave Ctrl-C to the session."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if hasattr(os, "sched_setaffinity"):  # Linux
        with suppress(OSError):
            os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    if hasattr(os, "nice"):
        os.nice(niceness)


def _refine(
    pipe: Connection,
    style: Style,
    library: StyleLibrary,
    options: ModelOptions,
    settings: RefineSettings,
) -> None:
    # TensorFlow, which it imports, reads the number of threads then.
    from nst_video.networks.models import load_model
    from nst_video.networks.vgg import load_loss_network
    from nst_video.optimization.refine_session import StyleRefinement

    name = choose_model(options.model, options.models_dir).name
    files = weights.resolve(name, models_dir=options.models_dir, offline=options.offline)
    model, network = load_model(name, files), load_loss_network()
    refinement = StyleRefinement(model, style, library, network, settings)
    best: float | None = None
    with closing(refinement.steps()) as steps:
        for step in steps:
            before, after = (float(loss) for loss in step.state.measures)
            is_better = step.preview is not None and after < (before if best is None else best)
            if is_better:
                best = after
            pipe.send(_update(step, after / before, is_better=is_better))
            if pipe.poll():  # it is closed
                return


def _update(step: RefineStep, loss: float, *, is_better: bool) -> RefineUpdate:
    return RefineUpdate(step.done, step.remaining_s, loss, is_better)
