"""A live session shown and controlled by pages."""

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from live_tools import wait_until
from page_client import Page, is_kind, receive
from websockets.exceptions import ConnectionClosed

from nst_video.live import CaptureOptions, LiveOptions, LiveSession, open_live_source
from nst_video.settings import ModelOptions, Regions
from nst_video.stylizer import Stylizer
from nst_video.system.paths import packaged_styles_dir
from nst_video.web.live_page import LivePage
from nst_video.web.protocol import Kind, Message


@dataclass
class Running:
    session: LiveSession
    page: Page


@pytest.fixture(scope="module")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A session of the demo scene in one given picture."""
    folder = tmp_path_factory.mktemp("live")
    given = folder / "secret folder" / "mine.jpg"
    given.parent.mkdir()
    given.write_bytes((packaged_styles_dir() / "wave.jpg").read_bytes())
    options = ModelOptions("builtin", offline=True)
    shown = LivePage(0, options, store=folder / "films")
    session = LiveSession(
        open_live_source("demo:", CaptureOptions(size=(320, 180), fps=8)),  # few and small: cheap
        lambda: Stylizer(given, options=options),
        [shown.output()],
        has_window=False,
        options=LiveOptions(save_dir=folder),
    )
    shown.attach(session)
    thread = threading.Thread(target=session.run)
    thread.start()
    try:
        wait_until(lambda: session.has_started, 60)
        page = Page(shown.binding.port)
        wait_until(lambda: page.answers, 30)
        yield Running(session, page)
    finally:
        session.press("q")
        thread.join(30)
    assert not thread.is_alive()


def test_a_page_sees_the_session_without_paths(live: Running) -> None:
    assert live.page.get("/api/server").json["has_live"]
    got = live.page.get("/api/live")
    assert got.json["look"]["styles"] == [{"name": "given-mine", "weight": 1.0}]
    assert got.json["source"] == live.session.capture.source.name
    assert b"secret folder" not in got.body
    assert live.page.get("/snapshot.jpg").body.startswith(b"\xff\xd8")
    assert live.page.get("/").status == 200


def test_a_phone_changes_the_look_of_the_session_and_others_see_it(live: Running) -> None:
    with live.page.socket("?source=live") as socket:
        assert receive(socket, is_kind("hello"))["source"] == "live"
        assert receive(socket, lambda m: isinstance(m, Message)).kind is Kind.PAINTED
        look = {"styles": [{"name": "neon"}], "intensity": 0.5, "steady": 0}
        assert live.page.ask("PATCH", "/api/live", look).status == 200
        seen = receive(socket, is_kind("look"))["look"]
        assert seen["styles"] == [{"name": "neon", "weight": 1.0}]
        settings = live.session.state.request.settings
        assert (settings.intensity, settings.steady) == (0.5, 0)
        socket.send(json.dumps({"type": "look", "look": {"styles": [{"name": "given-mine"}]}}))

        def is_back(message: Any) -> bool:
            return is_kind("look")(message) and message["look"]["styles"][0]["name"] == "given-mine"

        receive(socket, is_back)
    assert live.page.ask("PATCH", "/api/live", {"styles": [{"name": "/etc/passwd"}]}).status == 404
    assert live.page.ask("PATCH", "/api/live", {"intensity": 2}).status == 400


def test_changes_of_several_pages_at_once_are_all_kept(live: Running) -> None:
    parts = [{"intensity": 0.4}, {"gentle": 0.1}, {"steady": 0.5}, {"stroke_scale": 2},
             {"mask": "background", "rest": "blur"}, {"mask_softness": 0.3}]  # fmt: skip
    with ThreadPoolExecutor(len(parts)) as pages:
        answers = list(pages.map(lambda part: live.page.ask("PATCH", "/api/live", part), parts))
    assert {answer.status for answer in answers} == {200}
    wanted = {name: value for part in parts for name, value in part.items()}
    wait_until(lambda: wanted.items() <= live.page.get("/api/live").json["look"].items())
    regions = live.session.state.request.regions
    assert regions == Regions(rest="blur", softness=0.3, invert=True)
    back = {"mask": "person", "rest": "given-mine", "stroke_scale": 1}
    assert live.page.ask("PATCH", "/api/live", back).json["look"]["rest"] == "given-mine"
    wait_until(lambda: back.items() <= live.page.get("/api/live").json["look"].items())
    assert live.session.state.request.settings.work_size == "auto"
    assert b"secret folder" not in live.page.get("/api/live").body
    assert live.page.ask("PATCH", "/api/live", {"mask": "none"}).status == 200
    wait_until(lambda: live.session.state.request.regions is None)


def test_a_page_presses_keys(live: Running) -> None:
    assert live.page.ask("POST", "/api/live/actions/pause").status == 202
    wait_until(lambda: live.session.state.request.is_paused)
    assert live.page.ask("POST", "/api/live/actions/pause").status == 202
    wait_until(lambda: not live.session.state.request.is_paused)
    assert live.page.ask("POST", "/api/live/actions/quit").status == 404
    assert not live.session.state.is_over


def test_a_phone_controls_the_session_in_a_browser(live: Running, open_tab) -> None:
    assert live.page.ask("PATCH", "/api/live", {"intensity": 1}).status == 200
    tab = open_tab(at=live.page, viewport={"width": 390, "height": 700}, has_touch=True)
    page = tab.page
    tab.wait_for_painting()
    assert page.inner_text("#mode-live") == "Live"
    assert page.locator("#compare").is_hidden()
    page.locator(".tile-main", has_text="Comic").click()
    wait_until(lambda: live.session.state.request.selection.title == "Comic")
    page.keyboard.press("k")
    page.get_by_role("radio", name="Background").check()
    page.keyboard.press("[")
    wait_until(lambda: live.session.state.request.regions == Regions(softness=0.8, invert=True))
    wait_until(lambda: live.session.state.request.settings.intensity == 0.9)
    assert live.page.ask("PATCH", "/api/live", {"mask": "none", "intensity": 1}).status == 200
    tab.wait_for("document.querySelector('#slider-intensity').value === '1'")
    assert page.get_by_role("radio", name="Everything").is_checked()
    page.keyboard.press("Escape")
    page.click("#pause")
    wait_until(lambda: live.session.state.request.is_paused)
    page.click("#pause")
    wait_until(lambda: not live.session.state.request.is_paused)
    assert "style" not in page.evaluate("location.hash")


def test_frames_of_a_page_are_not_taken_for_the_session(live: Running) -> None:
    with live.page.socket("?source=live") as socket:
        socket.send(Message(Kind.FRAME, 1).encode())
        with pytest.raises(ConnectionClosed) as caught:
            receive(socket, lambda m: False)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4400


def test_the_picture_alone_is_a_stream(live: Running) -> None:
    head = live.page.beginning("/stream.mjpg", b"Content-Type: image/jpeg")
    assert b"multipart/x-mixed-replace" in head
    assert b"Content-Type: image/jpeg" in head


def test_the_styles_and_pictures_of_the_page_work_beside_the_session(live: Running) -> None:
    styles = live.page.get("/api/styles").json["styles"]
    body = Path(packaged_styles_dir(), "wave.jpg").read_bytes()
    assert live.page.get(styles[0]["thumbnail"]).body.startswith(b"\xff\xd8")
    assert live.page.ask("POST", "/api/styles?name=a.jpg", body).status == 201
