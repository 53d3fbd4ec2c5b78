"""What tells runs apart."""

import os
from pathlib import Path

from nst_video.jobs.fingerprint import END_BYTES, differences, fingerprint, identify_source


def test_fingerprint_depends_on_values_and_not_on_their_order():
    assert fingerprint({"a": 1, "b": {"c": (1, 2)}}) == fingerprint({"b": {"c": [1, 2]}, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})


def test_source_is_known_by_its_content_wherever_it_lies(tmp_path: Path):
    film = tmp_path / "film.mp4"
    film.write_bytes(b"a" * (3 * END_BYTES))
    before = identify_source(film)
    moved = film.rename(tmp_path / "moved.mp4")
    assert identify_source(moved) == before
    times = moved.stat()
    moved.write_bytes(b"a" * (3 * END_BYTES - 1) + b"b")
    os.utime(moved, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert identify_source(moved) != before


def test_differences_are_named_and_long_values_are_not_shown():
    before = {"painting": {"intensity": 1.0, "keep_colors": False}, "source": {"bytes": 1}}
    now = {"painting": {"intensity": 0.5, "keep_colors": False}, "source": {"bytes": 2}}
    assert differences(before, now) == ["intensity 0.5 instead of 1.0", "the source"]
    assert differences({"style": "a" * 64}, {"style": "b" * 64}) == ["style"]
    assert differences({"size": [1, None]}, {"size": (1, None)}) == []
