"""The page in a real browser: the camera comes back painted, controls do what they say.

A tab costs half a second of processor time, so each test does several things in one.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser_tab import Tab
from PIL import Image

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}

REMEMBER_SOCKETS = """globalThis.opened = [];
globalThis.WebSocket = class extends WebSocket {
  constructor(...given) { super(...given); opened.push(this); }
};
Object.defineProperty(document, 'hidden', {get: () => globalThis.isHidden === true})"""

SET_HIDDEN = """(isHidden) => {
  globalThis.isHidden = isHidden;
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def violations(tab: Tab) -> list[str]:
    """Return the faults that axe finds, one line each."""
    found = Axe().run(tab.page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]


def look_of(tab: Tab) -> dict[str, str]:
    """Return what the address says of the look."""
    return tab.page.evaluate(
        "Object.fromEntries([...new URLSearchParams(location.hash.slice(1)).entries()])"
    )


def test_camera_is_painted_switched_compared_saved_hidden_and_reconnected(open_tab) -> None:
    tab = open_tab("#style=woodcut", starts=True)
    page, sent = tab.page, []
    page.add_init_script(REMEMBER_SOCKETS)
    page.on("websocket", lambda socket: socket.on("framesent", lambda data: sent.append(len(data))))
    page.reload()
    tab.wait_for_painting()
    assert page.get_attribute(".tile-main[aria-pressed=true]", "title")
    before = tab.color()
    page.locator(".tile-main", has_text="Comic").click()
    for _ in range(100):
        if np.abs(np.subtract(tab.color(), before)).max() > 15:
            break
        page.wait_for_timeout(50)
    assert np.abs(np.subtract(tab.color(), before)).max() > 15
    tab.wait_for("location.hash.includes('style=comic')")
    label = page.locator("#painting").get_attribute("aria-label")
    assert label == "The camera painted in Comic"
    _compare_and_save(tab)
    page.keyboard.press(" ")

    page.evaluate(SET_HIDDEN, True)
    page.wait_for_timeout(200)
    sent.clear()
    page.wait_for_timeout(400)
    assert not [size for size in sent if size > 100]
    page.evaluate(SET_HIDDEN, False)
    page.evaluate("opened.at(-1).close()")
    page.wait_for_selector(".toast:has-text('Connected again')")
    tab.wait_for_painting()

    tab.wake()  # away from the buttons: controls under the mouse stay
    tab.wait_for("document.body.classList.contains('is-idle')")
    page.wait_for_selector("#dock", state="hidden")
    tab.wake()
    page.wait_for_selector("#dock", state="visible")


def _compare_and_save(tab: Tab) -> None:
    """Mirror, compare, hold, save a picture, record."""
    page = tab.page
    mirrored = page.get_attribute("#mirror", "aria-pressed")
    page.keyboard.press("f")
    assert page.get_attribute("#mirror", "aria-pressed") != mirrored
    page.click("#compare")
    divider = page.locator("#divider")
    divider.press("End")
    assert divider.get_attribute("aria-valuenow") == "100"
    page.keyboard.press(" ")
    page.click("#record")
    assert page.get_attribute("#record", "aria-pressed") == "true"
    with page.expect_download() as snapshot:
        page.keyboard.press("w")
    assert snapshot.value.suggested_filename.startswith("nst-video Comic 20")
    with Image.open(snapshot.value.path()) as saved:
        assert saved.size == (320, 240)
    page.wait_for_timeout(300)
    with page.expect_download() as recording:
        page.click("#record")
    assert recording.value.suggested_filename.endswith((".webm", ".mp4"))
    assert Path(recording.value.path()).stat().st_size > 1000


def test_controls_change_the_look_and_the_address(open_tab, page, tmp_path: Path) -> None:
    tab = open_tab("#style=wave&intensity=0.5&mask=person&rest=neon")
    server, page = page, tab.page
    tab.wait_for_styles()
    _nothing_leaves(tab, server.port)
    page.keyboard.press("k")
    assert page.locator("#slider-intensity").input_value() == "0.5"
    page.locator("#slider-intensity").press("Home")
    page.locator("#slider-stroke_scale").press("End")
    page.locator("#keep-colors").check()
    tab.wait_for("location.hash.includes('keep_colors=true')")
    assert look_of(tab) == {
        "style": "wave",
        "intensity": "0",
        "stroke_scale": "4",
        "keep_colors": "true",
        "mask": "person",
        "rest": "neon",
    }
    _mask(tab)
    page.click("#reset")
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    page.keyboard.press("t")
    page.keyboard.press("[")
    tab.wait_for("location.hash === '#style=wave&intensity=0.9&steady=0.5'")
    _drop_a_picture(tab, tmp_path / "my red.png")


def _nothing_leaves(tab: Tab, port: int) -> None:
    assert all(f"//127.0.0.1:{port}/" in answer.url for answer in tab.answers)
    static = [each for each in tab.answers if "/api/" not in each.url]
    sizes = [each.request.sizes()["responseBodySize"] for each in static]
    assert len(sizes) > 20
    assert sum(sizes) < 200_000, json.dumps(dict(zip([e.url for e in static], sizes, strict=True)))


def _mask(tab: Tab) -> None:
    """Choose what is painted, and what is around it, with the mouse and with the key M."""
    page = tab.page
    assert page.get_by_role("radio", name="People").is_checked()
    rest = page.get_by_label("Around people")
    assert rest.input_value() == "neon"
    rest.select_option("A color")
    tab.wait_for("location.hash.includes('rest=%2300b140')")
    page.get_by_label("Color outside of the mask").fill("#ff0000")
    page.get_by_label("Softness of the edge").press("Home")
    tab.wait_for(
        "location.hash.includes('rest=%23ff0000') && /softness=0(&|$)/.test(location.hash)"
    )
    page.get_by_role("radio", name="Background").check()
    assert page.get_by_label("The people").input_value() == "color"
    page.keyboard.press("m")  # people before another style
    tab.wait_for("location.hash.includes('mask=person&rest=stained-glass')")
    page.keyboard.press("m")
    tab.wait_for("!location.hash.includes('mask')")
    assert rest.is_hidden()


def _drop_a_picture(tab: Tab, picture: Path) -> None:
    """A picture is a style at once."""
    Image.fromarray(np.full((96, 128, 3), (200, 20, 20), np.uint8)).save(picture)
    tab.page.set_input_files("#picture-file", picture)
    tab.wait_for("location.hash.startsWith('#style=upload-')")
    chosen = tab.page.locator(".tile:nth-child(2) .tile-main")
    assert chosen.get_attribute("aria-pressed") == "true"
    tab.page.keyboard.press("k")
    tab.page.wait_for_selector("#keep")
    assert tab.page.inner_text("#card h3") == "my red"


def test_styles_are_mixed_and_refined(open_tab) -> None:
    tab = open_tab("#style=wave&style=neon&mix=0.7,0.3")
    page = tab.page
    tab.wait_for_styles()
    page.locator("#mix-line").press("ArrowRight")
    tab.wait_for("location.hash.includes('mix=0.69,0.31')")
    tab.wake()
    page.locator(".tile", has_text="Comic").locator(".tile-mix").dispatch_event("click")
    pad = page.locator("#mix-pad")
    box = pad.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + 1, box["y"] + box["height"] - 1)
    page.mouse.up()
    assert pad.get_attribute("aria-valuetext") == "0 % Wave, 100 % Neon, 0 % Comic"
    pad.press("ArrowUp")
    tab.wait_for(
        "location.hash.includes('style=comic') && !location.hash.includes('mix=0.00,1.00')"
    )
    shares = [float(part) for part in look_of(tab)["mix"].split(",")]
    assert shares[0] > 0
    assert sum(shares) == pytest.approx(1, abs=0.02)
    _refine(tab)


def _refine(tab: Tab) -> None:
    """The progress of a refinement is shown to its end; the server's answers are given here."""
    page, asked = tab.page, []
    running = {"state": "running", "style": "wave", "loss": 1.0, "text": ""}
    states = [
        {**running, "state": "none"},
        {**running, "done": 0.25, "remaining_s": 90},
        {**running, "done": 0.75, "remaining_s": 30},
        {"state": "ended", "style": "wave", "done": 1.0, "remaining_s": 0, "text": ""},
    ]

    def answer(route) -> None:  # type: ignore[no-untyped-def]
        asked.append(route.request.method)
        route.fulfill(json=states.pop(0) if len(states) > 1 else states[0])

    page.route("**/api/refinement", answer)
    page.route("**/api/styles/wave/refine", answer)
    page.keyboard.press("k")
    page.click("#refine")
    bar = page.locator("#card progress")
    tab.wait_for("document.querySelector('#card progress')?.value === 0.75")
    assert page.inner_text("#card .card-progress") == "Refining Wave: 30 s left"
    assert bar.get_attribute("aria-label") == "Refining Wave"
    assert page.inner_text("#refine") == "End"
    page.wait_for_selector(".toast:has-text('Wave is refined.')")
    bar.wait_for(state="hidden")
    assert page.inner_text("#refine") == "Refine"
    assert asked.count("POST") == 1


def test_page_has_no_fault_that_axe_finds_and_explains_a_refused_camera(open_tab) -> None:
    tab = open_tab("#style=wave&style=neon&style=comic&mask=person", color_scheme="dark")
    page = tab.page
    page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () =>
            Promise.reject(new DOMException('', 'NotAllowedError'));
        }"""
    )
    tab.wait_for_styles()
    for key in "kis":
        page.keyboard.press(key)
    page.wait_for_timeout(200)
    assert violations(tab) == []
    page.emulate_media(color_scheme="light")
    page.click("#mode-films")
    assert violations(tab) == []
    page.click("#mode-live")
    page.wait_for_selector("#notice:not([hidden])")
    assert "not allowed" in page.inner_text("#notice")
    assert page.is_visible("#notice-button")
    page.keyboard.press("?")
    assert violations(tab) == []
