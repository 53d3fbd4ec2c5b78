"""Control of a running live session by pages: looks, keys, and what the session does."""

from collections.abc import Mapping
from dataclasses import replace

from nst_video.live.output_specs import RECORDING, VIRTUAL_CAMERA
from nst_video.live.session import LiveSession
from nst_video.live.state import LiveState, Selection
from nst_video.style_library.library import Style
from nst_video.web.catalog import StyleCatalog
from nst_video.web.look import Look
from nst_video.web.problems import without_paths

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

    @property
    def look(self) -> Look:
        """The look in use."""
        request = self._session.state.request
        settings, selection = request.settings, request.selection
        look = Look(
            intensity=settings.intensity,
            keep_colors=settings.keep_colors,
            gentle=settings.gentle,
            steady=settings.steady,
            original=request.is_original,
        )
        if selection is None:
            return look
        names = (self._name(style) for style in selection.styles)
        return replace(look, styles=tuple(zip(names, selection.mix, strict=True)))

    def change(self, look: Look) -> None:
        """Use another look from the next frame on.

        Raises:
            StyleError: an unknown style.
        """
        before = self.look
        styles = None
        if look.styles != before.styles:
            styles = Selection(tuple(map(self._find, look.names)), look.mix)
        wanted = look.live_settings()

        def apply(state: LiveState) -> None:
            settings = replace(
                state.request.settings,
                intensity=wanted.intensity,
                keep_colors=wanted.keep_colors,
                gentle=wanted.gentle,
                steady=wanted.steady,
            )
            if look.stroke_scale != before.stroke_scale:
                settings = replace(settings, work_size=wanted.work_size)
            request = replace(state.request, settings=settings, is_original=look.original)
            if styles is not None:
                request = replace(request, selection=styles)
            state.request = request
            state.set_styles(state.styles)

        self._session.change(apply)

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
            "fading": stylizer is not None and stylizer.is_fading,
            "engine": "" if stylizer is None else stylizer.describe(),
        }

    def _name(self, style: Style) -> str:
        """Return the name of a style for pages: never a path."""
        if style.origin != "file" or style.path.parent == self._catalog.folder:
            return style.name
        return f"{_GIVEN}{style.path.stem}"

    def _find(self, name: str) -> Style:
        if name.startswith(_GIVEN):
            selection = self._session.state.request.selection
            known = (*(selection.styles if selection else ()), *self._session.state.styles)
            for style in known:
                if self._name(style) == name:
                    return style
        return self._catalog.find(name)
