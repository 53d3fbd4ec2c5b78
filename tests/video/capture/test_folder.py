"""Folders of pictures as a source."""

import time
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from live_tools import (
    SIZE,
    Running,
    number_in,
    numbered,
    unchanged,
    wait_until,
)

from nst_video.errors import SourceError
from nst_video.frames import size_of
from nst_video.image.files import save_picture
from nst_video.live import LiveOptions, LiveSession, open_live_source
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.capture.folder import FPS, PICTURE_S, PictureFolderSource

AS_VIDEO = CaptureOptions(fps=Fraction(25))


def test_each_picture_of_a_folder_is_shown_for_seconds(tmp_path: Path) -> None:
    for number in range(3):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    (tmp_path / "1.png").write_bytes(b"no picture")
    with PictureFolderSource(tmp_path) as source:
        shown = [number_in(frame) for frame in source]
        assert source.info.fps == FPS
    count = round(PICTURE_S * FPS)
    assert shown == [0] * count + [2] * count


@pytest.mark.parametrize(
    ("size", "shown"), [((4000, 3000), (1440, 1080)), ((300, 4000), (81, 1080)), (SIZE, SIZE)]
)
def test_photos_of_a_folder_are_brought_to_the_size_of_screens(
    tmp_path: Path, size: tuple[int, int], shown: tuple[int, int]
) -> None:
    save_picture(tmp_path / "photo.jpg", np.full((size[1], size[0], 3), 99, np.uint8))
    with PictureFolderSource(tmp_path) as source:
        assert source.info.size == size_of(next(iter(source))) == shown


def test_style_turns_into_another_while_one_picture_of_a_folder_is_shown(tmp_path: Path) -> None:
    save_picture(tmp_path / "photo.png", numbered(7))
    session = LiveSession(
        open_live_source(tmp_path), lambda: unchanged(fade_s=0.1), has_window=False,
        options=LiveOptions(target_fps=None),
    )  # fmt: skip
    with Running(session):
        wait_until(lambda: len(session.state.thumbnails) > 3, 60)
        begun = time.monotonic()
        session.press("3")
        wanted = session.state.styles[2]
        wait_until(lambda: session.renderer.stylizer.styles == (wanted,))
        assert time.monotonic() - begun < PICTURE_S / 2


def test_folder_of_pictures_is_shown_in_order_and_in_one_size(tmp_path: Path) -> None:
    for number, size in enumerate([(320, 240), (320, 240), (640, 240)]):
        save_picture(tmp_path / f"{number}.png", numbered(number, size))
    (tmp_path / "notes.txt").write_text("no picture")
    with PictureFolderSource(tmp_path, AS_VIDEO) as source:
        frames = list(source)
        assert source.info.frame_count == 3
    assert [frame.shape for frame in frames] == [(240, 320, 3)] * 3
    assert [number_in(frame) for frame in frames[:2]] == [0, 1]
    assert not frames[2][:50].any()  # letterboxed


def test_folder_leaves_out_pictures_that_are_broken(tmp_path: Path) -> None:
    for number in range(4):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    for number in (0, 2):
        path = tmp_path / f"{number}.png"
        path.write_bytes(path.read_bytes()[:-200])
    (tmp_path / "3.png").unlink()
    (tmp_path / "3.png").mkdir()
    with PictureFolderSource(tmp_path, AS_VIDEO) as source:
        assert [number_in(frame) for frame in source] == [1]
    assert [note.split(": ")[0] for note in source.notes] == ["Left out"] * 3
    assert "0.png is a damaged PNG picture" in source.notes[0]
    (tmp_path / "1.png").write_bytes(b"")
    with pytest.raises(SourceError, match=r"None of the 4 pictures.*can be read"):
        PictureFolderSource(tmp_path).__enter__()


def test_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no pictures"):
        PictureFolderSource(tmp_path)


def test_folder_plays_at_its_rate(tmp_path: Path) -> None:
    for number in range(6):
        save_picture(tmp_path / f"{number}.png", numbered(number))
    source = open_live_source(tmp_path, CaptureOptions(fps=Fraction(20), loop=True)).open()
    begun, numbers = time.monotonic(), []
    with source:
        for frame in source:
            numbers.append(number_in(frame))
            if len(numbers) == 15:
                break
    assert numbers == [n % 6 for n in range(15)]
    assert time.monotonic() - begun >= 14 / 20
