"""Archives: fetched, checked and unpacked."""

import io
import os
import tarfile
import threading

import pytest
from file_server import Reply, left_over, sha

from nst_video import weights
from nst_video.errors import DownloadError, HashMismatchError
from nst_video.system import paths
from nst_video.weights import FileVariant, ModelArchive, ModelFiles, fetch


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


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
