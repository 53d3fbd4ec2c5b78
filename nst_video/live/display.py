"""What the window shows: the painting, perhaps beside the original, and what is written on it."""

import numpy as np

from nst_video.frames import Frame, mirrored
from nst_video.hud import Hud
from nst_video.live.hotkeys import help_rows
from nst_video.live.state import LiveState
from nst_video.live.window import legible

_BLANK = np.full((8, 8, 3), 60, np.uint8)
"""Stands for a thumbnail that is not loaded yet."""

_EMPTY_SIZE = (640, 480)


def placeholder() -> Frame:
    """Return what is shown before the first frame."""
    width, height = _EMPTY_SIZE
    return np.full((height, width, 3), 20, np.uint8)


def compose(content: Frame, painting: Frame, state: LiveState) -> Frame:
    """Return what to show of a frame and its painting, large enough to be written on."""
    shown = (content, painting) if state.is_side_by_side else (painting,)
    return legible(np.hstack([mirrored(frame, state.is_mirrored) for frame in shown]))


def make_hud(
    state: LiveState, badges: tuple[str, ...], figures: tuple[str, ...], *, is_loading: bool
) -> Hud:
    """Return what to write on the picture.

    Args:
        state: what is wished and shown.
        badges: what goes on beside painting.
        figures: lines of measurements.
        is_loading: there is no stylizer yet.
    """
    wish = state.wish
    badges += ("ORIGINAL",) if wish.is_original else ()
    badges += ("PAUSED",) if wish.is_paused else ()
    toast = state.toast or ("Loading the model ..." if is_loading else "")
    help_shown = help_rows() if state.shows_help else ()
    if not state.shows_hud:
        return Hud(badges=badges, toast=toast, trouble=state.trouble, help=help_shown)
    title = "nst-video"
    if wish.selection is not None:
        title = f"{wish.selection.title}  {wish.look.intensity:.0%}"
    return Hud(
        title=title,
        figures=figures,
        thumbnails=tuple(state.thumbnails.get(style.path, _BLANK) for style in state.styles),
        current=state.current,
        partner=-1 if state.partner is None else state.partner,
        badges=badges,
        toast=toast,
        trouble=state.trouble,
        help=help_shown,
    )
