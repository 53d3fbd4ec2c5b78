"""Keyframes on disk."""

from pathlib import Path

import numpy as np

from nst_video.optimization.keyframe_store import KeyframeStore, fingerprint, quantized


def test_keyframes_come_back_from_the_disk_exactly(tmp_path: Path):
    picture = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    store = KeyframeStore(tmp_path / "film.mp4", {"steps": 3})
    store.save(7, picture)
    np.testing.assert_array_equal(store.load(7), quantized(picture))
    np.testing.assert_array_equal(quantized(quantized(picture)), quantized(picture))
    assert np.abs(quantized(picture) - picture).max() < 1e-5
    assert store.load(8) is None
    assert store.count() == 1
    assert store.folder.parent == tmp_path / "film.mp4.keyframes"


def test_keyframes_of_other_settings_never_mix(tmp_path: Path):
    picture = np.zeros((4, 4, 3), np.float32)
    one, other = (KeyframeStore(tmp_path / "film.mp4", {"steps": n}) for n in (3, 4))
    one.save(0, picture)
    assert other.load(0) is None
    other.save(0, picture)
    one.discard()
    assert other.load(0) is not None
    other.discard()
    assert list(tmp_path.iterdir()) == []
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})


def test_broken_keyframe_is_as_good_as_none(tmp_path: Path):
    store = KeyframeStore(tmp_path / "film.mp4", {})
    store.save(0, np.zeros((4, 4, 3), np.float32))
    path = store.folder / "000000.png"
    for data in (b"", path.read_bytes()[:40], b"no picture"):
        path.write_bytes(data)
        assert store.load(0) is None
