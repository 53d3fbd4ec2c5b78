"""The stylizer on real pictures with the real `magenta-lite`."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video import stylizer as stylizer_module
from nst_video import weights
from nst_video.engines import IdentityEngine
from nst_video.errors import StyleError, UsageError, WeightsError
from nst_video.stylizer import ModelChoice, Stylizer, choose_model

Make = Callable[..., Stylizer]


@pytest.fixture
def make(assets: Path) -> Make:
    def make(*styles: str, **options: object) -> Stylizer:
        paths = [assets / "paintings" / f"{style}.jpg" for style in styles or ("starry-night",)]
        return Stylizer("magenta-lite", paths, models_dir=assets / "models", **options)

    return make


@pytest.fixture
def frame(assets: Path) -> NDArray[np.uint8]:
    photo = cv2.imread(str(assets / "photos" / "golden_gate.jpg"), cv2.IMREAD_COLOR_RGB)
    return cv2.resize(photo, (160, 98), interpolation=cv2.INTER_AREA)


def difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(float) - b).mean())


class RecordingEngine(IdentityEngine):
    """Keeps what it is asked to paint."""

    def __init__(self) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.styles: list[NDArray[np.float32]] = []

    def __call__(self, frames: NDArray[np.uint8], style: NDArray[np.float32]) -> NDArray[np.uint8]:
        self.shapes.append(frames.shape)
        self.styles.append(style)
        return frames.copy()


def record(stylizer: Stylizer) -> RecordingEngine:
    """Replace the engine of a prepared stylizer."""
    stylizer.prepare()
    engine = RecordingEngine()
    stylizer.engine = engine
    return engine


def test_stylizer_paints_one_frame_as_it_paints_a_batch(make: Make, frame: NDArray) -> None:
    stylizer = make()
    one, batch = stylizer(frame), stylizer(np.stack([frame, frame[:, ::-1]]))
    assert one.shape == frame.shape
    assert batch.shape == (2, *frame.shape)
    assert one.dtype == batch.dtype == np.uint8
    assert difference(one, batch[0]) < 0.5
    assert difference(one, frame) > 10


def test_stylizer_paints_each_style_differently(make: Make, frame: NDArray) -> None:
    stylizer = make()
    night = stylizer(frame)
    stylizer.set_style(make("the-scream").styles[0].path)
    assert difference(stylizer(frame), night) > 10


def test_pixel_intensity_0_is_the_input_exactly_and_loads_no_model(
    make: Make, frame: NDArray
) -> None:
    stylizer = make(intensity=0, blend="pixel")
    stylizer.prepare()
    painted = stylizer(frame)
    np.testing.assert_array_equal(painted, frame)
    assert painted is not frame
    assert not {"model", "engine"} & stylizer.__dict__.keys()


def test_pixel_intensity_cross_fades_the_pictures(make: Make, frame: NDArray) -> None:
    full, half = make()(frame), make(intensity=0.5, blend="pixel")(frame)
    assert np.abs(half - (full.astype(float) + frame) / 2).max() <= 1


def test_latent_intensity_goes_from_the_frame_s_own_bottleneck_to_the_style_s(
    make: Make, frame: NDArray
) -> None:
    stylizer = make(intensity=0.25)
    engine = record(stylizer)
    stylizer(frame)
    own, target = stylizer.model.predictor(frame), stylizer.target
    expected = stylizer.model.style_parameters((0.75 * own + 0.25 * target)[None])
    np.testing.assert_allclose(engine.styles[0], expected, atol=1e-4)


def test_latent_intensity_0_stays_nearer_to_the_frame_than_the_style(
    make: Make, frame: NDArray
) -> None:
    assert difference(make(intensity=0)(frame), frame) < 0.6 * difference(make()(frame), frame)


def test_content_bottleneck_is_smoothed_within_a_scene_and_forgotten_on_reset(
    make: Make, frame: NDArray
) -> None:
    stylizer = make(intensity=0)
    engine = record(stylizer)
    brighter = np.clip(frame.astype(int) + 6, 0, 255).astype(np.uint8)
    stylizer(np.stack([frame, brighter]))
    first, second = engine.styles[0]
    stylizer.reset()
    stylizer(brighter)
    fresh = engine.styles[1][0]
    assert np.linalg.norm(second - first) < 0.2 * np.linalg.norm(fresh - first)


def test_content_bottleneck_jumps_at_a_cut(make: Make, frame: NDArray, assets: Path) -> None:
    stylizer = make(intensity=0)
    engine = record(stylizer)
    other = cv2.imread(str(assets / "paintings" / "composition-vii.jpg"), cv2.IMREAD_COLOR_RGB)
    other = cv2.resize(other, frame.shape[1::-1])
    stylizer(np.stack([frame, other]))
    stylizer.reset()
    stylizer(other)
    np.testing.assert_allclose(engine.styles[0][1], engine.styles[1][0], atol=1e-5)


def test_mix_weighs_the_bottlenecks(make: Make) -> None:
    night, scream = make("starry-night").target, make("the-scream").target
    mixed = make("starry-night", "the-scream", mix=[3, 1]).target
    np.testing.assert_allclose(mixed, 0.75 * night + 0.25 * scream, atol=1e-5)
    equal = make("starry-night", "the-scream").target
    np.testing.assert_allclose(equal, (night + scream) / 2, atol=1e-5)


def test_keep_colors_keeps_the_frame_s_chrominance(make: Make, frame: NDArray) -> None:
    def chrominance(picture: NDArray) -> NDArray:
        return cv2.cvtColor(picture, cv2.COLOR_RGB2YCrCb)[..., 1:]

    kept, plain = make(keep_colors=True)(frame), make()(frame)
    assert difference(chrominance(kept), chrominance(frame)) < 4
    assert difference(chrominance(plain), chrominance(frame)) > 8


def test_work_size_bounds_the_network_s_frames_and_keeps_the_result_s_size(
    make: Make, frame: NDArray
) -> None:
    stylizer = make(work_size=49)
    engine = record(stylizer)
    assert stylizer(frame).shape == frame.shape
    assert engine.shapes == [(1, 49, 80, 3)]
    stylizer.look = replace(stylizer.look, work_size=500)
    stylizer(frame)
    assert engine.shapes[1] == (1, *frame.shape)


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((8, 8, 3), np.float32),
        np.zeros((8, 8), np.uint8),
        np.zeros((8, 8, 4), np.uint8),
        np.zeros((1, 1, 8, 8, 3), np.uint8),
    ],
)
def test_stylizer_refuses_what_is_no_frame(make: Make, frames: NDArray) -> None:
    with pytest.raises(UsageError, match=r"RGB uint8 of shape \(height, width, 3\)"):
        make()(frames)


def test_stylizer_refuses_unknown_names_before_any_work(make: Make) -> None:
    with pytest.raises(StyleError, match=r"No style 'starfeild'. Did you mean 'starfield'"):
        Stylizer("magenta-lite", "starfeild")
    with pytest.raises(UsageError, match="mona"):
        Stylizer("mona")
    with pytest.raises(UsageError, match="at least one style"):
        Stylizer("magenta-lite", [])
    with pytest.raises(UsageError, match="3 mix weights for 2 styles"):
        make("starry-night", "the-scream", mix=[1, 2, 3])


@pytest.mark.parametrize(
    ("cached", "device", "expected"),
    [
        ({"magenta", "magenta-lite"}, "GPU:0", "magenta"),
        ({"magenta", "magenta-lite"}, "CPU:0", "magenta-lite"),
        ({"magenta-lite"}, "GPU:0", "magenta-lite"),
        (set(), "GPU:0", "builtin"),
    ],
)
def test_auto_takes_the_best_model_at_hand(
    monkeypatch: pytest.MonkeyPatch, cached: set[str], device: str, expected: str
) -> None:
    monkeypatch.setattr(weights, "is_cached", lambda name, folder: name in cached)
    monkeypatch.setattr(stylizer_module, "has_gpu", lambda: device == "GPU:0")
    choice = choose_model("auto")
    assert choice.name == expected
    assert choice.reason


@pytest.mark.parametrize("model", ["auto", "builtin"])
def test_a_folder_without_models_is_refused_and_no_other_model_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    for folder, message in ((tmp_path / "typo", "No folder"), (tmp_path, "no file of any model")):
        with pytest.raises(WeightsError, match=message):
            Stylizer(model, "wave", models_dir=folder)
        monkeypatch.setenv("NST_VIDEO_MODELS", str(folder))
        with pytest.raises(WeightsError, match=message):
            Stylizer(model, "wave")
        monkeypatch.delenv("NST_VIDEO_MODELS")


def test_a_named_model_is_kept() -> None:
    assert choose_model("magenta-lite") == ModelChoice("magenta-lite", "asked for")
