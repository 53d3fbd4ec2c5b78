"""Options of how steady a painted film is, and how much of it is painted."""

from dataclasses import dataclass, replace
from typing import Annotated

import typer

from nst_video.cli.stylizer_options import (
    STEADY_OPTION,
    STYLE_PANEL,
    ModelArguments,
    StylizeOptions,
    check_paint_every,
    paint_every_option,
    parse_paint_every,
)
from nst_video.settings import (
    FAST_PAINT_EVERY,
    FAST_WORK_SIZE,
    ModelOptions,
    StylizeSettings,
)


@dataclass(frozen=True, kw_only=True)
class FilmStyleOptions(StylizeOptions):
    """The style of a film, and how it is carried from frame to frame."""

    steady: Annotated[float, STEADY_OPTION] = StylizeSettings.steady
    paint_every: Annotated[
        str, paint_every_option(f"auto is 1, and {FAST_PAINT_EVERY} with --fast.")
    ] = str(StylizeSettings.paint_every)
    fast: Annotated[
        bool,
        typer.Option(
            "--fast",
            help=f"Three to six times as fast, nearly as good: --paint-every {FAST_PAINT_EVERY}, "
            f"--work-size {FAST_WORK_SIZE} and the fast engine, unless others are given.",
            rich_help_panel=STYLE_PANEL,
        ),
    ] = False

    def settings(self) -> StylizeSettings:
        """Return everything but the style.

        Raises:
            UsageError: a value that makes no sense.
        """
        every = parse_paint_every(self.paint_every) or StylizeSettings.paint_every
        check_paint_every(self.steady, every)
        if self.fast and every == "auto":
            every = FAST_PAINT_EVERY
        settings = replace(super().settings(), steady=self.steady, paint_every=every)
        if self.fast and settings.work_size == "auto" and settings.stroke_scale == 1:
            settings = replace(settings, work_size=FAST_WORK_SIZE)
        return settings

    def choose_engine(self, model: ModelArguments) -> ModelArguments:
        """Return the options of the model with the engine that --fast takes, if none is given."""
        if not self.fast or model.engine != ModelOptions.engine:
            return model
        from nst_video.engines import fast_engine

        return replace(model, engine=fast_engine())
