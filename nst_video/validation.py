"""Valid ranges of the numbers that users choose, and the message for any other value."""

import reprlib
from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import cast

from nst_video.errors import UsageError


@dataclass(frozen=True, slots=True)
class Range:
    """A range of finite numbers; NaN and infinity are never in it.

    Attributes:
        low: the smallest; excluded if `is_above`.
        high: the largest.
        is_whole: only whole numbers.
        is_above: only numbers above `low`.
        unit: for messages, such as "seconds"; may be empty.
        or_zero: 0 is valid, too, and means "not set".
    """

    low: float
    high: float
    is_whole: bool = False
    is_above: bool = False
    unit: str = ""
    or_zero: bool = False

    def __str__(self) -> str:
        kind = "a whole number" if self.is_whole else "a number"
        of = f" of {self.unit}" if self.unit else ""
        limits = f"above {self.low:g} up to" if self.is_above else f"from {self.low:.15g} to"
        return f"{'0 or ' if self.or_zero else ''}{kind}{of} {limits} {self.high:.15g}"

    def __contains__(self, value: object) -> bool:
        kind = Integral if self.is_whole else Real
        # In Python a bool is a number. Compare without a conversion, which could overflow.
        if isinstance(value, bool) or not isinstance(value, kind):
            return False
        number = cast("float", value)  # mypy does not know that reals can be compared
        if self.or_zero and number == 0:
            return True
        return self.low <= number <= self.high and not (self.is_above and number == self.low)

    def check(self, name: str, value: object) -> None:
        """Check that a value is in the range.

        Args:
            name: what the value is, as a message begins: "The intensity" or "--intensity".
            value: any object.

        Raises:
            UsageError: it is not a number, not finite or out of range.
        """
        if value not in self:
            raise UsageError(f"{name} must be {self}, not {reprlib.repr(value)}.")

    def check_optional(self, name: str, value: object) -> None:
        """Check that a value is None or in the range, see `check`."""
        if value is not None:
            self.check(name, value)

    def parse(self, name: str, text: str) -> float:
        """Return the number that `text` represents; an int if `is_whole`.

        Raises:
            UsageError: it is not a number, not finite or out of range.
        """
        try:
            value = int(text) if self.is_whole else float(text)
        except ValueError:
            value = None
        if value is None or value not in self:
            raise UsageError(f"{name} must be {self}, not {reprlib.repr(text)}.")
        return value


def check_type(name: str, value: object, kind: type) -> None:
    """Check the type of a value.

    Args:
        name: what the value is, as a message begins: "The settings".
        value: any object.
        kind: the class that it must be an instance of.

    Raises:
        UsageError: it is not.
    """
    if not isinstance(value, kind):
        article = "an" if kind.__name__[0] in "AEIO" else "a"
        message = f"{name} must be {article} {kind.__name__}, not {reprlib.repr(value)}."
        raise UsageError(message)


def check_fields(options: object, ranges: Mapping[str, Range]) -> None:
    """Check the fields of a dataclass against their ranges, by name.

    Raises:
        UsageError: a field is out of range; the message begins with its name.
    """
    for name, wanted in ranges.items():
        wanted.check(name, getattr(options, name))


MAX_SIDE_PX = 16384
"""The longest side of an image or video."""

SIDE = Range(2, MAX_SIDE_PX, is_whole=True, unit="pixels")

INTENSITY = Range(0, 1)
STEADY = Range(0, 1)
PAINT_EVERY = Range(1, 12, is_whole=True, unit="frames")
WORK_SIZE = Range(32, MAX_SIDE_PX, is_whole=True, unit="pixels")
"""Short side, in pixels, at which a network paints."""

GENTLE = Range(0, 1)
"""How much of the structure of skin is brought back."""

SOFTNESS = Range(0, 1)
"""How wide the transition of a mask is."""

STROKE_SCALE = Range(0.25, 4)
"""Width of strokes, relative to the default."""

MINUTES = Range(0, 10_000, is_above=True, unit="minutes")
"""How long a style is refined."""

BOLDNESS = Range(0, 1)
"""How far a refined style may leave the content."""

SCORE_SIZE = Range(64, 4096, is_whole=True, unit="pixels")
"""Long side, in pixels, at which films are compared."""

TILE_ROWS = Range(16, MAX_SIDE_PX, is_whole=True)
"""Height, in pixels, of the tiles in which large frames are painted."""

MIX_WEIGHT = Range(0, 1e6)
"""Weight of a style in a mix."""

FADE_S = Range(0, 3600, unit="seconds")
"""Duration of the transition from one style to the next."""

RATE = Range(0.01, 1000)
"""Frames per second."""

WORKER_CORES = Range(1, 1024, is_whole=True)
"""Processor cores of one worker."""

WORKER_GPUS = Range(0, 64)
"""GPUs of one worker; fractions share one."""

COUNT = Range(1, 1_000_000, is_whole=True)
"""A number of items or repetitions."""

SEED = Range(0, 2**32 - 1, is_whole=True)
"""Seed of random numbers that both NumPy and TensorFlow accept."""

SECONDS = Range(0, 1e7, unit="seconds")
"""A position or a duration, up to 115 days."""
