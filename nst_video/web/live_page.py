"""The page as an output of `nst-video live`: it shows the session and controls it."""

import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from nst_video.errors import SinkError
from nst_video.frames import Frame
from nst_video.live.outputs.threads import LiveSink, Output
from nst_video.live.session import LiveSession
from nst_video.settings import ModelOptions
from nst_video.web import addresses, certificates, server
from nst_video.web.access import Access
from nst_video.web.assembly import assemble
from nst_video.web.catalog import StyleCatalog
from nst_video.web.live_api import LiveApi
from nst_video.web.live_control import LiveControl
from nst_video.web.live_frames import LiveFrames

PORT = 8090
"""As of the plain output."""

LAN = "lan"

_START_S = 10.0


class LivePage:
    """Makes the output, and connects it with the session that does not exist yet.

    Attributes:
        url: address of the page, with the token if there is one.
    """

    def __init__(
        self, port: int, options: ModelOptions, *, is_lan: bool = False, store: Path | None = None
    ) -> None:
        """Bind the address.

        Args:
            port: 0 takes a free one.
            options: the network that paints pictures and films of the page.
            is_lan: listen for other machines, too, with HTTPS and a token.
            store: folder of uploaded films, by default one of the user's.

        Raises:
            SinkError: the port cannot be used.
        """
        host = addresses.EVERY_HOST if is_lan else server.HOST
        self.binding = server.bind(host, port)
        names = addresses.host_names(host)
        self.certificate = certificates.self_signed(names) if is_lan else None
        token = addresses.token() if is_lan else None
        self.access = Access(self.binding.port, token, names, is_https=is_lan)
        scheme, mark = ("https", f"?token={token}") if is_lan else ("http", "")
        name = (addresses.lan_address() if is_lan else None) or server.HOST
        self.url = f"{scheme}://{name}:{self.binding.port}/{mark}"
        self._options, self._store = options, store
        self._session: LiveSession | None = None

    def attach(self, session: LiveSession) -> None:
        """Give the session that is shown; before its first frame."""
        self._session = session

    def output(self) -> Output:
        """Return the output for the session."""
        return Output("HTTP", lambda info: _PageSink(self._open), self.url)

    def _open(self, frames: LiveFrames, on_start: Callable[[], None]) -> server.Server:
        if self._session is None:
            raise SinkError("The page has no session to show.")
        catalog = StyleCatalog()
        api = LiveApi(LiveControl(self._session, catalog), frames)
        app = assemble(self.access, self._options, catalog=catalog, store=self._store, live=api)
        return server.make_server(app, on_start, self.certificate, self.binding)


class _PageSink(LiveSink):
    """Runs the server in a thread while the session lasts."""

    def __init__(self, make: Callable[[LiveFrames, Callable[[], None]], server.Server]) -> None:
        self._frames = LiveFrames()
        self._started = threading.Event()
        self._server = make(self._frames, self._started.set)
        self._thread = threading.Thread(target=self._server.serve_forever, name="http", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(_START_S):
            raise SinkError("The page could not be served.")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.should_exit = True
        self._thread.join()

    def write(self, frame: Frame) -> None:
        """Show a frame; never blocks."""
        self._server.call(lambda: self._frames.put(frame))

    def stop(self) -> None:
        """End without waiting for connections."""
        self._server.should_exit = self._server.force_exit = True
