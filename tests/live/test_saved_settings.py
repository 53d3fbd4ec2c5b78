"""Settings: remembered, overridden, refused, forgotten; the whole command; keys in the guide."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import pytest
from clips import ffmpeg, make_clip
from hypothesis import given, settings
from hypothesis import strategies as st
from live_tools import FRAME_BY_FRAME, film, unchanged
from repository import REPO

from nst_video.cli import main
from nst_video.live import HOTKEYS, LiveSession
from nst_video.live.hotkeys import KEY_CODES, NAMED_KEYS, Keyboard, key_of, markdown_table, press
from nst_video.live.saved_settings import (
    LiveSettings,
    forget_settings,
    load_settings,
    overlay,
    save_settings,
    settings_path,
)


def test_settings_are_remembered_exactly() -> None:
    settings = LiveSettings(
        style=["wave", 'a "quoted" \\ für'], mix=[0.25, 0.75], intensity=0.3,
        keep_colors=True, work_size=320, hud=False, steady=0.5, paint_every=3, fps="30000/1001",
    )  # fmt: skip
    save_settings(settings)
    assert load_settings() == settings


@pytest.mark.parametrize("name", ["work_size", "paint_every"])
def test_auto_may_be_written_as_on_the_command_line(name: str) -> None:
    chosen = overlay(LiveSettings(), {name: 2 if name == "paint_every" else 320})
    assert getattr(overlay(chosen, {name: "auto"}), name) == 0


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
    ("text", "note"),
    [
        ("intensity = 'strong'", "intensity must be a number from 0 to 1, not 'strong'"),
        ("intensity = nan", "intensity must be a number from 0 to 1, not nan"),
        ("steady = 1.5", "steady must be a number from 0 to 1, not 1.5"),
        ("paint_every = 'often'", "paint_every must be 0 or a whole number"),
        ("work_size = -1", "work_size must be 0 or a whole number"),
        ("target_fps = inf", "target_fps must be 0 or a number"),
        (f"fade_s = 1{'0' * 400}", "fade_s must be a number of seconds"),
        ("hud = 1", "hud must be true or false, not 1"),
        ("style = 'wave'", "style must be a list"),
        ('style = ["a\\u0000b"]', "style must be printable text"),
        ("mix = [[1]]", "weight of the mix must be a number"),
        ("model = 'no-such'", "No model 'no-such'"),
        ("engine = {name = 'openvino'}", "engine must be printable text"),
        ("size = '1280x'", "written 1280x720"),
        ("fps = '0'", "frame rate must be"),
        ("source = 'mine.mp4'", "no setting 'source'"),
        ("[live.nested]\nhud = false", "no setting 'live'"),
    ],
)
def test_setting_that_makes_no_sense_is_left_out_with_a_note(text: str, note: str) -> None:
    notes: list[str] = []
    settings_path().parent.mkdir(parents=True)
    settings_path().write_text(f"side_by_side = true\n{text}\n")
    assert load_settings(notes.append) == LiveSettings(side_by_side=True)
    assert len(notes) == 1
    assert note in notes[0]


@pytest.mark.parametrize(
    "content",
    [
        b"not toml at all",
        b"\xff\xfe\x00h\x00u\x00d",
        b"a = " + b"[" * 20_000,
        b"a = " + b"9" * 10_000,
        b"#" * 5_000_000,
        bytes(range(256)),
    ],
    ids=["words", "UTF-16", "nested", "digits", "long", "binary"],
)
def test_settings_that_cannot_be_read_are_the_defaults_with_a_note(content: bytes) -> None:
    notes: list[str] = []
    settings_path().parent.mkdir(parents=True)
    settings_path().write_bytes(content)
    assert load_settings(notes.append) == LiveSettings()
    assert len(notes) == 1
    assert str(settings_path()) in notes[0]
    assert len(notes[0]) < 400
    forget_settings()
    assert load_settings(notes.append) == LiveSettings()
    assert len(notes) == 1


def test_folder_in_place_of_the_settings_is_left_alone() -> None:
    settings_path().mkdir(parents=True)
    notes: list[str] = []
    assert load_settings(notes.append) == LiveSettings()
    assert "not a file" in notes[0]


_SCALARS = (
    st.integers() | st.floats() | st.booleans() | st.text(max_size=12)
    | st.sampled_from(["wave", "0", "1280x720", "30", "MJPG", "V4L2", "auto", "pixel"])
)  # fmt: skip
_VALUES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner)
)
_NAMES = st.sampled_from([each.name for each in fields(LiveSettings)]) | st.text("abc", min_size=1)


def _as_toml(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}" = {_as_toml(v)}' for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_as_toml, value)) + "]"
    return json.dumps(value).replace("NaN", "nan").replace("Infinity", "inf")


@settings(max_examples=30, deadline=None, derandomize=True)
@given(st.dictionaries(_NAMES, _VALUES, max_size=6), st.binary(max_size=4), st.integers(0, 200))
def test_no_settings_file_raises(table: dict[str, object], damage: bytes, place: int) -> None:
    text = "\n".join(f'"{name}" = {_as_toml(value)}' for name, value in table.items()).encode()
    path = settings_path()
    path.parent.mkdir(parents=True, exist_ok=True)
    for content in (text, text[:place] + damage + text[place + 1 :]):
        path.write_bytes(content)
        loaded = load_settings()
        assert all(
            type(getattr(loaded, e.name)) is type(getattr(LiveSettings(), e.name))
            for e in fields(LiveSettings)
        )
        assert 0 <= loaded.intensity <= 1
        save_settings(loaded)
        assert load_settings() == loaded


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
        monkeypatch.setattr("nst_video.cli.live_session.end_process", sys.exit)
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
    assert "frames stylized" in done.stderr
    assert load_settings().style == ["wave"]
    assert "source" not in settings_path().read_text()
    again = command("live", "demo:", "-o", "null:", "--duration", "1", "--intensity", "1")
    assert again.returncode == 0, again.stderr
    assert load_settings().style == ["wave"]
    assert load_settings().intensity == 1


def test_sound_of_a_film_that_is_not_recorded_is_said(command: Command, tmp_path: Path) -> None:
    film, silent = tmp_path / "film.mp4", tmp_path / "silent.mp4"
    make_clip(silent)
    ffmpeg("-i", silent, "-f", "lavfi", "-i", "sine=d=1", "-c:v", "copy", film)
    for source, output, is_said in (
        (film, str(tmp_path / "take.mp4"), True),
        (film, "null:", False),
        (silent, str(tmp_path / "still.mp4"), False),
    ):
        done = command("live", str(source), "-o", output, "--engine", "identity")
        assert done.returncode == 0, done.stderr
        assert ("no sound of the video" in done.stderr) is is_said


def test_command_never_records_over_what_it_reads_or_what_exists(
    command: Command, tmp_path: Path
) -> None:
    mine, other = tmp_path / "mine.mp4", tmp_path / "other.mp4"
    for path in (mine, other):
        path.write_bytes(b"precious")
    (tmp_path / "link.mp4").symlink_to(mine)
    for arguments, sentence in (
        ((str(mine), "-o", str(mine), "-y"), "would replace the input"),
        ((str(mine), "-o", str(tmp_path / "link.mp4"), "-y"), "would replace the input"),
        (("demo:", "-o", str(other)), "exists. Use -y"),
        (("demo:", "-o", str(tmp_path / "take.webm")), "is written as .mp4"),
        (("demo:", "-o", str(tmp_path / "no" / "take.mp4")), "There is no folder"),
        (("demo:", "-o", "null:", "--save-dir", str(tmp_path / "no")), "There is no folder"),
    ):
        done = command("live", *arguments, "--model", "builtin", "--engine", "identity")
        assert done.returncode in (1, 2)
        assert sentence in done.stderr
    assert mine.read_bytes() == other.read_bytes() == b"precious"
    assert sorted(path.name for path in tmp_path.glob("*.mp4")) == [
        "link.mp4", "mine.mp4", "other.mp4"
    ]  # fmt: skip


def test_command_forgets_when_told(command: Command) -> None:
    save_settings(LiveSettings(style=["no-such-style"]))
    done = command("live", "--reset", "missing.mp4", "-o", "null:")
    assert done.returncode == 1
    assert "missing.mp4 cannot be read: there is no such file" in done.stderr
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


@pytest.mark.parametrize(
    "arguments",
    [
        ("missing.mp4",),
        ("demo:", "--model", "no-such"),
        ("demo:", "--engine", "no-such"),
        ("demo:", "--style", "no-such"),
        ("demo:", "--size", "12"),
        ("demo:", "--driver", "no-such"),
        ("demo:", "--work-size", "7"),
        ("demo:", "--fade", "nan"),
    ],
)
def test_what_was_wrong_is_said_once_before_anything_and_not_remembered(
    command: Command, arguments: tuple[str, ...]
) -> None:
    save_settings(LiveSettings(intensity=0.5))
    before = settings_path().read_text()
    done = command("live", *arguments, "-o", "null:", "--duration", "1", "--no-hud")
    assert done.returncode in (1, 2)
    assert done.stdout == ""
    said = done.stderr.replace(f"Remembered settings of {settings_path()} were in use", "")
    assert said.count("\n") <= 2, said
    assert "Error" in said
    assert "Ctrl-C" not in said
    assert settings_path().read_text() == before


def test_source_that_fails_later_is_not_remembered_nor_greeted(
    command: Command, tmp_path: Path
) -> None:
    (tmp_path / "broken.mp4").write_bytes(b"no film at all" * 100)
    done = command(
        "live",
        str(tmp_path / "broken.mp4"),
        "-o",
        "null:",
        "--intensity",
        "0.5",
        "--model",
        "builtin",
        "--engine",
        "identity",
    )
    assert done.returncode == 1
    assert "Stylizing" not in done.stderr
    assert done.stderr.count("Error") == 1
    assert not settings_path().exists()


def test_what_is_asked_of_a_camera_is_not_asked_of_a_film(command: Command, tmp_path: Path) -> None:
    save_settings(LiveSettings(size="320x240", fps="5", model="builtin", engine="identity"))
    done = command("live", "demo:", "-o", "null:", "--duration", "1", "--size", "640x360")
    assert done.returncode == 0, done.stderr
    assert (load_settings().size, load_settings().fps) == ("320x240", "5")


def test_devices_command_lists_cameras_or_says_there_are_none(command: Command) -> None:
    done = command("devices")
    assert done.stdout.strip()
    assert done.returncode == (1 if "No camera" in done.stdout else 0)


def test_guide_has_the_table_of_keys() -> None:
    assert markdown_table() in (REPO / "docs" / "guide" / "live.md").read_text("utf-8")


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
    assert keyboard.decode(ord("q"), 0.0) == "q"
    for chord in (0xFFE3, 0xFFE9, 0xFFEB):  # Control, Alt, Super
        begun = float(chord)
        assert [keyboard.decode(code, begun) for code in (chord, 0xFFE1, ord("q"))] == [""] * 3
        assert keyboard.decode(ord("q"), begun + 1) == "q"


def test_keys_before_anything_is_loaded_do_no_harm() -> None:
    session = LiveSession(film(), unchanged, has_window=False, settings=FRAME_BY_FRAME)
    for hotkey in HOTKEYS:
        for key in hotkey.keys:
            if key not in "rvn":
                assert press(session.actions, key)
    assert not press(session.actions, "no such key")
    assert session.state.is_over
