"""What the window shows: the painting, perhaps beside the original, and what is written on it."""

import numpy as np

from nst_video.frames import Frame, Size
from nst_video.image.overlay import Hud, draw_hud, thumbnail_at
from nst_video.image.resize import letterbox, mirrored
from nst_video.live.hotkeys import help_rows
from nst_video.live.render_thread import Painted
from nst_video.live.state import LiveState

_BLANK = np.full((8, 8, 3), 60, np.uint8)
"""Stands for a thumbnail that is not loaded yet."""

EMPTY_SIZE = (640, 480)
"""(width, height) of what is shown before the first frame."""


def render(shown: Painted | None, state: LiveState, hud: Hud, size: Size) -> Frame:
    """Return the whole content of a window of `size`: the picture in its middle, `hud` over it."""
    if shown is None:
        return draw_hud(np.full((size[1], size[0], 3), 20, np.uint8), hud)
    return draw_hud(letterbox(compose(shown.content, shown.painting, state), size), hud)


def compose(content: Frame, painting: Frame, state: LiveState) -> Frame:
    """Return what to show of a frame and its painting: one or both, mirrored or not."""
    shown = mirrored(painting, state.is_mirrored)
    if state.is_side_by_side:
        return np.hstack((mirrored(content, state.is_mirrored), shown))
    return shown


def style_at(state: LiveState, size: Size, point: tuple[int, int]) -> int | None:
    """Return the place of the style whose thumbnail is shown at a point of a window of `size`."""
    if not state.shows_hud or state.shows_help:
        return None
    return thumbnail_at(size, len(state.styles), state.current, point)


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
    request = state.request
    badges += ("ORIGINAL",) if request.is_original else ()
    badges += ("PAUSED",) if request.is_paused else ()
    toast = state.toast or ("Loading the model ..." if is_loading else "")
    help_shown = help_rows() if state.shows_help else ()
    if not state.shows_hud:
        return Hud(badges=badges, toast=toast, trouble=state.trouble, help=help_shown)
    title = "nst-video"
    if request.selection is not None:
        title = f"{request.selection.title}  {request.settings.intensity:.0%}"
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
