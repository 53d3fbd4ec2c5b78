"""What a session is asked to do now: changed by keys, read by the painter and the display."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from nst_video.frames import Frame
from nst_video.settings import StylizeSettings
from nst_video.style_library.library import Style

TOAST_S = 1.8
"""Seconds that a message stays on screen."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Styles and how much of each; one style is the usual case.

    Attributes:
        styles: at least one.
        mix: a weight for each.
    """

    styles: tuple[Style, ...]
    mix: tuple[float, ...]

    @property
    def title(self) -> str:
        """For display: "Wave", or "Wave 70 % + Neon 30 %"."""
        if len(self.styles) == 1:
            return self.styles[0].title
        whole = sum(self.mix) or 1.0
        parts = zip(self.styles, self.mix, strict=True)
        return " + ".join(f"{style.title} {weight / whole:.0%}" for style, weight in parts)


@dataclass(frozen=True, slots=True)
class RenderRequest:
    """How the next frame is to be painted; replaced as a whole, so that threads agree.

    Attributes:
        selection: None until the styles are known.
        settings: its working size is None where the pace is kept automatically.
        is_original: show the frame itself.
        is_paused: keep the frame that is on screen.
    """

    selection: Selection | None
    settings: StylizeSettings
    is_original: bool = False
    is_paused: bool = False


@dataclass
class LiveState:
    """Everything that keys change; owned by the thread that shows frames.

    Attributes:
        request: what the painter should do.
        styles: those to choose from; the first nine have the keys 1 to 9.
        current: place in `styles` of the main style, -1 where it is none of them.
        partner: place of the style that is mixed in, None without.
        share: the partner's part of the mix, 0..1.
        shows_hud: figures and thumbnails are drawn.
        shows_help: the table of keys is drawn.
        is_side_by_side: the frame is shown beside its painting.
        is_mirrored: the window shows left and right swapped; nothing else does.
        is_fullscreen: the window fills the screen.
        is_over: the session is to end.
        thumbnails: square pictures of the styles by path, as far as they are loaded; two styles
            may have one name.
        trouble: what keeps the source from delivering, empty when all is well.
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
        """Show a message for a moment; a newer one replaces it. Safe from any thread."""
        self._toast = (text, self.clock() + TOAST_S)

    @property
    def toast(self) -> str:
        """The message to show now, empty without."""
        text, until = self._toast
        return text if self.clock() < until else ""

    def change(
        self,
        *,
        settings: StylizeSettings | None = None,
        is_original: bool | None = None,
        is_paused: bool | None = None,
    ) -> None:
        """Replace those parts of the request that are given."""
        request = self.request
        self.request = RenderRequest(
            request.selection,
            request.settings if settings is None else settings,
            request.is_original if is_original is None else is_original,
            request.is_paused if is_paused is None else is_paused,
        )

    def set_styles(self, styles: Sequence[Style]) -> None:
        """Take over a list of styles, keeping what is selected."""
        selection = self.request.selection
        self.styles = styles
        paths = [style.path for style in styles]
        if selection is None:
            return
        self.current = _place(paths, selection.styles[0].path)
        self.partner = None
        if len(selection.styles) == 2:
            partner = _place(paths, selection.styles[1].path)
            self.partner = partner if partner >= 0 else None
            self.share = selection.mix[1] / (sum(selection.mix) or 1.0)

    def select(self) -> None:
        """Ask for the style at `current`, mixed with the partner where there is one."""
        if not self.styles:
            return
        main = self.styles[self.current % len(self.styles)]
        selection = Selection((main,), (1.0,))
        if self.partner is not None:
            partner = self.styles[self.partner]
            selection = Selection((main, partner), (1 - self.share, self.share))
        self.request = replace(self.request, selection=selection)
        self.say(selection.title)


def _place(paths: list[Path], path: Path) -> int:
    return paths.index(path) if path in paths else -1
