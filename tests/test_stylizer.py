"""The stylizer on real pictures with the real `magenta-lite`."""

import copy
import pickle
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from nst_video import weights
from nst_video.engines import IdentityEngine, ModelChoice, SecondStyle, choose_model
from nst_video.errors import EngineError, StyleError, UsageError, WeightsError
from nst_video.settings import ModelOptions, StylizeSettings, WorkSize
from nst_video.stylizer import Stylizer

OPENVINO = ModelOptions("builtin", "openvino")

Make = Callable[..., Stylizer]


@pytest.fixture
def make(assets: Path) -> Make:
    def make(*styles: str, mix: Sequence[float] | None = None, **settings: object) -> Stylizer:
        paths = [assets / "paintings" / f"{style}.jpg" for style in styles or ("starry-night",)]
        options = ModelOptions("magenta-lite", models_dir=assets / "models")
        return Stylizer(paths, StylizeSettings(**settings), options, mix=mix)

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

    def __call__(
        self,
        frames: NDArray[np.uint8],
        style: NDArray[np.float32],
        second: SecondStyle | None = None,
    ) -> NDArray[np.uint8]:
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
    one = stylizer(frame)
    stylizer.reset()
    batch = stylizer(np.stack([frame, frame[:, ::-1]]))
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


@pytest.mark.parametrize("blend", ["pixel", "latent"])
def test_intensity_0_is_the_input_exactly_and_loads_no_model(
    make: Make, frame: NDArray, blend: str
) -> None:
    stylizer = make(intensity=0, blend=blend, keep_colors=True, work_size=32)
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
    own, style = stylizer.model.predictor(frame), stylizer.style_vector
    expected = stylizer.model.style_parameters((0.75 * own + 0.25 * style)[None])
    np.testing.assert_allclose(engine.styles[0], expected, atol=1e-4)


def test_latent_intensity_grows_from_the_frame_without_a_jump(frame: NDArray) -> None:
    stylizer = Stylizer("wave", options=OPENVINO)
    painted = []
    for step in range(26):
        stylizer.reset()
        stylizer.settings = StylizeSettings(intensity=step / 100)
        painted.append(stylizer(frame))
    np.testing.assert_array_equal(painted[0], frame)
    changes = [difference(*pair) for pair in pairwise(painted)]
    assert max(changes) < 2.5
    assert difference(painted[-1], frame) > 10


def test_content_bottleneck_is_smoothed_within_a_scene_and_forgotten_on_reset(
    make: Make, frame: NDArray
) -> None:
    stylizer = make(intensity=1e-6)
    engine = record(stylizer)
    brighter = np.clip(frame.astype(int) + 6, 0, 255).astype(np.uint8)
    stylizer(np.stack([frame, brighter]))
    first, second = engine.styles[0]
    stylizer.reset()
    stylizer(brighter)
    fresh = engine.styles[1][0]
    assert np.linalg.norm(second - first) < 0.2 * np.linalg.norm(fresh - first)


def test_content_bottleneck_jumps_at_a_cut(make: Make, frame: NDArray, assets: Path) -> None:
    stylizer = make(intensity=1e-6)
    engine = record(stylizer)
    other = cv2.imread(str(assets / "paintings" / "composition-vii.jpg"), cv2.IMREAD_COLOR_RGB)
    other = cv2.resize(other, frame.shape[1::-1])
    stylizer(np.stack([frame, other]))
    stylizer.reset()
    stylizer(other)
    np.testing.assert_allclose(engine.styles[0][1], engine.styles[1][0], atol=1e-5)


def test_mix_weighs_the_bottlenecks(make: Make) -> None:
    night, scream = make("starry-night").style_vector, make("the-scream").style_vector
    mixed = make("starry-night", "the-scream", mix=[3, 1]).style_vector
    np.testing.assert_allclose(mixed, 0.75 * night + 0.25 * scream, atol=1e-5)
    equal = make("starry-night", "the-scream").style_vector
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
    stylizer.settings = replace(stylizer.settings, work_size=500)
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
        Stylizer("starfeild")
    with pytest.raises(UsageError, match="mona"):
        Stylizer(options=ModelOptions("mona"))
    with pytest.raises(UsageError, match="at least one style"):
        Stylizer([])
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
    monkeypatch.setattr("nst_video.engines.model_choice.has_gpu", lambda: device == "GPU:0")
    choice = choose_model("auto")
    assert choice.name == expected
    assert choice.reason


@pytest.mark.parametrize("model", ["auto", "builtin"])
def test_a_folder_without_models_is_refused_and_no_other_model_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: str
) -> None:
    for folder, message in ((tmp_path / "typo", "No folder"), (tmp_path, "no file of any model")):
        with pytest.raises(WeightsError, match=message):
            Stylizer("wave", options=ModelOptions(model, models_dir=folder))
        monkeypatch.setenv("NST_VIDEO_MODELS", str(folder))
        with pytest.raises(WeightsError, match=message):
            Stylizer("wave", options=ModelOptions(model))
        monkeypatch.delenv("NST_VIDEO_MODELS")


def plain(settings: StylizeSettings | None = None, **arguments: object) -> Stylizer:
    return Stylizer("wave", settings, OPENVINO, **arguments)


@pytest.mark.parametrize("intensity", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("work_size", ["full", 32])
def test_batch_of_none_is_painted(intensity: float, work_size: WorkSize) -> None:
    none = np.zeros((0, 48, 64, 3), np.uint8)
    assert plain(StylizeSettings(intensity, work_size=work_size))(none).shape == none.shape


@pytest.mark.parametrize("shape", [(0, 64, 3), (64, 0, 3), (1, 64, 3), (64, 1, 3), (2, 64, 7, 3)])
@pytest.mark.parametrize("work_size", ["full", 32])
def test_frames_too_small_are_refused(shape: tuple[int, ...], work_size: WorkSize) -> None:
    with pytest.raises(EngineError, match="at least 8 pixels"):
        plain(StylizeSettings(work_size=work_size))(np.zeros(shape, np.uint8))


@pytest.mark.parametrize(
    "frames",
    [
        np.zeros((48, 64), np.uint8),
        np.zeros((48, 64, 1), np.uint8),
        np.zeros((48, 64, 4), np.uint8),
        np.zeros((3, 48, 64), np.uint8),
        np.zeros((1, 1, 48, 64, 3), np.uint8),
        np.zeros((48, 64, 3), np.float32),
        np.zeros((48, 64, 3), np.uint16),
        np.zeros((48, 64, 3), bool),
        np.zeros((), np.uint8),
        np.zeros((48, 64, 3), object),
        [[[0, 0, 0]]],
        "frame",
        None,
    ],
    ids=lambda frames: f"{getattr(frames, 'dtype', frames)} {getattr(frames, 'shape', '')}",
)
@pytest.mark.parametrize("intensity", [0.0, 1.0])
def test_what_is_no_frame_is_refused(frames: object, intensity: float) -> None:
    with pytest.raises(UsageError, match="A frame is"):
        plain(intensity=intensity)(frames)


@pytest.mark.parametrize("engine", ["openvino", "tensorflow"])
@pytest.mark.parametrize(
    "settings", [StylizeSettings(), StylizeSettings(work_size=64, keep_colors=True)], ids=str
)
def test_frames_of_any_memory_layout_are_painted_and_left_alone(
    frame: NDArray, engine: str, settings: StylizeSettings
) -> None:
    stylizer = Stylizer("wave", settings, ModelOptions("builtin", engine))
    expected = stylizer(frame)
    wide = np.repeat(np.repeat(frame, 2, 0), 3, 1)
    fixed = frame.copy()
    fixed.flags.writeable = False
    odd = np.frombuffer(b"x" + frame.tobytes(), np.uint8, offset=1).reshape(frame.shape)
    for other in (wide[::2, ::3], np.asfortranarray(frame), frame[::-1].copy()[::-1], fixed, odd):
        before = other.copy()
        stylizer.reset()
        np.testing.assert_array_equal(stylizer(other), expected)
        np.testing.assert_array_equal(other, before)


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda s: pickle.loads(pickle.dumps(s))]
)
def test_copies_open_an_engine_of_their_own(
    frame: NDArray, duplicate: Callable[[Stylizer], Stylizer]
) -> None:
    alone = StylizeSettings(steady=0)
    stylizer = plain(alone, on_note=lambda note: None, on_fetch=lambda progress: None, fade_s=1.0)
    expected = stylizer(frame)
    twin = duplicate(stylizer)
    assert not {"engine", "model"} & twin.__dict__.keys()
    twin.set_style("neon")
    assert difference(twin(frame), expected) > 10
    stylizer.reset()
    np.testing.assert_array_equal(stylizer(frame), expected)


def test_a_pickled_stylizer_paints_the_same_in_another_process(
    frame: NDArray, tmp_path: Path
) -> None:
    stylizer = plain(mix=[1])
    np.save(tmp_path / "frame.npy", frame)
    (tmp_path / "stylizer.pickle").write_bytes(pickle.dumps(stylizer))
    script = """
import pickle, sys
from pathlib import Path
import numpy as np
folder = Path(sys.argv[1])
stylizer = pickle.loads((folder / "stylizer.pickle").read_bytes())
np.save(folder / "painted.npy", stylizer(np.load(folder / "frame.npy")))
"""
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=True)
    np.testing.assert_array_equal(np.load(tmp_path / "painted.npy"), stylizer(frame))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"intensity": float("nan")}, "The intensity must be"),
        ({"fade_s": float("inf")}, "The fade must be"),
        ({"fade_s": -1}, "The fade must be"),
        ({"mix": [float("nan")]}, "Each weight of the mix must be"),
        ({"mix": ["a"]}, "Each weight of the mix must be"),
        ({"mix": [1, 2]}, "2 mix weights for 1 styles"),
        ({"mix": 0.5}, "The mix must be a sequence of weights, not 0.5"),
        ({"style": 5}, "A style is a name or the path of a picture, not 5"),
        ({"style": ["wave", None]}, "A style is a name or the path of a picture, not None"),
        ({"settings": {"intensity": 1}}, "The settings must be a StylizeSettings, not "),
        ({"options": "builtin"}, "The options must be a ModelOptions, not 'builtin'"),
        ({"options": ModelOptions(engine="abacus")}, "No engine 'abacus'"),
    ],
    ids=str,
)
def test_arguments_out_of_range_are_refused_at_once(arguments: dict, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Stylizer(**{"style": "wave", "options": OPENVINO, **arguments})


def test_intensity_replaces_that_of_the_settings() -> None:
    stylizer = Stylizer("wave", StylizeSettings(keep_colors=True), OPENVINO, intensity=0.5)
    assert stylizer.settings == StylizeSettings(0.5, keep_colors=True)


def test_a_named_model_is_kept() -> None:
    assert choose_model("magenta-lite") == ModelChoice("magenta-lite", "asked for")
