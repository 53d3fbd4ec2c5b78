"""Films over HTTP: uploaded, looked at, painted in the queue, kept over a restart."""

import io
from pathlib import Path

import numpy as np
import pytest
from clips import make_clip, make_numbered
from live_tools import wait_until
from PIL import Image

from nst_video.frames import Frames
from nst_video.transcode import Painter
from nst_video.video.sources import open_source
from nst_video.web.film_files import film_info, read_frame
from nst_video.web.film_store import FilmStore
from nst_video.web.films import Films
from nst_video.web.look import Look


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("clip") / "clip.mp4", seconds=1)


def test_a_film_is_uploaded_painted_and_downloaded(page, clip: Path) -> None:
    made = page.ask("POST", "/api/films?name=..%2Fmy%20clip.mp4", clip.read_bytes())
    assert made.status == 201
    film = made.json
    assert (film["name"], film["state"]) == ("my clip.mp4", "uploaded")
    assert (film["width"], film["height"], film["frames"]) == (64, 48, 25)
    address = f"/api/films/{film['id']}"
    preview = page.get(f"{address}/frame.jpg?style=wave&at=0.5")
    assert Image.open(io.BytesIO(preview.body)).size == (64, 48)
    assert page.get(f"{address}/frame.jpg?original=true").body != preview.body
    assert page.get(f"{address}/frame.jpg?at=2").status == 400
    assert page.get(f"{address}/download").status == 409
    look = {"styles": [{"name": "wave"}], "steady": 0, "mask": "person", "rest": "green"}
    assert page.ask("POST", f"{address}/resume").status == 409
    refused = page.ask("POST", f"{address}/start", look)
    assert (refused.status, "started with a 'look'" in refused.json["detail"]) == (400, True)
    assert page.ask("POST", f"{address}/start", {"look": look}).json["look"]["steady"] == 0
    wait_until(lambda: page.get(address).json["state"] in ("done", "failed"), 60)
    done = page.get(address).json
    assert (done["state"], done["done"], done["text"]) == ("done", 1.0, "")
    got = page.get(f"{address}/download")
    assert "my%20clip-painted.mp4" in got.headers["content-disposition"]
    assert len(got.body) == done["bytes"]
    assert page.get(f"{address}/play", range="bytes=0-9").body == got.body[:10]
    painted = np.asarray(Image.open(io.BytesIO(page.get(done["preview"]).body)))
    assert painted.shape == (48, 64, 3)
    red, green, _ = painted.mean((0, 1))
    assert green > red + 60  # nobody is in the film
    assert page.ask("DELETE", address).status == 204
    assert page.get(address).status == 404


def test_changes_of_films_are_events(page, clip: Path) -> None:
    id_ = page.ask("POST", "/api/films", clip.read_bytes()).json["id"]
    event = f'data: {{"id": "{id_}"'.encode()
    head = page.beginning("/api/films/events", event)
    assert b"text/event-stream" in head
    assert event in head
    assert page.ask("DELETE", f"/api/films/{id_}").status == 204


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"#EXTM3U\n#EXTINF:1,\n/etc/passwd\n", 422),
        (b"ffconcat version 1.0\nfile /etc/passwd\n", 422),
        (b"\0\0\0\x20ftypisom" + bytes(2000), 422),
        (bytes((4 << 20) + 1), 413),
    ],
)
def test_what_is_no_film_is_refused_and_not_kept(page, body: bytes, status: int) -> None:
    before = page.get("/api/films").json["films"]
    got = page.ask("POST", "/api/films?name=film.mp4", body)
    assert got.status == status
    assert "passwd" not in got.detail
    assert "/tmp" not in got.detail
    assert page.get("/api/films").json["films"] == before


def test_there_is_a_limit_to_films(page, clip: Path) -> None:
    ids = [film["id"] for film in page.get("/api/films").json["films"]]
    while (made := page.ask("POST", "/api/films", clip.read_bytes())).status == 201:
        ids.append(made.json["id"])
    assert len(ids) == 3
    assert made.status == 507
    for each in ids:
        assert page.ask("DELETE", f"/api/films/{each}").status == 204


def test_only_films_of_the_folder_can_be_chosen(page) -> None:
    assert page.get("/api/films").json["folder"] == []
    for name in ("../secret.mp4", "/etc/passwd", "clip.mp4", None, 3):
        assert page.ask("POST", "/api/films/from-folder", {"name": name}).status == 404


class SlowPainter(Painter):
    """Paints the negative, and stops its film after some batches."""

    newest = None
    frames_per_painting = 1

    def __init__(self, after: int, stop: object) -> None:
        self.painted, self._after, self._stop = 0, after, stop

    def __call__(self, frames: Frames) -> Frames:
        self.painted += len(frames)
        if self._after and self.painted > self._after:
            self._stop()  # type: ignore[operator]
        return 255 - frames

    def identity(self) -> dict[str, object]:
        return {"painter": "negative"}


def test_a_paused_film_goes_on_where_it_was_after_a_restart(tmp_path: Path) -> None:
    source = make_numbered(tmp_path / "long.mp4", count=500)
    store = FilmStore(tmp_path / "films")
    id_, _ = store.reserve("long.mp4")
    film = store.make(id_, "long.mp4", source, film_info(source), Look())
    painters: list[SlowPainter] = []

    def open_painter(look: Look) -> SlowPainter:
        painters.append(SlowPainter(0 if painters else 400, lambda: films.pause(id_)))
        return painters[-1]

    films = Films(store, open_painter)  # type: ignore[arg-type]
    films.add(film)
    films.start()
    films.enqueue(id_)
    wait_until(lambda: films.get(id_).state == "paused", 60)
    films.close()
    assert not film.target.exists()
    again = Films(FilmStore(tmp_path / "films"), open_painter)  # type: ignore[arg-type]
    again.start()
    kept = again.get(id_)
    assert (kept.state, kept.look) == ("paused", Look())
    again.enqueue(id_)
    wait_until(lambda: kept.state in ("done", "failed"), 60)
    again.close()
    assert (kept.state, kept.text) == ("done", "")
    assert painters[1].painted < 500
    with open_source(kept.target) as frames:
        assert sum(1 for _ in frames) == 500


def test_a_film_that_was_being_painted_is_queued_again_by_the_next_server(tmp_path: Path) -> None:
    source = make_numbered(tmp_path / "a.mp4", count=5)
    store = FilmStore(tmp_path / "films")
    id_, _ = store.reserve("a.mp4")
    film = store.make(id_, "a.mp4", source, film_info(source), Look())
    film.state = "running"
    store.save(film)
    (tmp_path / "films" / "broken").mkdir()
    (tmp_path / "films" / "broken" / "film.json").write_text('{"state": 3}')
    films = Films(store, lambda look: SlowPainter(0, None))  # type: ignore[arg-type,return-value]
    assert [each.id for each in films.all()] == [id_]
    assert films.describe(films.get(id_))["place"] == 1
    other = Films(FilmStore(store.folder), lambda look: SlowPainter(0, None))  # type: ignore[arg-type,return-value]
    assert other.is_elsewhere
    assert other.all() == []
    films.start()
    wait_until(lambda: films.get(id_).state == "done", 60)
    films.close()


def test_a_frame_is_read_from_where_it_was_asked_for(tmp_path: Path) -> None:
    from clips import read_number

    source = make_numbered(tmp_path / "n.mp4", count=50)
    info = film_info(source)
    assert [read_number(read_frame(source, info, at)) for at in (0, 0.5, 1)] == [0, 25, 49]
    assert read_frame(source, info, 0.5).dtype == np.uint8
