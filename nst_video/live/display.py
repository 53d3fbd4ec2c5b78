"""Composing the content of the window: the stylized frame, the original, the overlay."""

import numpy as np

from nst_video.frames import Frame, Size
from nst_video.image.overlay import Hud, draw_hud, thumbnail_at
from nst_video.image.resize import letterbox, mirrored
from nst_video.live.hotkeys import help_rows
from nst_video.live.render_thread import RenderedFrame
from nst_video.live.state import LiveState

_BLANK = np.full((8, 8, 3), 60, np.uint8)
"""Placeholder of a thumbnail that is not loaded yet."""

EMPTY_SIZE = (640, 480)
"""(width, height) of the window's content before the first frame."""


def render(shown: RenderedFrame | None, state: LiveState, hud: Hud, size: Size) -> Frame:
    """Return the content of a window of `size` (width, height), uint8 RGB (height, width, 3)."""
    if shown is None:
        return draw_hud(np.full((size[1], size[0], 3), 20, np.uint8), hud)
    return draw_hud(letterbox(compose(shown.content, shown.painting, state), size), hud)


def compose(content: Frame, painting: Frame, state: LiveState) -> Frame:
    """Return the stylized frame, beside the original and mirrored as the state says."""
    shown = mirrored(painting, state.is_mirrored)
    if state.is_side_by_side:
        return np.hstack((mirrored(content, state.is_mirrored), shown))
    return shown


def style_at(state: LiveState, size: Size, point: tuple[int, int]) -> int | None:
    """Return the index of the style whose thumbnail is at a point (x, y), None if there is none."""
    if not state.shows_hud or state.shows_help:
        return None
    return thumbnail_at(size, len(state.styles), state.current, point)


def make_hud(
    state: LiveState, badges: tuple[str, ...], figures: tuple[str, ...], *, is_loading: bool
) -> Hud:
    """Return the texts and thumbnails of the overlay.

    Args:
        state: state of the session.
        badges: active outputs.
        figures: lines of measurements.
        is_loading: the stylizer is not loaded yet.
    """
    request = state.request
    badges += ("ORIGINAL",) if request.is_original else ()
    badges += ("PAUSED",) if request.is_paused else ()
    badges += ("MASK",) if request.regions is not None else ()
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
