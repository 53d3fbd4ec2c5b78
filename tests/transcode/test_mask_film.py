"""Films of masks: transparency in VP9 and ProRes 4444, the mask alone in H.264."""

from fractions import Fraction

import av
import numpy as np
import pytest

from nst_video.frames import VideoInfo
from nst_video.segmentation import FileMasks
from nst_video.transcode.mask_film import write_mask_film

HEIGHT, WIDTH, COUNT = 48, 65, 5
FRAME = np.full((HEIGHT, WIDTH, 3), (200, 120, 40), np.uint8)


def left_half(frame):
    mask = np.zeros(frame.shape[:2], np.uint8)
    mask[:, : WIDTH // 2] = 255
    return mask


def read(path, codec=None):
    """Return the frames of a film as RGBA, and its rate."""
    with av.open(path) as film:
        stream = film.streams.video[0]
        decoder = stream if codec is None else av.CodecContext.create(codec, "r")
        frames = []
        for packet in film.demux(stream):
            if packet.dts is not None:
                frames += decoder.decode(packet)
        frames += decoder.decode(None)
        return [frame.to_ndarray(format="rgba") for frame in frames], stream.average_rate


@pytest.mark.parametrize(("suffix", "codec"), [(".webm", "libvpx-vp9"), (".mov", None)])
def test_films_are_transparent_outside_of_the_mask(tmp_path, suffix, codec):
    info = VideoInfo((WIDTH, HEIGHT), Fraction(25), COUNT)
    path = write_mask_film([FRAME] * COUNT, info, tmp_path / f"mask{suffix}", left_half)
    frames, rate = read(str(path), codec)
    assert len(frames) == COUNT
    assert rate == 25
    alpha = frames[2][..., 3]
    assert alpha.shape == (HEIGHT, WIDTH - 1)
    assert alpha[:, :24].min() > 240
    assert alpha[:, 40:].max() < 15
    assert np.abs(frames[2][:, :24, :3].astype(int) - FRAME[:, :24]).mean() < 12


@pytest.mark.parametrize("suffix", [".webm", ".mov"])
def test_what_is_opaque_in_a_transparent_film_is_the_mask(tmp_path, suffix):
    info = VideoInfo((WIDTH, HEIGHT), Fraction(25), COUNT)
    path = write_mask_film([FRAME] * COUNT, info, tmp_path / f"mask{suffix}", left_half)
    masks = FileMasks(path)
    for _ in range(COUNT + 1):
        mask = masks(FRAME[:, :-1])
        assert mask[:, :24].min() > 240
        assert mask[:, 40:].max() < 15


def test_other_films_show_the_mask(tmp_path):
    info = VideoInfo((WIDTH, HEIGHT), Fraction(25), COUNT)
    path = write_mask_film([FRAME] * COUNT, info, tmp_path / "mask.mp4", left_half)
    frames, _ = read(str(path))
    assert frames[2][:, :24, :3].min() > 230
    assert frames[2][:, 40:, :3].max() < 25
