"""Settings of live sessions, remembered between runs in a TOML file."""

import json
import reprlib
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import get_args

from nst_video.engines import AUTO, ENGINES
from nst_video.errors import SinkError, UsageError
from nst_video.settings import DEFAULT_STYLE, Blend, ModelOptions, StylizeSettings
from nst_video.system import paths
from nst_video.validation import FADE_S as FADE_RANGE
from nst_video.validation import GENTLE, INTENSITY, MIX_WEIGHT, PAINT_EVERY, RATE, STEADY, WORK_SIZE
from nst_video.video.capture.camera import driver_number
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.media.codec_options import parse_rate, parse_size
from nst_video.weights import MODELS

FADE_S = 0.5
"""Seconds over which one style turns into the next."""

MAX_BYTES = 1 << 16
"""Maximum size of the file in bytes."""

MAX_STYLES = 64


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """The remembered settings and their defaults. Empty text and 0 mean "not set".

    The source is not remembered: without one, a session uses the first camera.

    Attributes:
        style: names or paths.
        mix: a weight for each style; empty for equal ones.
        intensity: see `StylizeSettings`, as are `blend` and `keep_colors`.
        blend: see `StylizeSettings`.
        keep_colors: see `StylizeSettings`.
        work_size: short side in pixels, 0 for automatic.
        gentle: see `StylizeSettings`.
        steady: see `StylizeSettings`.
        paint_every: see `StylizeSettings`, 0 for automatic.
        target_fps: what the automatic working size is chosen for, 0 to leave it as it is.
        fade_s: see `FADE_S`.
        mirror: show cameras mirrored in the window; other sources never are by default.
        hud: show figures and thumbnails.
        side_by_side: show the original, too.
        size: "1280x720" to ask of a camera; like the next three, no matter of other sources.
        fps: frames a second to ask of a camera.
        fourcc: pixel format to ask of a camera.
        driver: OpenCV's camera interface.
        model: see `Stylizer`.
        engine: see `Stylizer`.
    """

    style: list[str] = field(default_factory=lambda: [DEFAULT_STYLE])
    mix: list[float] = field(default_factory=list)
    intensity: float = StylizeSettings.intensity
    blend: str = StylizeSettings.blend
    keep_colors: bool = StylizeSettings.keep_colors
    work_size: int = 0
    gentle: float = StylizeSettings.gentle
    steady: float = StylizeSettings.steady
    paint_every: int = 0
    target_fps: float = 30.0
    fade_s: float = FADE_S
    mirror: bool = True
    hud: bool = True
    side_by_side: bool = False
    size: str = ""
    fps: str = ""
    fourcc: str = ""
    driver: str = ""
    model: str = ModelOptions.model
    engine: str = ModelOptions.engine


CAMERA_SETTINGS = ("size", "fps", "fourcc", "driver")


def parse_whole_size(text: str) -> tuple[int, int]:
    """Turn "1280x720" into (width, height).

    Raises:
        UsageError: it is not that.
    """
    width, height = parse_size(text)
    if width is None or height is None:
        raise UsageError(f"The size of a live source is written 1280x720, not {text!r}.")
    return width, height


def _one_of(kind: str, known: tuple[str, ...]) -> Callable[[str], None]:
    def check(text: str) -> None:
        if text not in known:
            raise UsageError(f"No {kind} {text!r}. Choose from: {', '.join(known)}.")

    return check


_RANGES = {
    "intensity": INTENSITY,
    "work_size": replace(WORK_SIZE, or_zero=True),
    "gentle": GENTLE,
    "steady": STEADY,
    "paint_every": replace(PAINT_EVERY, or_zero=True),
    "target_fps": replace(RATE, or_zero=True),
    "fade_s": FADE_RANGE,
}
_TEXTS: dict[str, Callable[[str], object]] = {
    "blend": _one_of("blend", get_args(Blend)),
    "size": parse_whole_size,
    "fps": parse_rate,
    "fourcc": lambda text: CaptureOptions(fourcc=text),
    "driver": driver_number,
    "model": _one_of("model", ("auto", *MODELS)),
    "engine": _one_of("engine", (AUTO, *ENGINES)),
}
"""Validation of each text setting. Empty text means "not set" and is not checked."""


def settings_path() -> Path:
    """Return the path of the settings file."""
    return paths.config_dir() / "live.toml"


def load_settings(on_note: Callable[[str], None] = lambda text: None) -> LiveSettings:
    """Return the remembered settings, or the defaults.

    Invalid settings are ignored; `on_note` is called with a message for each.
    """
    path = settings_path()
    try:
        table = _read(path)
    except FileNotFoundError:
        return LiveSettings()
    # RecursionError: deeply nested; ValueError: not TOML, not UTF-8 or too long.
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or reprlib.repr(str(error))
        on_note(f"The settings in {path} cannot be read ({reason}) and are left alone.")
        return LiveSettings()
    settings = LiveSettings()
    for name, value in table.items():
        try:
            settings = overlay(settings, {name: value})
        except UsageError as error:
            on_note(f"A setting in {path} is left out: {error}")
    if len(settings.mix) not in (0, len(settings.style)):
        settings = replace(settings, mix=[])
    return settings


def _read(path: Path) -> dict[str, object]:
    if path.exists() and not path.is_file():  # a device or a pipe might never end
        raise ValueError("not a file")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ValueError(f"longer than {MAX_BYTES} bytes")
    return tomllib.loads(content.decode("utf-8"))


def overlay(settings: LiveSettings, changes: Mapping[str, object]) -> LiveSettings:
    """Return `settings` with those of `changes` that are not None.

    Raises:
        UsageError: an unknown setting or an invalid value.
    """
    known: dict[str, object] = {}
    for name, value in changes.items():
        if value is None:
            continue
        if name not in _NAMES:
            raise UsageError(f"There is no setting {reprlib.repr(name)}.")
        known[name] = _checked(name, value)
    return replace(settings, **known)  # type: ignore[arg-type]  # each has been checked


_AUTOMATIC = frozenset(("work_size", "paint_every"))
"""Settings that may be "auto", as on the command line; they are kept as 0."""

_NAMES = frozenset(each.name for each in fields(LiveSettings))


def _checked(name: str, value: object) -> object:
    """Return a value in the type of its setting.

    Raises:
        UsageError: it has another type, or is out of range.
    """
    like = getattr(LiveSettings(), name)
    if name in _AUTOMATIC and value == "auto":
        return 0
    if name in _RANGES:
        _RANGES[name].check(name, value)
        return type(like)(value)
    if name == "mix":
        return [_weight(each) for each in _listed(name, value)]
    if name == "style":
        return [_text(name, each) for each in _listed(name, value)] or like
    if isinstance(like, str):
        text = _text(name, value)
        if text or like:
            _TEXTS[name](text)
        return text
    # In Python every bool is an int, so the types themselves are compared.
    if type(value) is not type(like):
        raise UsageError(f"{name} must be true or false, not {reprlib.repr(value)}.")
    return value


def _listed(name: str, value: object) -> list[object]:
    if not isinstance(value, list) or len(value) > MAX_STYLES:
        raise UsageError(
            f"{name} must be a list of at most {MAX_STYLES}, not {reprlib.repr(value)}."
        )
    return value


def _weight(value: object) -> float:
    MIX_WEIGHT.check("Each weight of the mix", value)
    return float(value)  # type: ignore[arg-type]  # a number, as has just been checked


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or not value.isprintable():
        raise UsageError(f"{name} must be printable text, not {reprlib.repr(value)}.")
    return value


def save_settings(settings: LiveSettings) -> None:
    """Save the settings that differ from the defaults.

    Raises:
        SinkError: the file cannot be written.
    """
    default = LiveSettings()
    lines = ["# What `nst-video live` remembers; `nst-video live --reset` forgets it."]
    for each in fields(settings):
        value = getattr(settings, each.name)
        if value != getattr(default, each.name):
            # Numbers, true, false, text and lists of them are the same in JSON and TOML.
            lines.append(f"{each.name} = {json.dumps(value, ensure_ascii=False)}")
    text = "\n".join(lines) + "\n"
    path = settings_path()
    try:
        paths.write_atomically(path, lambda file: file.write(text.encode()))
    except OSError as error:
        raise SinkError(f"The settings cannot be kept in {path}: {error.strerror}.") from error


def forget_settings() -> None:
    """Remove the settings file."""
    settings_path().unlink(missing_ok=True)
