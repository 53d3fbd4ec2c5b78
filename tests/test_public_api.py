"""The front door: what `from nst_video import ...` offers, what it loads, and what it takes."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

import nst_video
from nst_video import (
    ModelOptions,
    PaintSettings,
    StyleError,
    Stylizer,
    StylizeSettings,
    TranscodeOptions,
    UsageError,
    VideoSettings,
    paint_image,
    paint_video,
    run_live,
    stylize_image,
    stylize_video,
)
from nst_video.errors import NstVideoError
from nst_video.image.synthetic import draw

HEAVY = [
    "tensorflow",
    "keras",
    "openvino",
    "ai_edge_litert",
    "cv2",
    "numpy",
    "av",
    "PIL",
    "scipy",
    "numba",
    "llvmlite",
    "scenedetect",
    "rich",
    "typer",
    "requests",
]

NAMES = [
    "DownloadError",
    "EngineError",
    "HashMismatchError",
    "LiveOptions",
    "LiveResult",
    "MissingExtraError",
    "ModelMissingError",
    "ModelOptions",
    "NstVideoError",
    "OutOfMemoryError",
    "PaintSettings",
    "Progress",
    "RefineResult",
    "RefineSettings",
    "RefineStep",
    "Regions",
    "ScoreReport",
    "SinkError",
    "SourceError",
    "SourceScore",
    "Style",
    "StyleError",
    "StyleLibrary",
    "StylizeSettings",
    "Stylizer",
    "TranscodeOptions",
    "TranscodeResult",
    "UsageError",
    "VideoScore",
    "VideoSettings",
    "WeightsError",
    "WorkerOptions",
    "__version__",
    "paint_image",
    "paint_video",
    "refine_style",
    "run_live",
    "score",
    "stylize_image",
    "stylize_video",
    "stylize_videos",
]


def loaded_by(code: str, *arguments: str) -> set[str]:
    """Return which of `HEAVY` are loaded after `code` has run in a new process."""
    code += f"\nimport json, sys\nprint(json.dumps([m for m in {HEAVY} if m in sys.modules]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], check=True, capture_output=True, text=True
    )
    return set(json.loads(done.stdout.splitlines()[-1]))


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    Image.fromarray(draw((96, 64), 0.5)).save(path)
    return path


def test_public_names_are_these() -> None:
    assert sorted(nst_video.__all__) == NAMES
    assert dir(nst_video) == NAMES
    for name in NAMES:
        assert getattr(nst_video, name) is not None


def test_every_error_is_public() -> None:
    def below(kind: type) -> set[str]:
        return {kind.__name__}.union(*(below(each) for each in kind.__subclasses__()))

    raised = {n for n in below(NstVideoError) if n in dir(nst_video.errors)}
    assert raised <= set(NAMES)


def test_type_checkers_are_told_of_the_modules_that_names_are_loaded_from() -> None:
    tree = ast.parse(Path(nst_video.__file__).read_text("utf-8"))
    block = next(
        node
        for node in tree.body
        if isinstance(node, ast.If) and not isinstance(node.test, ast.UnaryOp)
    )
    told = {
        alias.name: line.module.removeprefix("nst_video.")
        for line in block.body
        if isinstance(line, ast.ImportFrom)
        for alias in line.names
    }
    for name, module in told.items():
        home = importlib.import_module(f"nst_video.{module}")
        assert getattr(nst_video, name) is getattr(home, name)
    errors = {name for name in NAMES if name.endswith("Error")}
    assert told.keys() | errors | {"__version__"} == set(NAMES)


def test_unknown_name_is_no_attribute() -> None:
    with pytest.raises(AttributeError, match="no attribute 'stylise_image'"):
        nst_video.stylise_image  # noqa: B018


def test_importing_the_package_loads_nothing_heavy() -> None:
    assert loaded_by("import nst_video; nst_video.StyleError, nst_video.__version__") == set()
    assert loaded_by("from nst_video import ModelOptions, StylizeSettings") == set()


@pytest.mark.parametrize("style", ["wave", "a picture"])
def test_first_picture_on_a_cpu_is_painted_without_tensorflow(
    photo: Path, tmp_path: Path, style: str
) -> None:
    if style == "a picture":
        style = str(tmp_path / "style.png")
        Image.fromarray(draw((300, 280), 2.5)[::-1]).save(style)
    code = """
import sys
from nst_video import ModelOptions, Stylizer, stylize_image
photo, style = sys.argv[1:]
stylizer = Stylizer(style, options=ModelOptions("builtin"), intensity=0.6)
stylize_image(photo, stylizer)
"""
    loaded = loaded_by(code, str(photo), style)
    assert "openvino" in loaded
    assert not {"tensorflow", "keras", "ai_edge_litert", "av", "scipy", "numba"} & loaded


def test_image_command_on_a_cpu_does_not_load_tensorflow(photo: Path, tmp_path: Path) -> None:
    code = """
import sys
from nst_video.cli import main
try:
    main()
except SystemExit as end:
    assert not end.code, end.code
"""
    target = tmp_path / "painted.png"
    arguments = ["image", str(photo), "-s", str(photo), "-o", str(target), "--model", "builtin"]
    loaded = loaded_by(code, *arguments)
    assert target.exists()
    assert not {"tensorflow", "keras", "ai_edge_litert"} & loaded


def test_a_picture_is_taken_as_path_image_or_array(photo: Path) -> None:
    stylizer = Stylizer("wave", options=ModelOptions("builtin", "openvino"))
    frame = draw((96, 64), 0.5)
    image = Image.fromarray(frame)
    transparent = image.convert("RGBA")
    expected = stylizer(frame)
    for picture in (photo, str(photo), frame, image, transparent):
        painted = stylize_image(picture, stylizer)
        assert isinstance(painted, Image.Image)
        assert (painted.mode, painted.size) == ("RGB", image.size)
        np.testing.assert_array_equal(np.asarray(painted), expected)
    gray = stylize_image(image.convert("L"), stylizer)
    assert gray.size == image.size


def test_a_photo_from_a_phone_is_painted_upright(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    path = tmp_path / "phone.jpg"
    Image.fromarray(draw((96, 64), 0.5)).save(path, exif=exif)
    with Image.open(path) as image:
        assert stylize_image(image, "wave", intensity=0).size == (64, 96)
    assert stylize_image(path, "wave", intensity=0).size == (64, 96)


def test_settings_and_intensity_reach_the_painting(photo: Path) -> None:
    original = np.asarray(Image.open(photo))
    np.testing.assert_array_equal(np.asarray(stylize_image(photo, "wave", intensity=0)), original)
    settings = StylizeSettings(intensity=0)
    np.testing.assert_array_equal(np.asarray(stylize_image(photo, "wave", settings)), original)


def test_stylize_video_keeps_size_and_length(tmp_path: Path) -> None:
    target, seen = tmp_path / "painted.mkv", []
    options = TranscodeOptions(end_s=0.2, size=(96, 64), preset="ultrafast")
    done = stylize_video("demo:", "wave", target, options=options, on_progress=seen.append)
    assert done.target == target
    assert target.stat().st_size > 0
    assert done.info.size == (96, 64)
    assert seen[-1].frame == done.info.frame_count


def test_paint_video_keeps_size_and_length(tmp_path: Path) -> None:
    target, seen = tmp_path / "painted.mkv", []
    done = paint_video(
        "demo:",
        ["wave", "mosaic"],
        target,
        PaintSettings(steps=1, scales=1),
        mix=[0.5, 0.5],
        video_settings=VideoSettings(keyframe_interval=1, next_steps=1),
        options=TranscodeOptions(end_s=0.1, size=(64, 48), preset="ultrafast"),
        on_keyframe=seen.append,
    )
    assert not list(tmp_path.glob("*keyframes*"))
    assert (done.info.size, done.info.frame_count) == ((64, 48), 2)
    assert seen


def test_run_live_takes_the_name_of_a_style() -> None:
    from nst_video import LiveOptions

    done = run_live("demo:", "wave", ["null:"], options=LiveOptions(duration_s=0.5))
    assert done.shown > 0


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: stylize_image(5), "A picture is a path, a PIL image or an array, not 5"),
        (lambda: stylize_image(np.zeros((8, 8), np.uint8)), "RGB uint8 of shape"),
        (lambda: stylize_image(np.zeros((2, 9, 9, 3), np.uint8)), "RGB uint8 of shape"),
        (lambda: stylize_image(draw((64, 48), 0), 5), "A style is a name or the path"),
        (
            lambda: stylize_image(draw((64, 48), 0), Stylizer("wave"), intensity=0.5),
            "A Stylizer has its own settings",
        ),
        (lambda: stylize_video(5, "wave", "out.mp4"), "A source is the path of a video file"),
        (lambda: stylize_video("in.mp4", "wave", None), "A target is the path of a video file"),
        (lambda: run_live("demo:", 5, ["null:"]), "A style is a name or the path"),
        (lambda: paint_image(draw((64, 48), 0), "wave", mix=0.5), "The mix must be a sequence"),
        (lambda: paint_image(draw((64, 48), 0), "wave", 5), "The settings must be a PaintSettings"),
    ],
)
def test_wrong_types_are_usage_errors(call, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()


def test_unknown_style_is_told_before_anything_is_loaded(photo: Path) -> None:
    with pytest.raises(StyleError, match="Did you mean 'wave'"):
        stylize_image(photo, "wvae")
