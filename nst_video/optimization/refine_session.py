"""The refinement of a style of a library: begun or resumed, kept with the style, ended at any time.

refinement = StyleRefinement(stylizer.model, style, stylizer.library, load_loss_network())
for step in refinement.steps():
    ...  # leave the loop to end early: what is best so far is kept, the rest can be resumed
stylizer.forget_styles()
stylizer.set_style(style)
"""

import hashlib
from collections.abc import Generator, Mapping, Sequence
from contextlib import closing, suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from nst_video.errors import UsageError
from nst_video.frames import Floats, Frame
from nst_video.networks.models import StyleModel
from nst_video.networks.vgg import LossNetwork
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.optimization.refine_state import RefineResult, RefineState, RefineStep
from nst_video.optimization.style_refinement import StyleToRefine, refine
from nst_video.style_library.library import Style, StyleLibrary
from nst_video.system import paths
from nst_video.system.npz import Header, read_npz

_ARRAYS_BYTES = 1 << 20
"""Maximum size of a checkpoint; `magenta`'s has 0.2 MB."""


class StyleRefinement:
    """One style, one model; a second object of the same arguments goes on where the first ended.

    Attributes:
        style: the style.
        state: after the last step; None before the first.
    """

    def __init__(
        self,
        model: StyleModel,
        style: Style,
        library: StyleLibrary,
        network: LossNetwork,
        settings: RefineSettings | None = None,
        *,
        photos: Sequence[Frame] | None = None,
    ) -> None:
        """Prepare; nothing is computed yet.

        Args:
            model: the network whose style parameters are refined.
            style: a style of any origin.
            library: where the result is kept.
            network: the loss network.
            settings: how long, and how bold.
            photos: pictures to refine on, see `style_refinement.refine`.
        """
        self.style = style
        self.state: RefineState | None = None
        self._model, self._library, self._network = model, library, network
        self._settings = RefineSettings() if settings is None else settings
        self._photos = photos

    def steps(self) -> Generator[RefineStep, None, None]:
        """Yield every step; whenever and however this ends, the best so far is kept.

        It begins with what is kept of an earlier refinement, and replaces that by what is better.

        Raises:
            SourceError: the style image cannot be read.
            StyleError: the result cannot be kept.
            UsageError: there is no photo.
        """
        predictor = self._model.predictor
        predicted = self._model.style_parameters(
            self._library.bottleneck(self.style, predictor)[None]
        )[0]
        step: RefineStep | None = None
        run = refine(
            self._model,
            StyleToRefine(
                [part.load() for part in self.style.parts], predicted, self._kept(len(predicted))
            ),
            self._network,
            self._settings,
            photos=self._photos,
            state=self._read(len(predicted)),
        )
        try:
            with closing(run):
                for step in run:
                    self.state = step.state
                    if step.preview is not None:  # measured: even a crash does not lose it
                        self._keep(step)
                    yield step
        finally:
            if step is not None:
                self._keep(step)

    def result(self) -> RefineResult:
        """Return what it has come to.

        Raises:
            UsageError: there has been no step.
        """
        if self.state is None:
            raise UsageError(f"The style {self.style.name!r} has not been refined yet.")
        before, after = (float(loss) for loss in self.state.measures)
        return RefineResult(self.style, self.state.is_better, before, after, self.state.step)

    def _kept(self, size: int) -> Floats | None:
        """Return the refined style parameters (size,) that the style has, None without any."""
        kept = self._library.refined(self.style, self._model.transformer_key)
        return kept if kept is not None and len(kept) == size else None

    def _keep(self, step: RefineStep) -> None:
        """Keep the best style parameters with the style, and the state until it is complete."""
        if step.done < 1:
            self._write(step.state)
        else:
            self._checkpoint.unlink(missing_ok=True)
        if step.state.is_better:
            self._library.keep_refined(self.style, self._model.transformer_key, step.state.best)

    @property
    def preview_path(self) -> Path:
        """Where a preview may be shown if nobody has chosen a place."""
        return self._checkpoint.with_suffix(".jpg")

    @cached_property
    def _checkpoint(self) -> Path:
        """Where an interrupted refinement is kept; with other photos or boldness it is another."""
        settings = f"{self._settings.bold:.3f}-{self._settings.seed}"
        photos = hashlib.sha256()
        for photo in self._photos or ():
            photos.update(photo.tobytes())
        about = f"{self.style.digest[:16]}-{settings}-{photos.hexdigest()[:8]}"
        name = f"{self._model.transformer_key}-{about}.npz"
        return paths.cache_dir() / "refinements" / name

    def _write(self, state: RefineState) -> None:
        with suppress(OSError):  # a refinement can begin again
            paths.write_atomically(
                self._checkpoint,
                lambda file: np.savez(file, allow_pickle=False, **state.to_arrays()),
            )

    def _read(self, size: int) -> RefineState | None:
        """Return the state of an interrupted refinement of `size` style parameters."""
        expected = RefineState.shapes(size)

        def check(headers: Mapping[str, Header]) -> None:
            if {name: header.shape for name, header in headers.items()} != expected:
                raise ValueError("it is another refinement's")

        try:
            arrays = read_npz(self._checkpoint, check, largest=_ARRAYS_BYTES)
        except ValueError:
            return None
        if not all(np.isfinite(array).all() for array in arrays.values()):
            return None
        return RefineState.from_arrays(arrays)
