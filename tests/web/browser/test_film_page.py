"""Films on the page: dropped, tried in a look, painted, paused, downloaded, deleted."""

from pathlib import Path

from clips import make_clip


def test_film_is_tried_painted_paused_downloaded_and_deleted(open_tab, tmp_path: Path) -> None:
    tab = open_tab("#style=wave")
    page = tab.page
    tab.wait_for_styles()
    _refuse_what_is_no_film(tab, tmp_path)
    page.set_input_files("#film-file", make_clip(tmp_path / "small.mp4", seconds=0.4))
    page.wait_for_selector("#stage.has-picture", timeout=30_000)
    assert page.inner_text(".film.is-chosen .film-state") == "64 x 48, 0:00"
    assert page.get_attribute("#painting", "aria-label") == "small.mp4 painted in Wave"
    before = tab.color()
    page.locator(".tile-main", has_text="Woodcut").click()
    tab.wait_for("document.querySelector('#painting').ariaLabel.endsWith('in Woodcut')")
    assert tab.color() != before
    page.click("#film-start")
    film = page.locator(".film.is-chosen")
    film.get_by_role("button", name="Pause").click()  # the painter is still being opened
    film.get_by_text("Paused at").wait_for(timeout=30_000)
    film.get_by_role("button", name="Go on").click()
    download = film.locator("a", has_text="Download")
    download.wait_for(timeout=60_000)
    with page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename.startswith("small")
    assert Path(saved.value.path()).stat().st_size > 500
    page.get_by_role("button", name="Delete small.mp4").click()
    page.wait_for_selector(".film", state="detached")


def _refuse_what_is_no_film(tab, folder: Path) -> None:  # type: ignore[no-untyped-def]
    """A file that is no film is refused in words; the page shows its films then."""
    broken = folder / "broken.mp4"
    broken.write_bytes(b"this is no film" * 100)
    tab.page.set_input_files("#film-file", broken)
    tab.page.wait_for_selector(".toast:has-text('film')")
    unknown = folder / "list.txt"
    unknown.write_text("1, 2, 3")
    tab.page.set_input_files("#picture-file", unknown)
    tab.page.wait_for_selector(".toast:has-text('list.txt is neither a picture nor a film')")
    tab.complaints.clear()  # browsers report every refused request
    tab.page.wait_for_selector("#films")
