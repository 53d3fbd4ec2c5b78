"""Downloads against a real HTTP server on this machine."""

import hashlib
import io
import os
import socket
import tarfile
import threading
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from nst_video import weights
from nst_video.errors import DownloadError, HashMismatchError, ModelMissingError, WeightsError
from nst_video.system import paths
from nst_video.weights import FileVariant, ModelArchive, ModelFile, ModelFiles, fetch


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


BODY = bytes(range(256)) * 2000
OTHER = b"<html>please log in</html>"


@dataclass
class Reply:
    """How the server answers one request."""

    status: int = 200
    body: bytes = BODY
    sends: int | None = None  # cut the connection after so many bytes
    ranges: bool = True
    announces: int | None = -1  # what it says of its length; None: nothing
    is_endless: bool = False


class Server(ThreadingHTTPServer):
    """Answers each path with its replies in turn, the last one for ever."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.replies = defaultdict(list)
        self.requests = []
        self.extra = 0
        self.lock = threading.Lock()

    def url(self, path, *replies):
        self.replies[path] = list(replies)
        return f"http://127.0.0.1:{self.server_port}{path}"

    def take(self, path, requested):
        with self.lock:
            self.requests.append((path, requested))
            replies = self.replies[path]
            return replies.pop(0) if len(replies) > 1 else replies[0]


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        requested = self.headers.get("Range")
        reply = self.server.take(self.path, requested)
        start = int(requested[6:-1]) if requested and reply.ranges and reply.status == 200 else 0
        body = reply.body[start:]
        self.send_response(206 if start else reply.status)
        if reply.announces is not None:
            length = len(body) if reply.announces < 0 else reply.announces
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self.wfile.write(body[: reply.sends])
        with suppress(OSError):  # until the client goes away
            while reply.is_endless:
                self.server.extra += self.wfile.write(body)
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture
def dead_url():
    """An address where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return f"http://127.0.0.1:{port}/net.tflite"


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    monkeypatch.setattr(fetch, "_PAUSES_S", (0.0, 0.0, 0.0))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def table(*urls, body=BODY):
    """A model of one file, served from all these addresses under names of their own."""
    variants = tuple(
        FileVariant(f"net{n or ''}.tflite", len(body), sha(body), url) for n, url in enumerate(urls)
    )
    return {"toy": ModelFiles("toy", "", "MIT", (ModelFile("predictor", variants),))}


def resolve(models, **options):
    return weights.resolve("toy", models=models, **options)["predictor"]


def left_over():
    """Everything in the cache's model folders that is not a finished file."""
    files = (paths.cache_dir() / "models").rglob("*")
    return [file.name for file in files if file.is_file() and not file.name.startswith("net")] + [
        file.name for file in (paths.cache_dir() / "models").rglob("*.part")
    ]


def test_fetch_downloads_once(server):
    models = table(server.url("/net", Reply()))
    first = resolve(models)
    second = resolve(models)
    assert first == second == paths.cache_dir() / "models" / "toy" / "net.tflite"
    assert first.read_bytes() == BODY
    assert len(server.requests) == 1
    assert left_over() == []


def test_fetch_reports_progress_up_to_the_total(server):
    seen = []
    resolve(table(server.url("/net", Reply())), on_progress=seen.append)
    assert [step.done for step in seen] == sorted(step.done for step in seen)
    assert seen[-1] == weights.FetchProgress("net.tflite", len(BODY), len(BODY))
    assert 0 < seen[0].done < len(BODY)


def test_fetch_refuses_a_wrong_hash_and_keeps_nothing(server):
    models = table(server.url("/net", Reply(body=OTHER)))
    with pytest.raises(HashMismatchError) as caught:
        resolve(models)
    assert sha(OTHER) in str(caught.value)
    assert sha(BODY) in str(caught.value)
    assert not weights.is_cached("toy", models=models)
    assert not list((paths.cache_dir() / "models").rglob("net*.tflite"))
    assert left_over() == []


def test_fetch_keeps_a_wrong_hash_when_trusted_until_it_changes(server):
    models = table(server.url("/net", Reply(body=OTHER)))
    path = resolve(models, trust=True)
    assert path.read_bytes() == OTHER
    assert resolve(models, offline=True) == path
    path.write_bytes(OTHER + b"!")
    with pytest.raises(HashMismatchError):
        resolve(models, offline=True)


def test_fetch_prefers_another_mirror_to_a_wrong_hash(server):
    models = table(server.url("/bad", Reply(body=OTHER)), server.url("/good", Reply()))
    assert resolve(models).name == "net1.tflite"


def test_fetch_resumes_a_cut_connection(server):
    half = len(BODY) // 2
    seen = []
    models = table(server.url("/net", Reply(sends=half), Reply()))
    assert resolve(models, on_progress=seen.append).read_bytes() == BODY
    (_, first), (_, second) = server.requests
    assert first is None
    assert 0 < int(second.removeprefix("bytes=").removesuffix("-")) <= half
    assert seen[-1].done == seen[-1].total == len(BODY)


def test_fetch_starts_over_where_the_server_cannot_resume(server):
    models = table(server.url("/net", Reply(sends=len(BODY) // 2), Reply(ranges=False)))
    assert resolve(models).read_bytes() == BODY
    assert server.requests[1][1] is not None


def test_fetch_starts_over_where_the_range_is_refused(server):
    models = table(server.url("/net", Reply(sends=70_000), Reply(status=416, body=b""), Reply()))
    assert resolve(models).read_bytes() == BODY
    assert [requested is not None for _, requested in server.requests] == [False, True, False]


def test_fetch_gives_up_on_a_connection_that_is_always_cut(server):
    models = table(server.url("/net", Reply(sends=10, ranges=False)))
    with pytest.raises(DownloadError, match="the connection was cut"):
        resolve(models)
    assert len(server.requests) == 3
    assert left_over() == []


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=BODY + b"more"),
        Reply(body=BODY + b"more", announces=None),
        Reply(announces=1 << 47, sends=0),
        Reply(announces=None, is_endless=True),
        Reply(announces=1 << 47, is_endless=True),
        Reply(announces=100),
        Reply(announces=len(BODY) * 2, ranges=False),
    ],
    ids=["longer", "longer unannounced", "huge", "endless", "huge endless", "short", "cut"],
)
def test_fetch_stops_at_the_known_size_and_turns_to_the_next_mirror(server, reply):
    models = table(server.url("/bad", reply), server.url("/net", Reply()))
    assert resolve(models).read_bytes() == BODY
    assert server.extra < 64 << 20  # what lies in the buffers of the connection


@pytest.mark.parametrize("announces", [1 << 47, None])
def test_fetch_of_too_much_says_so(server, announces):
    models = table(server.url("/bad", Reply(announces=announces, is_endless=True)))
    with pytest.raises(DownloadError, match=f"more than the {len(BODY)} bytes"):
        resolve(models)
    assert not left_over()


def test_fetch_tries_again_after_a_server_error(server):
    models = table(server.url("/net", Reply(status=503, body=b"busy"), Reply()))
    assert resolve(models).read_bytes() == BODY


def test_fetch_does_not_repeat_what_a_server_refuses(server):
    models = table(server.url("/gone", Reply(status=404)), server.url("/net", Reply()))
    assert resolve(models).read_bytes() == BODY
    assert [path for path, _ in server.requests] == ["/gone", "/net"]


def test_fetch_turns_to_the_second_mirror_when_the_first_is_dead(server, dead_url):
    path = resolve(table(dead_url, server.url("/net", Reply())))
    assert (path.name, path.read_bytes()) == ("net1.tflite", BODY)


def test_fetch_without_network_says_what_to_try(dead_url):
    with pytest.raises(DownloadError) as caught:
        resolve(table(dead_url))
    for hint in (dead_url, "no connection", "--from DIR", "NST_VIDEO_MODELS", "builtin"):
        assert hint in str(caught.value)


def test_fetch_gives_up_on_a_server_that_never_answers(server, monkeypatch):
    monkeypatch.setattr(fetch, "_TIMEOUTS_S", (0.1, 0.1))
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}/net"
        assert resolve(table(silent, server.url("/net", Reply()))).name == "net1.tflite"
        with pytest.raises(DownloadError, match="no answer in time"):
            fetch.download(silent, paths.cache_dir() / "models" / "net.part", largest=9)


@pytest.mark.parametrize("how", ["flag", "environment"])
def test_fetch_does_not_touch_the_network_offline(server, how, monkeypatch):
    models = table(server.url("/net", Reply()))
    if how == "environment":
        monkeypatch.setenv("NST_VIDEO_OFFLINE", "1")
    with pytest.raises(ModelMissingError, match="models fetch toy"):
        resolve(models, offline=how == "flag")
    assert server.requests == []


def test_fetch_replaces_a_broken_file_in_the_cache(server):
    models = table(server.url("/net", Reply()))
    path = resolve(models)
    path.write_bytes(BODY[:-1])
    with pytest.raises(HashMismatchError):
        resolve(models, offline=True)
    assert resolve(models).read_bytes() == BODY


def test_fetch_at_the_same_time_gives_everyone_the_whole_file(server):
    models = table(server.url("/net", Reply()))
    found = []
    threads = [threading.Thread(target=lambda: found.append(resolve(models))) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [path.read_bytes() == BODY for path in found] == [True] * 5
    assert left_over() == []


MEMBERS = {
    "saved_model.pb": b"graph" * 500,
    "variables/variables.index": b"index" * 50,
    "variables/variables.data-00000-of-00001": os.urandom(200_000),
}


def packed(members, prefix="./"):
    """A .tar.gz of these members."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in members.items():
            info = tarfile.TarInfo(prefix + name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return buffer.getvalue()


def archive_table(*urls):
    """A model of one archive; the hash of its large member is not known."""
    variants = {
        name: FileVariant(name, len(data), None if ".data" in name else sha(data))
        for name, data in MEMBERS.items()
    }
    graph = variants["saved_model.pb"]
    archive = ModelArchive("saved_model", urls, tuple(variants.values()), graph)
    return {"toy": ModelFiles("toy", "", "MIT", archive=archive)}


def contents(folder):
    return {name: (folder / name).read_bytes() for name in MEMBERS}


def test_archive_is_unpacked_once(server):
    models = archive_table(server.url("/a", Reply(body=packed(MEMBERS))))
    folder = weights.resolve("toy", models=models)["saved_model"]
    assert folder == paths.cache_dir() / "models" / "toy"
    assert contents(folder) == MEMBERS
    assert weights.resolve("toy", models=models)["saved_model"] == folder
    assert len(server.requests) == 1
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


def test_archive_that_grows_beyond_its_members_is_refused(server):
    bomb = packed({**MEMBERS, "extra": bytes(8 << 20)})
    assert len(bomb) < 300_000
    models = archive_table(server.url("/a", Reply(body=bomb)))
    with pytest.raises(DownloadError, match="more than the"):
        weights.resolve("toy", models=models)
    assert not left_over()


def test_archive_writes_nothing_but_its_known_members(server):
    evil = {**MEMBERS, "../../evil": b"x", "extra.txt": b"y"}
    models = archive_table(server.url("/a", Reply(body=packed(evil, prefix=""))))
    folder = weights.resolve("toy", models=models)["saved_model"]
    files = {file.relative_to(folder).as_posix() for file in folder.rglob("*") if file.is_file()}
    assert files == set(MEMBERS)
    assert not list(paths.cache_dir().parent.rglob("evil"))


@pytest.mark.parametrize(
    "body",
    [
        packed(MEMBERS)[:5000],
        packed(MEMBERS)[:5000] + bytes(5000) + packed(MEMBERS)[10_000:],
        b"<html>",
        packed({"saved_model.pb": MEMBERS["saved_model.pb"]}),
    ],
    ids=["truncated", "damaged", "no archive", "member missing"],
)
def test_archive_that_is_broken_is_fetched_elsewhere(server, body):
    models = archive_table(
        server.url("/bad", Reply(body=body)), server.url("/a", Reply(body=packed(MEMBERS)))
    )
    assert contents(weights.resolve("toy", models=models)["saved_model"]) == MEMBERS


@pytest.mark.parametrize("name", MEMBERS)
def test_archive_with_a_changed_member_is_refused_unless_trusted(server, name):
    changed = {**MEMBERS, name: b"changed"}
    models = archive_table(server.url("/a", Reply(body=packed(changed))))
    with pytest.raises(HashMismatchError, match=name.rpartition("/")[2]):
        weights.resolve("toy", models=models)
    assert not weights.is_cached("toy", models=models)
    folder = weights.resolve("toy", models=models, trust=True)["saved_model"]
    assert contents(folder) == changed
    assert weights.is_cached("toy", models=models)


def test_archive_without_network_says_what_to_try(dead_url):
    with pytest.raises(DownloadError, match="--from DIR"):
        weights.resolve("toy", models=archive_table(dead_url))


def test_archive_replaces_a_broken_folder_in_the_cache(server):
    models = archive_table(server.url("/a", Reply(body=packed(MEMBERS))))
    folder = weights.resolve("toy", models=models)["saved_model"]
    (folder / "variables/variables.data-00000-of-00001").unlink()
    assert not weights.is_cached("toy", models=models)
    assert contents(weights.resolve("toy", models=models)["saved_model"]) == MEMBERS


def test_archive_fetched_at_the_same_time_ends_whole(server):
    models = archive_table(server.url("/a", Reply(body=packed(MEMBERS))))
    found = []
    threads = [
        threading.Thread(target=lambda: found.append(weights.resolve("toy", models=models)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    folder = paths.cache_dir() / "models" / "toy"
    assert contents(folder) == MEMBERS
    assert [path.name for path in folder.parent.iterdir()] == ["toy"]


def test_fetch_into_a_folder_that_cannot_be_made_is_one_sentence(server):
    paths.cache_dir().parent.mkdir()
    paths.cache_dir().write_text("a file where the folder should be")
    with pytest.raises(WeightsError, match="set NST_VIDEO_HOME"):
        resolve(table(server.url("/net", Reply())))


@pytest.mark.skipif(os.name == "nt", reason="Windows has no limit on file sizes")
def test_fetch_to_a_disk_without_room_is_one_sentence_and_no_retry(server):
    import resource

    models = table(server.url("/net", Reply()))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(BODY) // 2, limits[1]))
    try:
        with pytest.raises(WeightsError, match=r"File too large.*make room"):
            resolve(models)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert len(server.requests) == 1
    assert left_over() == []


def test_fetch_clears_what_killed_processes_left_behind(server):
    models = paths.cache_dir() / "models" / "toy"
    old, fresh = models / ".net.tflite.0000.part", models / ".net.tflite.1111.part"
    for folder in (old, fresh):
        folder.mkdir(parents=True)
        (folder / "net.tflite").write_bytes(b"half")
    os.utime(old, (0, 0))
    resolve(table(server.url("/net", Reply())))
    assert (old.exists(), fresh.exists()) == (False, True)


def folder_with(path, text):
    path.mkdir(parents=True)
    (path / "file").write_text(text)
    return path


@pytest.mark.parametrize(("is_good", "stays"), [(True, "theirs"), (False, "ours")])
def test_publish_folder_leaves_a_good_one_alone(tmp_path, is_good, stays):
    ours = folder_with(tmp_path / "parts" / "ours", "ours")
    target = folder_with(tmp_path / "target", "theirs")
    fetch.publish_folder(ours, target, lambda _: is_good)
    assert (target / "file").read_text() == stays


def test_publish_folder_fails_where_nothing_can_be_renamed_to(tmp_path):
    ours = folder_with(tmp_path / "parts" / "ours", "ours")
    with pytest.raises(FileNotFoundError):
        fetch.publish_folder(ours, tmp_path / "missing" / "target", lambda _: True)
