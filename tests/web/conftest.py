"""A server in a thread of its own, asked through real sockets."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from live_tools import wait_until
from page_client import Page

from nst_video.settings import ModelOptions
from nst_video.web import server
from nst_video.web.access import Access
from nst_video.web.assembly import assemble
from nst_video.web.catalog import StyleCatalog
from nst_video.web.limits import Limits

LIMITS = Limits(picture_bytes=1 << 20, film_bytes=4 << 20, films=3, stall_s=0.3)


def run_server(folder: Path, token: str | None = None) -> Iterator[Page]:
    """Run a server with the builtin model."""
    binding = server.bind("127.0.0.1", 0)
    app = assemble(
        Access(binding.port, token),
        ModelOptions("builtin", offline=True),
        catalog=StyleCatalog(folder=folder / "styles"),
        limits=LIMITS,
        films_dir=folder / "films",
        store=folder / "kept",
    )
    started = threading.Event()
    running = server.make_server(app, started.set)
    thread = threading.Thread(target=running.run, args=([binding.listener],))
    thread.start()
    try:
        assert started.wait(30)
        yield Page(binding.port, token)
    finally:
        running.should_exit = True
        thread.join(30)
    assert not thread.is_alive()


@pytest.fixture(scope="package")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server on loopback, ready to paint."""
    folder = tmp_path_factory.mktemp("served")
    (folder / "films").mkdir()
    for found in run_server(folder):
        wait_until(lambda page=found: page.get("/api/server").json["ready"], what="the model")
        yield found


@pytest.fixture(scope="package")
def shared_page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """A server that wants a token."""
    yield from run_server(tmp_path_factory.mktemp("shared"), "secret-token")
