"""Frames of one color, or nearly so, and all between those and usual ones."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from tiny_network import CONFIG, random_arrays, random_style

from nst_video.engines import TilingEngine, open_engine
from nst_video.engines.flat_frames import FLAT, FULL, preserve_flat_frames, style_share
from nst_video.image.yuv420 import OUTPUT_COLORS, rgb_to_yuv, yuv_to_rgb
from nst_video.networks import checkpoints
from nst_video.networks.config import TransformerConfig
from nst_video.networks.transformer import StyleTransformer
from nst_video.video.sources import VideoFileSource

SIZE = (96, 64)
ENGINES = ("openvino", "openvino-fast", "tensorflow")

Frames = NDArray[np.uint8]


def one_color(*rgb: int) -> Frames:
    return np.full((SIZE[1], SIZE[0], 3), rgb, np.uint8)


def noise(sigma: float, count: int = 1) -> Frames:
    rng = np.random.default_rng(3)
    grays = 128 + rng.normal(0, sigma, (count, SIZE[1], SIZE[0], 3))
    return grays.round().clip(0, 255).astype(np.uint8)


def scene() -> Frames:
    """A picture with edges, shades and fine texture."""
    rows, columns = np.mgrid[: SIZE[1], : SIZE[0]]
    gray = 120 + 80 * np.sin(columns / 9) * np.cos(rows / 7) + 20 * ((rows + columns) % 3)
    return np.stack([gray, gray[::-1], gray[:, ::-1]], -1).clip(0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def arrays() -> checkpoints.Arrays:
    return random_arrays(CONFIG, 1)


@pytest.fixture(scope="module", params=ENGINES)
def engine(request: pytest.FixtureRequest, arrays: checkpoints.Arrays) -> TilingEngine:
    engine = open_engine(request.param, CONFIG, arrays)
    assert isinstance(engine, TilingEngine)
    return engine


COLORS = [(0, 0, 0), (255, 255, 255), (128, 128, 128), (0, 0, 255), (12, 200, 90)]


def test_frames_of_one_color_keep_it(engine: TilingEngine) -> None:
    frames = np.stack([one_color(*color) for color in COLORS])
    painted = engine(frames, random_style(1, 3))
    assert np.abs(painted.astype(int) - frames).max() <= 1


def test_yuv_of_one_color_keep_it(engine: TilingEngine) -> None:
    frames = np.stack([one_color(*color) for color in COLORS])
    painted = engine.submit_yuv(rgb_to_yuv(frames), random_style(1, 3), OUTPUT_COLORS).wait()
    assert np.abs(yuv_to_rgb(painted, OUTPUT_COLORS).astype(int) - frames).max() <= 3


@pytest.mark.parametrize("name", ENGINES)
def test_tiles_of_one_color_keep_it(name: str, arrays: checkpoints.Arrays) -> None:
    frames = np.stack([one_color(*color) for color in COLORS])
    painted = open_engine(name, CONFIG, arrays, tile=16)(frames, random_style(1, 3))
    assert np.abs(painted.astype(int) - frames).max() <= 1


def test_faint_noise_stays_calm(engine: TilingEngine) -> None:
    frames = noise(1.0, 3)
    painted = engine(frames, random_style(1, 4)).astype(int)
    assert painted.std(axis=(1, 2)).max() < 1
    assert np.abs(np.diff(painted, axis=0)).max() <= 2


@pytest.mark.parametrize("name", ["openvino", "tensorflow"])
def test_exact_engine_paints_a_faint_picture_as_the_reference_does(
    name: str, arrays: checkpoints.Arrays
) -> None:
    frame = (128 + (scene().astype(float) - 128) * 0.06).astype(np.uint8)[None]
    style = preserve_flat_frames(random_style(1, 5), frame)
    network = checkpoints.load_transformer(CONFIG, arrays)
    expected = np.asarray(network(frame.astype(np.float32) / 255, style)) * 255
    painted = open_engine(name, CONFIG, arrays)(frame, random_style(1, 5))
    assert 1 < painted.std() < network_contrast(network, frame)
    assert np.abs(painted - expected).max() <= 1


def network_contrast(network: StyleTransformer, frames: Frames) -> float:
    painted = np.asarray(network(frames.astype(np.float32) / 255, random_style(1, 5))) * 255
    return float(painted.std())


def test_pictures_of_usual_contrast_are_left_alone(assets: Path) -> None:
    style = random_style(1, 6)
    names = ("traffic-aac.mp4", "webcam-sign-fullrange.mkv", "odd-161x121.webm", "interlaced.mp4")
    for name in names:
        with VideoFileSource(assets / "videos" / name) as source:
            frame = next(iter(source))
        assert preserve_flat_frames(style, frame[None]) is style, name
    for path in sorted((assets / "photos").glob("*.jpg")):
        photo = np.asarray(cv2.imread(str(path)), np.uint8)
        assert preserve_flat_frames(style, photo[None]) is style, path.name


def test_fine_patterns_and_small_titles_count_as_pictures() -> None:
    style = random_style(1, 7)
    checks = (np.indices((360, 640)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    title = np.zeros((360, 640, 3), np.uint8)
    cv2.putText(title, "A title", (200, 190), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255,) * 3, 2)
    for frame in (checks, title):
        assert preserve_flat_frames(style, frame[None]) is style


def test_a_fade_turns_from_painting_to_color_without_a_jump(arrays: checkpoints.Arrays) -> None:
    steps = np.linspace(0.3, 0, 40)
    frames = np.stack([(scene() * step).round().astype(np.uint8) for step in steps])
    painted = open_engine("openvino", CONFIG, arrays)(frames, random_style(1, 8)).astype(float)
    changes = np.abs(np.diff(painted, axis=0)).mean(axis=(1, 2, 3))
    assert painted[0].std() > 20
    assert painted[-1].max() <= 1
    assert changes.max() < 0.25 * np.abs(painted[0] - painted[-1]).mean()


def test_yuv_are_judged_as_the_frames_that_they_are() -> None:
    style = random_style(1, 9)
    frames = np.stack([(100 + scene() * share).astype(np.uint8) for share in (0.02, 0.05, 0.1)])
    yuv = rgb_to_yuv(frames)
    by_frame = preserve_flat_frames(style, yuv_to_rgb(yuv, OUTPUT_COLORS))
    np.testing.assert_allclose(preserve_flat_frames(style, yuv, OUTPUT_COLORS), by_frame, atol=0.04)


def test_share_of_the_painting_grows_smoothly_with_contrast() -> None:
    shares = [style_share(contrast) for contrast in np.linspace(0, 2 * FULL, 400)]
    assert (style_share(0), style_share(FLAT), style_share(FULL)) == (0, 0, 1)
    assert (np.diff(shares) >= 0).all()
    assert np.diff(shares).max() < 0.01


@pytest.mark.parametrize("shape", [(8, 8), (8, 300), (300, 8), (17, 33), (1, 1)])
def test_frames_of_any_size_are_judged(shape: tuple[int, int]) -> None:
    config = TransformerConfig((4, 6, 8), 1, bottleneck=3)
    style = np.ones((2, config.style_size), np.float32)
    frames = np.full((2, *shape, 3), 51, np.uint8)
    calm = preserve_flat_frames(style, frames)
    np.testing.assert_allclose(calm[:, -3:], np.log(0.2 / 0.8), rtol=1e-4)
    assert (calm[:, : config.style_size // 2 - 3] == 1).all()
