"""A stylizer with regions: a second style, the input, blur or a color around a mask."""

import cv2
import numpy as np
import pytest
from clips import make_numbered

from nst_video.errors import StyleError, UsageError
from nst_video.image.files import save_picture
from nst_video.image.yuv420 import (
    OUTPUT_COLORS,
    YuvColors,
    rgb_to_yuv,
    to_output_colors,
    yuv_to_rgb,
)
from nst_video.settings import ModelOptions, Regions, StylizeSettings, parse_color
from nst_video.stylizer import Stylizer

OPTIONS = ModelOptions("builtin", "openvino")
WIDTH, HEIGHT = 96, 64


def frame(seed=0):
    coarse = np.random.default_rng(seed).integers(0, 256, (8, 12, 3), np.uint8)
    return coarse.repeat(8, 0).repeat(8, 1)


@pytest.fixture
def mask(tmp_path):
    """White on the left."""
    gray = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    gray[:, : WIDTH // 2] = 255
    return str(save_picture(tmp_path / "mask.png", gray))


def paint(regions=None, style="wave", content=None, **settings):
    stylizer = Stylizer(style, StylizeSettings(gentle=0, **settings), OPTIONS, regions=regions)
    return stylizer(frame() if content is None else content)


LEFT, RIGHT = np.s_[:, : WIDTH // 2 - 4], np.s_[:, WIDTH // 2 + 4 :]


def test_around_the_mask_the_input_stays(mask):
    painted, whole = paint(Regions(mask)), paint()
    np.testing.assert_array_equal(painted[RIGHT], frame()[RIGHT])
    np.testing.assert_array_equal(painted[LEFT], whole[LEFT])
    inverted = paint(Regions(mask, invert=True))
    np.testing.assert_array_equal(inverted[LEFT], frame()[LEFT])


def test_around_the_mask_is_a_color_or_a_blur(mask):
    assert (paint(Regions(mask, "#102030"))[RIGHT] == (16, 32, 48)).all()
    blurred = paint(Regions(mask, "blur"))[RIGHT]
    assert blurred.std() < frame()[RIGHT].std()
    assert parse_color("#12345") is None


def test_without_a_style_only_the_background_changes(mask):
    shown = paint(Regions(mask, "#102030", paints=False))
    np.testing.assert_array_equal(shown[LEFT], frame()[LEFT])
    assert (shown[RIGHT] == (16, 32, 48)).all()


def test_two_styles_are_nearer_to_each_whole_painting_in_its_region(mask):
    both = paint(Regions(mask, "mosaic")).astype(float)
    wave, mosaic = paint(), paint(style="mosaic")
    assert np.abs(both - wave)[LEFT].mean() < 0.7 * np.abs(both - mosaic)[LEFT].mean()
    assert np.abs(both - mosaic)[RIGHT].mean() < 0.7 * np.abs(both - wave)[RIGHT].mean()


def test_an_unknown_style_and_a_softness_out_of_range_are_refused(mask):
    with pytest.raises(StyleError, match="mosiac"):
        paint(Regions(mask, "mosiac"))
    with pytest.raises(UsageError, match="softness"):
        Regions(mask, softness=2)


def test_identity_depends_on_the_regions(mask):
    def identity(regions):
        return Stylizer("wave", options=OPTIONS, regions=regions).identity()

    assert identity(Regions(mask)) == identity(Regions(mask))
    assert identity(Regions(mask)) != identity(Regions(mask, "mosaic"))
    assert identity(Regions(mask, "mosaic")) != identity(Regions(mask, "wave"))
    assert identity(None) != identity(Regions(mask))


def test_a_film_with_a_film_as_mask_goes_on_where_it_was(tmp_path):
    film = make_numbered(tmp_path / "mask.mp4", count=8)
    frames = np.stack([frame(seed) for seed in range(6)])

    def stylizer():
        settings = StylizeSettings(steady=0)
        return Stylizer("wave", settings, OPTIONS, regions=Regions(str(film), "mosaic"))

    whole = stylizer().submit(frames).wait()
    second = stylizer()
    second.reset()
    second.begin_at(3)
    np.testing.assert_array_equal(second.submit(frames[3:]).wait(), whole[3:])


def test_steady_films_are_painted_with_masks(mask):
    frames = np.stack([frame()] * 3)
    painted = paint(Regions(mask, "mosaic"), content=frames, paint_every=2)
    assert painted.shape == frames.shape
    alone = paint(Regions(mask, "mosaic"))
    np.testing.assert_array_equal(painted[0], alone)


@pytest.mark.parametrize("rest", ["#102030", "original", "blur", "mosaic"])
@pytest.mark.parametrize("colors", [OUTPUT_COLORS, YuvColors("bt601", is_full_range=True)])
def test_planes_are_painted_with_masks_as_pixels_are(mask, rest, colors):
    settings = StylizeSettings(steady=0, gentle=0)
    stylizer = Stylizer("wave", settings, OPTIONS, regions=Regions(mask, rest))
    yuv = rgb_to_yuv(cv2.GaussianBlur(frame(), (0, 0), 4)[None])
    assert stylizer.accepts_yuv((WIDTH, HEIGHT))
    painted = yuv_to_rgb(stylizer.submit_yuv(yuv, colors).wait(), OUTPUT_COLORS)[0]
    pixels = stylizer(yuv_to_rgb(yuv, colors)[0])
    assert np.abs(painted.astype(int) - pixels)[RIGHT].mean() < (12 if rest == "mosaic" else 3)
    assert np.abs(painted.astype(int) - pixels)[LEFT].mean() < 12  # chroma has half the resolution


def test_planes_are_converted_to_other_colors_as_pixels_are():
    yuv = rgb_to_yuv(cv2.GaussianBlur(frame(), (0, 0), 4)[None])
    colors = YuvColors("bt601", is_full_range=True)
    expected = rgb_to_yuv(yuv_to_rgb(yuv, colors))
    assert np.abs(to_output_colors(yuv, colors).astype(int) - expected).max() <= 2
    assert to_output_colors(yuv, OUTPUT_COLORS) is yuv


def test_people_are_found_in_planes_as_in_pixels_and_nobody_is_noted(mask):
    regions = Regions(segmenter="builtin")
    flat = np.full((1, HEIGHT, WIDTH, 3), 90, np.uint8)
    stylizer = Stylizer("wave", StylizeSettings(steady=0), OPTIONS, regions=regions)
    assert not stylizer.found_nobody()
    painted = stylizer.submit_yuv(rgb_to_yuv(flat), OUTPUT_COLORS).wait()
    np.testing.assert_array_equal(painted, rgb_to_yuv(flat))
    assert stylizer.found_nobody()
    assert not stylizer.found_nobody()
    with_file = Stylizer("wave", options=OPTIONS, regions=Regions(mask))
    with_file(flat)
    assert not with_file.found_nobody()
