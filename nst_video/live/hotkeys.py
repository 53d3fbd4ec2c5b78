"""The table `HOTKEYS`: every key is declared here, once.

The help overlay, the start message and the guide are made from it. A new key is one line.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from nst_video.live.state import LiveState
from nst_video.settings import BACKGROUND_WORDS, Regions

ORIGINAL = BACKGROUND_WORDS[0]

INTENSITY_STEP = 0.1
MIX_STEP = 0.1
SIZE_STEP = 32
MIN_SIZE, MAX_SIZE = 64, 1088

STEADINESS = (
    (1.0, "Steady: strokes stay on what they are painted on"),
    (0.5, "Half steady: strokes are renewed slowly"),
    (0.0, "Not steady: every frame is painted by itself"),
)
"""(steadiness, message) that a key goes through."""

KEY_CODES: dict[int, str] = {
    # Control characters, the same everywhere; GTK's Enter is a line feed.
    9: "Tab", 10: "Enter", 13: "Enter", 27: "Esc", 32: "Space",
    # X11's keysyms, from Qt and GTK: arrows, arrows of the keypad, its other keys.
    0xFF51: "Left", 0xFF52: "Up", 0xFF53: "Right", 0xFF54: "Down",
    0xFF96: "Left", 0xFF97: "Up", 0xFF98: "Right", 0xFF99: "Down",
    0xFF8D: "Enter", 0xFFAB: "+", 0xFFAC: ",", 0xFFAD: "-", 0xFFAE: ".", 0xFFAF: "/",
    **{0xFFB0 + digit: str(digit) for digit in range(10)},
    # Windows' virtual keys, which OpenCV shifts by 16 bits.
    0x250000: "Left", 0x260000: "Up", 0x270000: "Right", 0x280000: "Down",
    # macOS' characters for function keys.
    0xF702: "Left", 0xF700: "Up", 0xF703: "Right", 0xF701: "Down",
}  # fmt: skip
"""What `cv2.pollKey` returns for keys that are no printable ASCII character."""

WHEEL_UP, WHEEL_DOWN = "WheelUp", "WheelDown"
"""A notch of the mouse wheel counts as a key."""

NAMED_KEYS = frozenset(
    (*(name for name in KEY_CODES.values() if len(name) > 1), WHEEL_UP, WHEEL_DOWN)
)

HARMLESS_STATE = 0x6013
"""GTK's state of the keyboard, 16 bits above the key: Shift, Caps Lock, Num Lock, layout."""

CHORD_KEYS = frozenset((0xFFE3, 0xFFE4, 0xFFE7, 0xFFE8, 0xFFE9, 0xFFEA, 0xFFEB, 0xFFEC))
"""X11's keysyms of Control, Meta, Alt and Super."""

CHORD_S = 0.7
"""Seconds after one of `CHORD_KEYS` in which another key is ignored: part of a chord such as Alt+Q.

Qt reports the two keys one after the other. If both arrive within one poll, OpenCV keeps only the
last code, and the chord is not recognized.
"""


class HotkeyTarget(Protocol):
    """What keys need of a session; `SessionActions` is one.

    Every method returns at once and is called in the thread of the session. Errors are shown to the
    user, not raised.
    """

    @property
    def state(self) -> LiveState:
        """The state that keys change."""
        ...

    @property
    def work_size(self) -> int:
        """Short side in pixels at which frames are painted now."""
        ...

    def save_snapshot(self) -> None:
        """Save the stylized frame on screen as a PNG file."""
        ...

    def toggle_recording(self) -> None:
        """Start a recording, or finish the running one."""
        ...

    def toggle_virtual_camera(self) -> None:
        """Turn the virtual camera on or off."""
        ...

    def next_camera(self) -> None:
        """Switch to the next camera of this machine."""
        ...

    def reload_styles(self) -> None:
        """Reload the list of style pictures."""
        ...

    def toggle_refinement(self) -> None:
        """Refine the selected style in the background, or end that."""
        ...


@dataclass(frozen=True, slots=True)
class Hotkey:
    """One line of the table.

    Attributes:
        keys: what is pressed: characters, letters in lower case, or names of `NAMED_KEYS`.
        label: how the keys are shown.
        name: one word.
        help: what it does, for `?` and the guide.
        action: does it, given which of `keys` was pressed.
    """

    keys: tuple[str, ...]
    label: str
    name: str
    help: str
    action: Callable[[HotkeyTarget, str], None]


def _choose(session: HotkeyTarget, key: str) -> None:
    place = int(key) - 1
    if place >= len(session.state.styles):
        session.state.say(f"There is no style {key}")
        return
    choose_style(session, place)


def choose_style(session: HotkeyTarget, place: int) -> None:
    """Paint in the style at this place of the list, alone."""
    state = session.state
    state.current, state.partner = place, None
    state.select()


def _step(session: HotkeyTarget, by: int) -> None:
    state = session.state
    if state.styles:
        state.current = (state.current + by) % len(state.styles)
        state.select()


def _original(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.change(is_original=not state.request.is_original)
    state.say("Original" if state.request.is_original else "Painted")


def _intensity(session: HotkeyTarget, by: float) -> None:
    state, settings = session.state, session.state.request.settings
    intensity = round(min(1.0, max(0.0, settings.intensity + by)), 2)
    state.change(settings=replace(settings, intensity=intensity))
    state.say(f"Intensity {intensity:.0%}")


def _partner(session: HotkeyTarget, _: str) -> None:
    state = session.state
    count = len(state.styles)
    if count < 2:
        return
    last = state.current if state.partner is None else state.partner
    following = (last + 1) % count
    state.partner = None if following == state.current % count else following
    state.select()


def _mix(session: HotkeyTarget, by: float) -> None:
    state = session.state
    if state.partner is None:
        state.say("Choose a style to mix in with B")
        return
    state.share = round(min(1.0, max(0.0, state.share + by)), 2)
    state.select()


def _keep_colors(session: HotkeyTarget, _: str) -> None:
    state, settings = session.state, session.state.request.settings
    state.change(settings=replace(settings, keep_colors=not settings.keep_colors))
    state.say("Original colors" if state.request.settings.keep_colors else "Colors of the style")


def _steadiness(session: HotkeyTarget, _: str) -> None:
    state, settings = session.state, session.state.request.settings
    steady, text = next((each for each in STEADINESS if each[0] < settings.steady), STEADINESS[0])
    state.change(settings=replace(settings, steady=steady))
    state.say(text)


def _mask(session: HotkeyTarget, _: str) -> None:
    """Go through: no mask, people in the style, the room in the style, two styles."""
    state = session.state
    regions = state.request.regions
    given = regions or Regions()
    if regions is None:
        chosen, text = replace(given, rest=ORIGINAL, invert=False), "Mask: people are painted"
    elif regions.rest == ORIGINAL and not regions.invert:
        chosen, text = replace(given, invert=True), "Mask: the background is painted"
    elif regions.rest == ORIGINAL and len(state.styles) > 1:
        other = state.partner
        if other is None:
            other = (state.current + 1) % len(state.styles)
        style = state.styles[other]
        name = style.name if style.origin != "file" else str(style.path)
        chosen, text = replace(given, rest=name, invert=False), f"Mask: {style.title} around people"
    else:
        state.set_regions(None)
        state.say("No mask")
        return
    state.set_regions(chosen)
    state.say(text)


def _side_by_side(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.is_side_by_side = not state.is_side_by_side


def _hud(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.shows_hud = not state.shows_hud


def _mirror(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.is_mirrored = not state.is_mirrored
    state.say("Mirrored in this window" if state.is_mirrored else "Not mirrored")


def _fullscreen(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.is_fullscreen = not state.is_fullscreen


def _size(session: HotkeyTarget, by: int) -> None:
    state, settings = session.state, session.state.request.settings
    size = min(MAX_SIZE, max(MIN_SIZE, session.work_size + by))
    state.change(settings=replace(settings, work_size=size))
    state.say(f"Painted at {size} lines")


def _pause(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.change(is_paused=not state.request.is_paused)


def _help(session: HotkeyTarget, _: str) -> None:
    state = session.state
    state.shows_help = not state.shows_help


def _quit(session: HotkeyTarget, _: str) -> None:
    session.state.is_over = True


HOTKEYS = (
    Hotkey(tuple("123456789"), "1-9", "style", "paint in one of the first nine styles", _choose),
    Hotkey(("a", "Left"), "A or Left", "previous", "previous style", lambda s, _: _step(s, -1)),
    Hotkey(("d", "Right"), "D or Right", "next", "next style", lambda s, _: _step(s, 1)),
    Hotkey(("0",), "0", "original", "original picture on or off", _original),
    Hotkey(
        ("[", "Down", WHEEL_DOWN), "[ or Down", "weaker", "less intensity",
        lambda s, _: _intensity(s, -INTENSITY_STEP),
    ),
    Hotkey(
        ("]", "Up", WHEEL_UP), "] or Up", "stronger", "more intensity",
        lambda s, _: _intensity(s, INTENSITY_STEP),
    ),
    Hotkey(("b",), "B", "mix", "mix in another style; again: the next one", _partner),
    Hotkey((",",), ",", "unmix", "less of the style mixed in", lambda s, _: _mix(s, -MIX_STEP)),
    Hotkey((".",), ".", "mix more", "more of the style mixed in", lambda s, _: _mix(s, MIX_STEP)),
    Hotkey(("c",), "C", "colors", "keep the original colors", _keep_colors),
    Hotkey(("t",), "T", "steady", "steady strokes, half steady, or not", _steadiness),
    Hotkey(("m",), "M", "mask", "paint only people, only the room, or each in a style", _mask),
    Hotkey(("Tab",), "Tab", "compare", "original and painting side by side", _side_by_side),
    Hotkey(("i",), "I", "figures", "figures and thumbnails on or off", _hud),
    Hotkey(("f",), "F", "mirror", "mirror the picture in the window", _mirror),
    Hotkey(("Enter",), "Enter", "full screen", "full screen on or off", _fullscreen),
    Hotkey(
        ("-",), "-", "coarser", "smaller working size: faster", lambda s, _: _size(s, -SIZE_STEP)
    ),
    Hotkey(
        ("=", "+"), "=", "finer", "larger working size: finer", lambda s, _: _size(s, SIZE_STEP)
    ),
    Hotkey(("w",), "W", "snapshot", "save a picture", lambda s, _: s.save_snapshot()),
    Hotkey(("r",), "R", "record", "record on or off", lambda s, _: s.toggle_recording()),
    Hotkey(
        ("v",), "V", "virtual camera", "virtual camera on or off",
        lambda s, _: s.toggle_virtual_camera(),
    ),
    Hotkey(("n",), "N", "camera", "next camera", lambda s, _: s.next_camera()),
    Hotkey(("Space",), "Space", "pause", "hold the picture", _pause),
    Hotkey(("l",), "L", "reload", "look for style pictures again", lambda s, _: s.reload_styles()),
    Hotkey(
        ("y",), "Y", "refine", "refine the style in the background; again: end that",
        lambda s, _: s.toggle_refinement(),
    ),
    Hotkey(("?", "/", "h"), "?", "help", "these keys", _help),
    Hotkey(("q", "Esc"), "Q", "quit", "quit (Esc and closing the window too)", _quit),
)  # fmt: skip
"""Every key, in the order of the help overlay. A new key is one line here."""

MOUSE = (
    ("Click", "paint in the style that is clicked at"),
    ("Wheel", "more or less intensity"),
)
"""(mouse action, effect), listed after the keys."""

_BY_KEY = {key: hotkey for hotkey in HOTKEYS for key in hotkey.keys}


def key_of(code: int) -> str:
    """Return the key that `cv2.pollKey` means by a code, empty for every key without a meaning.

    That is a printable ASCII character, in lower case, or a name of `NAMED_KEYS`.
    """
    if code in KEY_CODES:
        return KEY_CODES[code]
    state, symbol = code >> 16, code & 0xFFFF
    if code < 0 or state & ~HARMLESS_STATE:
        return ""
    return KEY_CODES.get(symbol) or (chr(symbol).lower() if 32 < symbol < 127 else "")


class Keyboard:
    """Turns key codes into keys; ignores keys pressed together with Alt, Control or Super."""

    def __init__(self) -> None:
        self._chord_s = -math.inf

    def decode(self, code: int, now_s: float) -> str:
        """Return the key for a code received at `now_s` (seconds), empty if it has none."""
        if code in CHORD_KEYS:
            self._chord_s = now_s
            return ""
        return "" if now_s < self._chord_s + CHORD_S else key_of(code)


def press(session: HotkeyTarget, key: str) -> bool:
    """Run the action of `key`; False if it has none."""
    hotkey = _BY_KEY.get(key)
    if hotkey is None:
        return False
    hotkey.action(session, key)
    return True


def help_rows() -> tuple[tuple[str, str], ...]:
    """Return (label, help) of every key and of the mouse, as shown by `?`."""
    return (*((hotkey.label, hotkey.help) for hotkey in HOTKEYS), *MOUSE)


def markdown_table() -> str:
    """Return the table of keys for the guide, in Markdown."""
    rows = [f"| `{label}` | {text} |" for label, text in help_rows()]
    return "\n".join(["| key | |", "|---|---|", *rows])
