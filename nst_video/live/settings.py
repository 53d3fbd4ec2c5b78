"""Settings of live sessions, remembered between runs in a TOML file."""

import json
import tomllib
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path

from nst_video import folders
from nst_video.errors import SinkError, UsageError
from nst_video.look import DEFAULT_ENGINE, DEFAULT_MODEL, DEFAULT_STYLE, Look

FADE_S = 0.5
"""Seconds over which one style turns into the next."""


@dataclass(frozen=True, kw_only=True)
class LiveSettings:
    """What is remembered, with the defaults of a first run. Empty text and 0 mean "not set".

    Attributes:
        source: as `inputs.open_input` takes it.
        style: names or paths.
        mix: a weight for each style; empty for equal ones.
        intensity: see `Look`, as are `blend` and `keep_colors`.
        blend: see `Look`.
        keep_colors: see `Look`.
        work_size: short side in pixels, 0 for automatic.
        target_fps: what the automatic working size is chosen for, 0 to leave it as it is.
        fade_s: see `FADE_S`.
        mirror: show cameras mirrored in the window; other sources never are by default.
        hud: show figures and thumbnails.
        side_by_side: show the original, too.
        size: "1280x720" to ask of a camera.
        fps: frames a second to ask of a camera.
        fourcc: pixel format to ask of a camera.
        driver: OpenCV's camera interface.
        model: see `Stylizer`.
        engine: see `Stylizer`.
    """

    source: str = "0"
    style: list[str] = field(default_factory=lambda: [DEFAULT_STYLE])
    mix: list[float] = field(default_factory=list)
    intensity: float = Look.intensity
    blend: str = Look.blend
    keep_colors: bool = Look.keep_colors
    work_size: int = 0
    target_fps: float = 30.0
    fade_s: float = FADE_S
    mirror: bool = True
    hud: bool = True
    side_by_side: bool = False
    size: str = ""
    fps: str = ""
    fourcc: str = ""
    driver: str = ""
    model: str = DEFAULT_MODEL
    engine: str = DEFAULT_ENGINE


def settings_path() -> Path:
    """Return where the settings are kept."""
    return folders.config_dir() / "live.toml"


def load_settings() -> LiveSettings:
    """Return the remembered settings, the defaults where there are none.

    Raises:
        UsageError: the file is not what this program writes.
    """
    path = settings_path()
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return LiveSettings()
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UsageError(
            f"{path} cannot be read ({error}): mend it or start with --reset."
        ) from error
    return overlay(LiveSettings(), table)


def overlay(settings: LiveSettings, changes: dict[str, object]) -> LiveSettings:
    """Return `settings` with those of `changes` that are not None.

    Raises:
        UsageError: an unknown name, or a value of another type than the setting's.
    """
    merged = asdict(settings)
    for name, value in changes.items():
        if value is None:
            continue
        if name not in merged:
            raise UsageError(
                f"There is no setting {name!r} ({settings_path()}): remove it or use --reset."
            )
        merged[name] = _checked(name, value, merged[name])
    return LiveSettings(**merged)


def _checked(name: str, value: object, like: object) -> object:
    """Return the value in the type of `like`."""
    if isinstance(like, float) and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    # In Python every bool is an int.
    if type(value) is not type(like):
        raise UsageError(
            f"The setting {name} is {value!r}, which is no {type(like).__name__} "
            f"({settings_path()}): mend it or use --reset."
        )
    return value


def save_settings(settings: LiveSettings) -> None:
    """Remember settings; those that have their default value are left out.

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
        folders.write_atomically(path, lambda file: file.write(text.encode()))
    except OSError as error:
        raise SinkError(f"The settings cannot be kept in {path}: {error.strerror}.") from error


def forget_settings() -> None:
    """Remove the file."""
    settings_path().unlink(missing_ok=True)
