"""What a page asks for, as JSON or in a query: styles and settings; see `Look`."""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from nst_video.errors import UsageError
from nst_video.settings import BACKGROUND_WORDS, DEFAULT_STYLE, StylizeSettings
from nst_video.validation import (
    GENTLE,
    INTENSITY,
    MIX_WEIGHT,
    SOFTNESS,
    STEADY,
    STROKE_SCALE,
    Range,
)

MAX_STYLES = 4
"""Most styles in a mix."""

STROKE_LINES = 384
"""Lines at which live frames are painted where strokes are to have the default width exactly."""

LIVE_LINES = (128, 720)
"""Fewest and most lines at which live frames are painted for other strokes."""

NUMBERS: Mapping[str, Range] = {
    "intensity": INTENSITY,
    "gentle": GENTLE,
    "steady": STEADY,
    "stroke_scale": STROKE_SCALE,
    "mask_softness": SOFTNESS,
}
FLAGS = ("keep_colors", "original")

MASKS = ("none", "person", "background")
"""Where the styles are: everywhere, on people, around people."""

PARTS = ("styles", *NUMBERS, *FLAGS, "mask", "rest")
"""What a look has in JSON."""

WORDS = ("style", "mix", *PARTS[1:])
"""What a look has in a query."""

MASK_SOFTNESS = 0.8
"""As `Regions` has it for people."""

_REST_LENGTH = 200


@dataclass(frozen=True, slots=True)
class Look:
    """Styles and settings of a page.

    Attributes:
        styles: names of the styles, and a weight for each.
        intensity: as in `StylizeSettings`, like the fields that follow.
        keep_colors: likewise.
        gentle: likewise.
        steady: likewise.
        stroke_scale: likewise.
        original: show frames without style.
        mask: one of `MASKS`.
        rest: what is outside of the mask: "original", "blur", a color, or the name of a style.
        mask_softness: 0..1: how wide the transition between both is.
    """

    styles: tuple[tuple[str, float], ...] = ((DEFAULT_STYLE, 1.0),)
    intensity: float = StylizeSettings.intensity
    keep_colors: bool = StylizeSettings.keep_colors
    gentle: float = StylizeSettings.gentle
    steady: float = StylizeSettings.steady
    stroke_scale: float = StylizeSettings.stroke_scale
    original: bool = False
    mask: str = MASKS[0]
    rest: str = BACKGROUND_WORDS[0]
    mask_softness: float = MASK_SOFTNESS

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the styles."""
        return tuple(name for name, _ in self.styles)

    @property
    def mix(self) -> tuple[float, ...]:
        """The weights of the styles."""
        return tuple(weight for _, weight in self.styles)

    def to_json(self) -> dict[str, object]:
        """Return the look as it is sent."""
        styles = [{"name": name, "weight": weight} for name, weight in self.styles]
        values = {name: getattr(self, name) for name in PARTS[1:]}
        return {"styles": styles, **values}

    def settings(self) -> StylizeSettings:
        """Return the settings for pictures and films."""
        return StylizeSettings(
            intensity=0.0 if self.original else self.intensity,
            keep_colors=self.keep_colors,
            gentle=self.gentle,
            steady=self.steady,
            stroke_scale=self.stroke_scale,
        )

    def live_settings(self) -> StylizeSettings:
        """Return the settings for live frames, whose lines are adapted to the speed.

        There, strokes of another width are those of another number of lines.
        """
        lines: int | None = None
        if self.stroke_scale != 1:
            low, high = LIVE_LINES
            lines = round(max(low, min(high, STROKE_LINES / self.stroke_scale)) / 16) * 16
        return replace(
            self.settings(),
            intensity=self.intensity,
            stroke_scale=1.0,
            work_size="auto" if lines is None else lines,
        )


def changed(look: Look, given: object) -> Look:
    """Return a look with the parts that a JSON object has.

    Raises:
        UsageError: an unknown part, or a value of another type or out of its range.
    """
    if not isinstance(given, Mapping):
        raise UsageError('A look is an object, such as {"intensity": 0.8}.')
    check_words("A look", given, PARTS)
    values: dict[str, object] = {}
    for name, allowed in NUMBERS.items():
        if name in given:
            allowed.check(name, given[name])
            values[name] = float(given[name])
    for name in FLAGS:
        if name in given:
            if not isinstance(given[name], bool):
                raise UsageError(f"{name} must be true or false, not {given[name]!r}.")
            values[name] = given[name]
    if "styles" in given:
        values["styles"] = _styles(given["styles"])
    if "mask" in given:
        values["mask"] = _one_of("mask", given["mask"], MASKS)
    if "rest" in given:
        rest = given["rest"]
        if not isinstance(rest, str) or not 0 < len(rest) <= _REST_LENGTH:
            words = ", ".join(BACKGROUND_WORDS)
            raise UsageError(f"rest must be {words}, a color, or the name of a style.")
        values["rest"] = rest
    return replace(look, **values)  # type: ignore[arg-type]  # every value has been checked


def check_words(what: str, given: Iterable[object], known: Sequence[str]) -> None:
    """Refuse names that are not known.

    Args:
        what: has the names, as a sentence begins.
        given: the names.
        known: all that there are.

    Raises:
        UsageError: names the first unknown one, and those that are near.
    """
    for name in sorted(set(map(str, given)) - set(known)):
        near = difflib.get_close_matches(name.lower(), known, n=2)
        hint = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
        raise UsageError(f"{what} has no {name[:80]!r}.{hint} It has {', '.join(known)}.")


def _one_of(name: str, value: object, allowed: Sequence[str]) -> str:
    if value not in allowed:
        raise UsageError(f"{name} must be {', '.join(allowed[:-1])} or {allowed[-1]}.")
    return str(value)


def _styles(given: object) -> tuple[tuple[str, float], ...]:
    if not isinstance(given, Sequence) or isinstance(given, str):
        raise UsageError("styles is a list, such as [{'name': 'wave', 'weight': 1}].")
    if not 1 <= len(given) <= MAX_STYLES:
        raise UsageError(f"A look has 1 to {MAX_STYLES} styles, not {len(given)}.")
    styles = []
    for each in given:
        name = each.get("name") if isinstance(each, Mapping) else None
        if not isinstance(name, str) or not isinstance(each, Mapping):
            raise UsageError("Each style is an object, such as {'name': 'wave', 'weight': 1}.")
        weight = each.get("weight", 1.0)
        MIX_WEIGHT.check("A weight", weight)
        styles.append((name, float(weight)))
    if not sum(weight for _, weight in styles):
        raise UsageError("One of the weights must be above 0.")
    return tuple(styles)


def from_query(
    query: Sequence[tuple[str, str]], look: Look | None = None, others: Sequence[str] = ()
) -> Look:
    """Return the look in a query, such as `style=wave&intensity=0.8`.

    Args:
        query: the keys and values, in order.
        look: what the query does not have is as in this one.
        others: further keys that are known, and not of the look.

    Raises:
        UsageError: an unknown key, or a value out of its range.
    """
    check_words("A request", (key for key, _ in query), (*WORDS, *others))
    given: dict[str, object] = {}
    for key, value in query:
        if key in NUMBERS:
            given[key] = NUMBERS[key].parse(key, value)
        elif key in FLAGS:
            if value not in ("true", "false"):
                raise UsageError(f"{key} must be true or false, not {value!r}.")
            given[key] = value == "true"
        elif key in ("mask", "rest"):
            given[key] = value
    names = [value for key, value in query if key == "style"]
    mix = next((value.split(",") for key, value in query if key == "mix"), ["1"] * len(names))
    if len(mix) != len(names):
        raise UsageError(f"{len(names)} styles need as many weights in mix, not {len(mix)}.")
    if names:
        weights = [MIX_WEIGHT.parse("Each weight", text) for text in mix]
        given["styles"] = [
            {"name": name, "weight": weight} for name, weight in zip(names, weights, strict=True)
        ]
    return changed(look or Look(), given)
