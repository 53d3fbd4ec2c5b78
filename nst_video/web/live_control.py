"""Control of a running live session by pages: looks, keys, and what the session does."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA
from nst_video.live.session import LiveSession
from nst_video.live.state import LiveState, RenderRequest, Selection
from nst_video.settings import Regions, WorkSize
from nst_video.style_library.library import Style
from nst_video.web.catalog import StyleCatalog
from nst_video.web.look import MASK_SOFTNESS, Look, changed
from nst_video.web.problems import without_paths
from nst_video.web.regions import BACKGROUND, NO_MASK, PERSON, is_plain

ACTIONS: Mapping[str, str] = {
    "snapshot": "w",
    "record": "r",
    "virtual_camera": "v",
    "pause": "Space",
    "mirror": "f",
    "next_camera": "n",
    "reload_styles": "l",
    "refine": "y",
}
"""What pages can have done, and the key of the session that does it."""

_GIVEN = "given-"
"""How styles are called that the command line named by the path of a picture."""


class LiveControl:
    """What pages see of a live session, and can change. Thread-safe."""

    def __init__(self, session: LiveSession, catalog: StyleCatalog) -> None:
        """Connect a session with the styles of pages."""
        self._session, self._catalog = session, catalog
        self._strokes: tuple[float, WorkSize] = (1.0, "auto")

    @property
    def look(self) -> Look:
        """The look in use."""
        return self._look_of(self._session.state.request)

    def change(self, given: object) -> Look:
        """Change parts of the look from the next frame on; return the look.

        Only what is given changes: other parts that somebody else is changing stay.

        Args:
            given: the parts, see `look.changed`.

        Raises:
            UsageError: no parts of a look.
            StyleError: an unknown style.
        """
        look = changed(self.look, given)
        names = given if isinstance(given, Mapping) else {}
        styles = self._select(look) if "styles" in names else None
        rest = self._rest_path(look.rest) if "rest" in names else None

        def apply(state: LiveState) -> None:
            merged = changed(self._look_of(state.request), given)
            request = self._merge(state.request, merged, rest)
            if "stroke_scale" in names:
                lines = merged.live_settings().work_size
                self._strokes = merged.stroke_scale, lines
                request = replace(request, settings=replace(request.settings, work_size=lines))
            if styles is not None:
                request = replace(request, selection=styles)
            state.request = request
            state.set_styles(state.styles)

        self._session.change(apply)
        return look

    def _select(self, look: Look) -> Selection:
        return Selection(tuple(map(self._find, look.names)), look.mix)

    def _look_of(self, request: RenderRequest) -> Look:
        settings, selection, regions = request.settings, request.selection, request.regions
        scale, lines = self._strokes
        look = Look(
            intensity=settings.intensity,
            keep_colors=settings.keep_colors,
            gentle=settings.gentle,
            steady=settings.steady,
            stroke_scale=scale if settings.work_size == lines else 1.0,
            original=request.is_original,
        )
        if regions is not None:
            softness = MASK_SOFTNESS if regions.softness is None else regions.softness
            mask = BACKGROUND if regions.invert else PERSON
            rest = self._rest_name(regions.rest)
            look = replace(look, mask=mask, rest=rest, mask_softness=softness)
        if selection is None:
            return look
        names = (self._name(style) for style in selection.styles)
        return replace(look, styles=tuple(zip(names, selection.mix, strict=True)))

    def _merge(self, request: RenderRequest, look: Look, rest: str | None) -> RenderRequest:
        """Return a request with the settings and the mask of a look."""
        settings = replace(
            request.settings,
            intensity=look.intensity,
            keep_colors=look.keep_colors,
            gentle=look.gentle,
            steady=look.steady,
        )
        regions = None
        if look.mask != NO_MASK:
            before = request.regions or Regions()  # its mask may be a file
            regions = replace(
                before,
                rest=before.rest if rest is None else rest,
                softness=look.mask_softness,
                invert=look.mask == BACKGROUND,
            )
        return replace(request, settings=settings, is_original=look.original, regions=regions)

    def act(self, name: str) -> bool:
        """Do one of `ACTIONS`; False if there is none of that name."""
        key = ACTIONS.get(name)
        if key is not None:
            self._session.press(key)
        return key is not None

    def describe(self) -> dict[str, object]:
        """Return what the session does, as it is sent."""
        session, state = self._session, self._session.state
        selection, outputs = state.request.selection, session.outputs
        return {
            "look": self.look.to_json(),
            "title": "" if selection is None else without_paths(selection.title),
            "source": without_paths(session.capture.source.name),
            "recording": outputs.find(RECORDING) is not None,
            "virtual_camera": outputs.find(VIRTUAL_CAMERA) is not None,
            "mirrored": state.is_mirrored,
            "paused": state.request.is_paused,
            **self.status(),
        }

    def status(self) -> dict[str, object]:
        """Return state, figures and messages, as in the status of cameras of browsers."""
        session, state = self._session, self._session.state
        stylizer, renderer = session.renderer.stylizer, session.renderer
        name, text = "painting", state.toast
        if state.trouble:
            name, text = "trouble", state.trouble
        elif stylizer is None or not session.has_started:
            name = "loading"
        return {
            "state": name,
            "text": without_paths(text),
            "fps": round(session.fps, 1),
            "age_ms": round(session.metrics.age_ms.value),
            "paint_ms": round(renderer.paint_ms.value),
            "lines": session.work_size,
            "every": renderer.every,
            "engine": "" if stylizer is None else stylizer.describe(),
        }

    def _name(self, style: Style) -> str:
        """Return the name of a style for pages: never a path."""
        if style.origin != "file" or style.path.parent == self._catalog.folder:
            return style.name
        return f"{_GIVEN}{style.path.stem}"

    def _given(self) -> tuple[Style, ...]:
        """Return the styles of the session."""
        selection = self._session.state.request.selection
        return (*(selection.styles if selection else ()), *self._session.state.styles)

    def _find(self, name: str) -> Style:
        if name.startswith(_GIVEN):
            for style in self._given():
                if self._name(style) == name:
                    return style
        return self._catalog.find(name)

    def _rest_path(self, rest: str) -> str:
        """Return what `Regions.rest` is for a name that pages use."""
        if is_plain(rest):
            return rest
        style = self._find(rest)
        return str(style.path) if style.origin == "file" else style.name

    def _rest_name(self, rest: str) -> str:
        """Return the name for pages of a `Regions.rest`: never a path."""
        path = Path(rest)
        if is_plain(rest) or path.name == rest:
            return rest
        return path.stem if path.parent == self._catalog.folder else f"{_GIVEN}{path.stem}"
