"""How a painting should look: the choices a user makes, checked, without anything heavy."""

from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

from nst_video.errors import UsageError
from nst_video.validation import INTENSITY, WORK_SIZE

Blend: TypeAlias = Literal["latent", "pixel"]
"""How intensity works: between bottlenecks (richer), or between pictures (cheaper)."""


LATENT_FROM = 0.2
"""Intensity from which on a latent blend is the network's painting alone.

With its own bottleneck a frame is not painted as it was, but differs from itself by 25 of 255
levels on average: of this, a hundredth of intensity adds at most 1.4.
"""


@dataclass(frozen=True)
class StylizeSettings:
    """Everything about a painting except its style.

    Attributes:
        intensity: 0..1, how far from the frame (0) to the style (1).
        blend: "latent" goes from the frame's own bottleneck, smoothed over time, to the style's,
            and up to `LATENT_FROM` also from the frame itself to that painting; "pixel" cross-fades
            the finished picture. Both are the input exactly at 0.
        keep_colors: the style's luminance with the frame's chrominance.
        work_size: short side in pixels at which the network runs, None for the frame's own; the
            result is brought back to full size.

    Raises:
        UsageError: a value out of its range.
    """

    intensity: float = 1.0
    blend: Blend = "latent"
    keep_colors: bool = False
    work_size: int | None = None

    def __post_init__(self) -> None:
        INTENSITY.check("The intensity", self.intensity)
        if self.blend not in get_args(Blend):
            raise UsageError(f"No blend {self.blend!r}. Choose from: {', '.join(get_args(Blend))}.")
        WORK_SIZE.check_optional("The working size", self.work_size)

    @property
    def is_original(self) -> bool:
        """True where the painting is the input itself, so that no network is needed."""
        return self.intensity == 0

    @property
    def fade(self) -> float:
        """Share of the painted picture, 0..1, in a cross-fade with the input."""
        return self.intensity if self.blend == "pixel" else min(1.0, self.intensity / LATENT_FROM)


DEFAULT_MODEL = "auto"
DEFAULT_STYLE = "starfield"
DEFAULT_ENGINE = "auto"
DEFAULT_TILE: Literal["auto"] = "auto"
