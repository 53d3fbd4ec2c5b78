"""Downloads against a real HTTP server on this machine."""

import os
import socket
import threading

import pytest
from file_server import BODY, Reply, left_over, sha

from nst_video import weights
from nst_video.errors import DownloadError, HashMismatchError, ModelMissingError, WeightsError
from nst_video.system import paths
from nst_video.weights import FileVariant, ModelFile, ModelFiles, fetch


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


OTHER = b"<html>please log in</html>"


def table(*urls, body=BODY):
    """A model of one file, served from all these addresses under names of their own."""
    variants = tuple(
        FileVariant(f"net{n or ''}.tflite", len(body), sha(body), url) for n, url in enumerate(urls)
    )
    return {"toy": ModelFiles("toy", "", "MIT", (ModelFile("predictor", variants),))}


def resolve(models, **options):
    return weights.resolve("toy", models=models, **options)["predictor"]


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
