"""The page in a real browser: the camera comes back painted, controls do what they say."""

import json
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from PIL import Image

SETTINGS = "#slider-intensity", "#slider-steady", "#slider-stroke_scale", "#slider-gentle"

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}


def violations(tab) -> list[str]:
    """Return the faults that axe finds, one line each."""
    found = Axe().run(tab.page, options=RULES).response["violations"]
    return [f"{each['id']}: {[node['html'][:120] for node in each['nodes']]}" for each in found]


def look_of(tab) -> dict[str, list[str]]:
    """Return what the address says of the look."""
    return tab.page.evaluate(
        "Object.fromEntries([...new URLSearchParams(location.hash.slice(1)).entries()])"
    )


def test_camera_is_painted_and_a_style_switch_shows(open_tab) -> None:
    tab = open_tab("#style=woodcut", starts=True)
    tab.wait_for_painting()
    assert tab.page.get_attribute(".tile-main[aria-pressed=true]", "title")
    before = tab.color()
    tab.page.locator(".tile-main", has_text="Comic").click()
    for _ in range(100):  # the style has to be loaded first
        if np.abs(np.subtract(tab.color(), before)).max() > 15:
            break
        tab.page.wait_for_timeout(100)
    assert np.abs(np.subtract(tab.color(), before)).max() > 15
    tab.wait_for("location.hash.includes('style=comic')")
    label = tab.page.locator("#painting").get_attribute("aria-label")
    assert label == "The camera painted in Comic"


def test_controls_change_the_look_and_the_address(open_tab) -> None:
    tab = open_tab("#style=wave&intensity=0.5")
    page = tab.page
    tab.wait_for_styles()
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
    }
    page.click("#reset")
    page.keyboard.press("Escape")
    assert page.locator("#panel").is_hidden()
    page.keyboard.press("t")
    page.keyboard.press("[")
    tab.wait_for("location.hash === '#style=wave&intensity=0.9&steady=0.5'")


def test_styles_are_mixed_on_a_line_and_in_a_triangle(open_tab) -> None:
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


def test_a_picture_that_is_dropped_is_a_style_at_once(open_tab, tmp_path: Path) -> None:
    tab = open_tab()
    tab.wait_for_styles()
    picture = tmp_path / "my red.png"
    Image.fromarray(np.full((96, 128, 3), (200, 20, 20), np.uint8)).save(picture)
    tab.page.set_input_files("#picture-file", picture)
    tab.wait_for("location.hash.startsWith('#style=upload-')")
    chosen = tab.page.locator(".tile:nth-child(2) .tile-main")
    assert chosen.get_attribute("aria-pressed") == "true"
    tab.page.keyboard.press("k")
    tab.page.wait_for_selector("#keep")
    assert tab.page.inner_text("#card h3") == "my red"


def test_compare_mirror_hold_snapshot_recording_and_idleness(open_tab) -> None:
    tab = open_tab("#style=wave", starts=True)
    page = tab.page
    tab.wait_for_painting()
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
    assert snapshot.value.suggested_filename.startswith("nst-video Wave 20")
    with Image.open(snapshot.value.path()) as saved:
        assert saved.size == (320, 240)
    page.wait_for_timeout(300)
    with page.expect_download() as recording:
        page.click("#record")
    assert recording.value.suggested_filename.endswith((".webm", ".mp4"))
    assert Path(recording.value.path()).stat().st_size > 1000
    tab.wake()  # away from the buttons: controls under the mouse stay
    tab.wait_for("document.body.classList.contains('is-idle')")
    page.wait_for_selector("#dock", state="hidden")
    tab.wake()
    page.wait_for_selector("#dock", state="visible")


def test_page_has_no_fault_that_axe_finds(open_tab) -> None:
    tab = open_tab("#style=wave&style=neon&style=comic", color_scheme="dark")
    tab.wait_for_styles()
    for key in "kis":
        tab.page.keyboard.press(key)
    tab.page.wait_for_timeout(200)
    assert violations(tab) == []
    tab.page.emulate_media(color_scheme="light")
    assert violations(tab) == []
    tab.page.click("#mode-films")
    assert violations(tab) == []
    tab.page.keyboard.press("?")
    assert violations(tab) == []


def test_refused_camera_is_explained(open_tab) -> None:
    tab = open_tab()
    tab.page.add_init_script(
        """navigator.mediaDevices.getUserMedia = () =>
          Promise.reject(new DOMException('', 'NotAllowedError'))"""
    )
    tab.page.reload()
    tab.page.click("#start")
    tab.page.wait_for_selector("#notice:not([hidden])")
    assert "not allowed" in tab.page.inner_text("#notice")
    assert tab.page.is_visible("#notice-button")


def test_page_sends_no_frames_while_hidden_and_reconnects(open_tab) -> None:
    tab = open_tab(starts=True)
    sent: list[int] = []
    tab.page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda data: sent.append(len(data))),
    )
    tab.page.add_init_script(
        """globalThis.opened = [];
        globalThis.WebSocket = class extends WebSocket {
          constructor(...given) { super(...given); opened.push(this); }
        };
        Object.defineProperty(document, 'hidden', {get: () => globalThis.isHidden === true})"""
    )
    tab.page.reload()
    tab.wait_for_painting()
    tab.page.evaluate(
        "globalThis.isHidden = true; document.dispatchEvent(new Event('visibilitychange'))"
    )
    tab.page.wait_for_timeout(200)
    sent.clear()
    tab.page.wait_for_timeout(500)
    assert not [size for size in sent if size > 100]
    tab.page.evaluate(
        "globalThis.isHidden = false; document.dispatchEvent(new Event('visibilitychange'))"
    )
    tab.page.evaluate("opened.at(-1).close()")
    tab.wait_for("opened.length > 1 && opened.at(-1).readyState === 1")
    tab.page.wait_for_selector(".toast:has-text('Connected again')")
    tab.wait_for_painting()


def test_first_paint_is_small_and_nothing_leaves_the_machine(open_tab, page) -> None:
    tab = open_tab("#view=all")
    answers = []
    tab.page.on("response", lambda answer: answers.append(answer))
    tab.page.reload()
    tab.wait_for_styles()
    own = f"//127.0.0.1:{page.port}/"
    assert all(own in answer.url for answer in answers)
    static = [each for each in answers if "/api/" not in each.url]
    sizes = [each.request.sizes()["responseBodySize"] for each in static]
    assert sum(sizes) < 200_000, json.dumps(dict(zip([e.url for e in static], sizes, strict=True)))
