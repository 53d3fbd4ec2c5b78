"""The state of a session: changed by keys, read by the render thread and the display."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nst_video.frames import Frame
from nst_video.settings import Regions, StylizeSettings
from nst_video.style_library.library import Style

TOAST_S = 1.8
"""Seconds for which a message is displayed."""


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected styles and their weights, usually one style.

    Attributes:
        styles: at least one.
        mix: a weight for each style.
    """

    styles: tuple[Style, ...]
    mix: tuple[float, ...]

    @property
    def title(self) -> str:
        """Title for display: "Wave", or "Wave 70 % + Neon 30 %"."""
        if len(self.styles) == 1:
            return self.styles[0].title
        whole = sum(self.mix) or 1.0
        parts = zip(self.styles, self.mix, strict=True)
        return " + ".join(f"{style.title} {weight / whole:.0%}" for style, weight in parts)


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """How to render the next frame. Immutable, so that threads always see a consistent request.

    Attributes:
        selection: None until the stylizer is loaded.
        settings: its working size is None where the pace is kept automatically.
        is_original: show the frame without style.
        is_paused: keep the current frame.
        regions: what else than the style is shown, and where; None for the whole frame in it.
    """

    selection: Selection | None
    settings: StylizeSettings
    is_original: bool = False
    is_paused: bool = False
    regions: Regions | None = None


@dataclass
class LiveState:
    """Everything that keys change. Only the thread that shows frames changes it.

    Attributes:
        request: how to render the next frame.
        styles: the styles to choose from; the first nine have the keys 1 to 9.
        current: index in `styles` of the main style, -1 if it is not in the list.
        partner: index of the second style of the mix, None without.
        share: weight of the second style, 0..1.
        shows_hud: figures and thumbnails are drawn.
        shows_help: the table of keys is drawn.
        is_side_by_side: the original is shown beside the stylized frame.
        is_mirrored: the window, and nothing else, is mirrored.
        is_fullscreen: the window fills the screen.
        is_over: the session is to end.
        thumbnails: square pictures of the loaded styles, by path, as names need not be unique.
        trouble: why the source delivers no frames, empty otherwise.
    """

    request: RenderRequest
    styles: Sequence[Style] = ()
    current: int = -1
    partner: int | None = None
    share: float = 0.5
    shows_hud: bool = True
    shows_help: bool = False
    is_side_by_side: bool = False
    is_mirrored: bool = False
    is_fullscreen: bool = False
    is_over: bool = False
    trouble: str = ""
    thumbnails: dict[Path, Frame] = field(default_factory=dict)
    clock: Callable[[], float] = field(kw_only=True)
    _toast: tuple[str, float] = ("", 0.0)

    def say(self, text: str) -> None:
        """Display a message for `TOAST_S`, replacing the previous one. Thread-safe."""
        self._toast = (text, self.clock() + TOAST_S)

    @property
    def toast(self) -> str:
        """The message to display now, empty if there is none."""
        text, until = self._toast
        return text if self.clock() < until else ""

    def change(
        self,
        *,
        settings: StylizeSettings | None = None,
        is_original: bool | None = None,
        is_paused: bool | None = None,
    ) -> None:
        """Replace the given parts of the request."""
        request = self.request
        self.request = RenderRequest(
            request.selection,
            request.settings if settings is None else settings,
            request.is_original if is_original is None else is_original,
            request.is_paused if is_paused is None else is_paused,
            request.regions,
        )

    def set_regions(self, regions: Regions | None) -> None:
        """Request a mask, or none."""
        self.request = replace(self.request, regions=regions)

    def set_styles(self, styles: Sequence[Style]) -> None:
        """Set the list of styles and keep the selection."""
        selection = self.request.selection
        self.styles = styles
        paths = [style.path for style in styles]
        if selection is None:
            return
        self.current = _index(paths, selection.styles[0].path)
        self.partner = None
        if len(selection.styles) == 2:
            partner = _index(paths, selection.styles[1].path)
            self.partner = partner if partner >= 0 else None
            self.share = selection.mix[1] / (sum(selection.mix) or 1.0)

    def select(self) -> None:
        """Request the style at `current`, mixed with the second style if there is one."""
        if not self.styles:
            return
        main = self.styles[self.current % len(self.styles)]
        selection = Selection((main,), (1.0,))
        if self.partner is not None:
            partner = self.styles[self.partner]
            selection = Selection((main, partner), (1 - self.share, self.share))
        self.request = replace(self.request, selection=selection)
        self.say(selection.title)


def _index(paths: list[Path], path: Path) -> int:
    return paths.index(path) if path in paths else -1


def requested_lines(settings: StylizeSettings, limit: int) -> int | None:
    """Return the working size that is asked for, None for an adaptive one.

    Args:
        settings: of the request.
        limit: short side of the frames in pixels.
    """
    size = settings.work_size
    if size == "auto":
        return None
    return limit if size == "full" else size
