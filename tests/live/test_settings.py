"""Settings: remembered, overridden, refused, forgotten; the command as a whole; keys in README."""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from live_tools import film, unchanged

from nst_video.cli import main
from nst_video.errors import UsageError
from nst_video.live import HOTKEYS, LiveSession
from nst_video.live.hotkeys import (
    KEY_CODES,
    NAMED_KEYS,
    Keyboard,
    key_of,
    markdown_table,
    press,
)
from nst_video.live.settings import (
    LiveSettings,
    forget_settings,
    load_settings,
    overlay,
    save_settings,
    settings_path,
)

REPO = Path(__file__).parents[2]


def test_settings_are_remembered_exactly() -> None:
    settings = LiveSettings(
        source='a "quoted" \\ name', style=["wave", "für"], mix=[0.25, 0.75], intensity=0.3,
        keep_colors=True, work_size=320, hud=False, fps="30000/1001",
    )  # fmt: skip
    save_settings(settings)
    assert load_settings() == settings


def test_only_changed_settings_are_written() -> None:
    save_settings(LiveSettings(mirror=False))
    assert settings_path().read_text().splitlines()[1:] == ["mirror = false"]


def test_settings_of_a_first_run_are_the_defaults() -> None:
    assert load_settings() == LiveSettings()


def test_flag_goes_before_file_and_file_before_default() -> None:
    save_settings(LiveSettings(intensity=0.5, mirror=False))
    merged = overlay(load_settings(), {"intensity": 0.7, "mirror": None, "model": None})
    assert (merged.intensity, merged.mirror) == (0.7, False)
    assert merged.model == LiveSettings().model


@pytest.mark.parametrize(
    "text", ["intensity = 'strong'", "mirror = 1", "no_such = 1", "not toml at all"]
)
def test_broken_settings_are_refused_with_the_way_out(text: str) -> None:
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(text)
    with pytest.raises(UsageError, match="--reset"):
        load_settings()
    forget_settings()
    assert load_settings() == LiveSettings()


@dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Command = Callable[..., Done]


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Command:
    """Runs nst-video in this process."""

    def run(*arguments: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["nst-video", *arguments])
        code: object = 0
        try:
            main()
        except SystemExit as end:
            code = end.code
        return Done(int(str(code or 0)), *capfd.readouterr())

    return run


def test_command_paints_for_a_while_and_remembers(command: Command, tmp_path: Path) -> None:
    output = tmp_path / "take.mp4"
    done = command(
        "live", "demo:", "-o", str(output), "--duration", "1",
        "--model", "builtin", "--engine", "identity", "--style", "wave", "--intensity", "0.9",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert output.exists(), done.stderr
    assert output.stat().st_size > 10_000
    assert "frames painted" in done.stderr
    assert load_settings().style == ["wave"]
    assert load_settings().source == "demo:"
    again = command("live", "-o", "null:", "--duration", "1", "--intensity", "1")
    assert again.returncode == 0, again.stderr
    assert load_settings().style == ["wave"]
    assert load_settings().intensity == 1


def test_command_forgets_when_told(command: Command) -> None:
    save_settings(LiveSettings(source="demo:", style=["no-such-style"]))
    done = command("live", "--reset", "missing.mp4", "-o", "null:")
    assert done.returncode == 1
    assert "There is no file missing.mp4" in done.stderr
    assert not settings_path().exists()


def test_command_goes_on_without_a_remembered_style_that_is_gone(command: Command) -> None:
    save_settings(LiveSettings(style=["no-such-style"], model="builtin", engine="identity"))
    done = command("live", "demo:", "-o", "null:", "--duration", "1")
    assert done.returncode == 0
    assert "no-such-style" in done.stderr


def test_command_refuses_a_style_that_is_not_there(command: Command) -> None:
    done = command("live", "demo:", "-o", "null:", "--duration", "9", "--style", "no-such-style")
    assert done.returncode == 1
    assert "No style 'no-such-style'" in done.stderr


def test_devices_command_lists_cameras_or_says_there_are_none(command: Command) -> None:
    done = command("devices")
    assert done.stdout.strip()
    assert done.returncode == (1 if "no camera" in done.stdout else 0)


def test_readme_has_the_table_of_keys() -> None:
    assert markdown_table() in (REPO / "README.md").read_text("utf-8")


def test_every_key_has_one_meaning() -> None:
    keys = [key for hotkey in HOTKEYS for key in hotkey.keys]
    assert len(keys) == len(set(keys))
    assert all(len(key) == 1 or key in NAMED_KEYS for key in keys)
    assert all(hotkey.help and hotkey.label and hotkey.name for hotkey in HOTKEYS)


LEFT, UP, RIGHT, DOWN = "Left", "Up", "Right", "Down"
NUM_LOCK = 0x100000  # GTK's state


@pytest.mark.parametrize(
    ("codes", "key"),
    [
        ((49, 0xFFB1, 49 | NUM_LOCK), "1"),
        ((65, 97, 0x10041, 0x20041), "a"),  # with Shift, with Caps Lock
        ((9,), "Tab"),
        ((10, 13, 0xFF8D), "Enter"),
        ((27,), "Esc"),
        ((32,), "Space"),
        ((0xFF51, 0xFF96, 0xFF51 | NUM_LOCK, 0x250000, 0xF702), LEFT),
        ((0xFF52, 0xFF97, 0x260000, 0xF700), UP),
        ((0xFF53, 0xFF98, 0x270000, 0xF703), RIGHT),
        ((0xFF54, 0xFF99, 0x280000, 0xF701), DOWN),
    ],
)
def test_codes_of_every_window_system_are_translated(codes: tuple[int, ...], key: str) -> None:
    assert {key_of(code) for code in codes} == {key}


def test_no_other_code_means_anything() -> None:
    known = {code for code in range(32, 127)} | set(KEY_CODES)
    # Keysyms, macOS' private characters, Windows' virtual keys, keys of GTK with Control or Alt.
    codes = [*range(0x10000), *(n << 16 for n in range(1, 256))]
    codes += [state << 16 | n for state in (4, 8, 0x40, 0x1008) for n in range(1, 0x10000, 7)]
    assert {code for code in codes if key_of(code)} == known
    assert key_of(-1) == ""


def test_keys_pressed_together_with_alt_or_control_mean_nothing() -> None:
    keyboard = Keyboard()
    assert keyboard.hear(ord("q"), 0.0) == "q"
    for chord in (0xFFE3, 0xFFE9, 0xFFEB):  # Control, Alt, Super
        begun = float(chord)
        assert [keyboard.hear(code, begun) for code in (chord, 0xFFE1, ord("q"))] == [""] * 3
        assert keyboard.hear(ord("q"), begun + 1) == "q"


def test_keys_before_anything_is_loaded_do_no_harm() -> None:
    session = LiveSession(film(), unchanged, has_window=False)
    for hotkey in HOTKEYS:
        for key in hotkey.keys:
            if key not in "rvn":
                assert press(session, key)
    assert not press(session, "no such key")
    assert session.state.is_over
