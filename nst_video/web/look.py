"""What a page asks for, as JSON or in a query: styles and settings; see `Look`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from nst_video.errors import UsageError
from nst_video.settings import DEFAULT_STYLE, StylizeSettings
from nst_video.validation import GENTLE, INTENSITY, MIX_WEIGHT, STEADY, STROKE_SCALE, Range

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
}
FLAGS = ("keep_colors", "original")


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
    """

    styles: tuple[tuple[str, float], ...] = ((DEFAULT_STYLE, 1.0),)
    intensity: float = StylizeSettings.intensity
    keep_colors: bool = StylizeSettings.keep_colors
    gentle: float = StylizeSettings.gentle
    steady: float = StylizeSettings.steady
    stroke_scale: float = StylizeSettings.stroke_scale
    original: bool = False

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
        values = {name: getattr(self, name) for name in (*NUMBERS, *FLAGS)}
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
        raise UsageError("A look is an object, such as {'intensity': 0.8}.")
    unknown = sorted(set(map(str, given)) - {"styles", *NUMBERS, *FLAGS})
    if unknown:
        known = ", ".join(("styles", *NUMBERS, *FLAGS))
        raise UsageError(f"A look has no {unknown[0]!r}; it has {known}.")
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
    return replace(look, **values)  # type: ignore[arg-type]  # every value has been checked


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


def from_query(query: Sequence[tuple[str, str]], look: Look | None = None) -> Look:
    """Return the look in a query, such as `style=wave&intensity=0.8`; other keys are ignored.

    Args:
        query: the keys and values, in order.
        look: what the query does not have is as in this one.

    Raises:
        UsageError: a value out of its range.
    """
    given: dict[str, object] = {}
    names = [value for key, value in query if key == "style"]
    for key, value in query:
        if key in NUMBERS:
            given[key] = NUMBERS[key].parse(key, value)
        elif key in FLAGS:
            if value not in ("true", "false"):
                raise UsageError(f"{key} must be true or false, not {value!r}.")
            given[key] = value == "true"
    if names:
        mix = next((value.split(",") for key, value in query if key == "mix"), ["1"] * len(names))
        if len(mix) != len(names):
            raise UsageError(f"There are {len(names)} styles, but {len(mix)} weights.")
        weights = [MIX_WEIGHT.parse("Each weight", text) for text in mix]
        given["styles"] = [
            {"name": name, "weight": weight} for name, weight in zip(names, weights, strict=True)
        ]
    return changed(look or Look(), given)
