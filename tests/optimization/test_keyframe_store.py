"""Keyframes on disk."""

from pathlib import Path

import numpy as np

from nst_video.jobs import folders
from nst_video.optimization.keyframe_store import KeyframeStore, quantized


def store_of(folder: Path, **inputs: object) -> KeyframeStore:
    return KeyframeStore(folder / "film.mp4", "source.mp4", inputs)


def test_keyframes_come_back_from_the_disk_exactly(tmp_path: Path):
    picture = np.random.default_rng(0).random((20, 30, 3)).astype(np.float32)
    with store_of(tmp_path, steps=3) as store:
        store.save(7, picture)
    with store_of(tmp_path, steps=3) as store:
        np.testing.assert_array_equal(store.load(7), quantized(picture))
        np.testing.assert_array_equal(quantized(quantized(picture)), quantized(picture))
        assert np.abs(quantized(picture) - picture).max() < 1e-5
        assert store.load(8) is None
        assert store.count() == 1
    assert folders.folders_of(tmp_path / "film.mp4") == [store.folder]


def test_keyframes_of_other_settings_never_mix(tmp_path: Path):
    picture = np.zeros((4, 4, 3), np.float32)
    with store_of(tmp_path, steps=3) as one:
        one.save(0, picture)
    with store_of(tmp_path, steps=4) as other:
        assert other.load(0) is None
        other.save(0, picture)
    with store_of(tmp_path, steps=3) as one:
        assert one.count() == 1
        one.discard()
    with store_of(tmp_path, steps=4) as other:
        assert other.load(0) is not None
        other.restart()
    assert list(tmp_path.iterdir()) == []


def test_broken_keyframe_is_as_good_as_none(tmp_path: Path):
    for data in (b"", b"no picture"):
        with store_of(tmp_path) as store:
            store.save(0, np.zeros((4, 4, 3), np.float32))
        (store.folder / "00000.png").write_bytes(data)
        with store_of(tmp_path) as store:
            assert store.load(0) is None
