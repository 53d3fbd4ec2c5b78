"""Films on the page: dropped, tried in a look, painted, downloaded, deleted."""

from pathlib import Path

from clips import make_clip


def test_film_is_tried_painted_downloaded_and_deleted(open_tab, tmp_path: Path) -> None:
    tab = open_tab("#style=wave")
    page = tab.page
    tab.wait_for_styles()
    page.click("#mode-films")
    page.wait_for_selector("#films")
    page.set_input_files("#film-file", make_clip(tmp_path / "small.mp4", seconds=0.4))
    page.wait_for_selector("#stage.has-picture", timeout=30_000)
    assert page.inner_text(".film.is-chosen .film-state") == "64 x 48, 0:00"
    assert page.get_attribute("#painting", "aria-label") == "small.mp4 painted in Wave"
    before = tab.color()
    page.locator(".tile-main", has_text="Woodcut").click()
    tab.wait_for("document.querySelector('#painting').ariaLabel.endsWith('in Woodcut')")
    assert tab.color() != before
    page.click("#film-start")
    download = page.locator(".film.is-chosen a", has_text="Download")
    download.wait_for(timeout=60_000)
    with page.expect_download() as saved:
        download.click()
    assert saved.value.suggested_filename.startswith("small")
    assert Path(saved.value.path()).stat().st_size > 500
    page.get_by_role("button", name="Delete small.mp4").click()
    page.wait_for_selector(".film", state="detached")


def test_file_that_is_no_film_is_refused_in_words(open_tab, tmp_path: Path) -> None:
    tab = open_tab()
    tab.wait_for_styles()
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"this is no film" * 100)
    tab.page.set_input_files("#film-file", broken)
    tab.page.wait_for_selector(".toast:has-text('film')")
    unknown = tmp_path / "list.txt"
    unknown.write_text("1, 2, 3")
    tab.page.set_input_files("#picture-file", unknown)
    tab.page.wait_for_selector(".toast:has-text('list.txt is neither a picture nor a film')")
    tab.complaints.clear()  # browsers report every refused request
