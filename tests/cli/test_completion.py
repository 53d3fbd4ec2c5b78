"""What the shell offers: names of styles, models and so on, without anything heavy."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from nst_video.cli import completion
from nst_video.engines import ENGINES
from nst_video.networks.vgg import SHAPES
from nst_video.style_library.library import StyleLibrary
from nst_video.system import paths

CODE = """
import sys
sys.argv = ["nst-video"]
from nst_video.cli import main
try: main()
except SystemExit: pass
heavy = {"tensorflow", "keras", "cv2", "av", "openvino", "numpy", "PIL", "requests"}
print("heavy:", sorted(heavy & set(sys.modules)))
"""


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("transcode film.mp4 --style wa", ["watercolor", "wave"]),
        ("image photo.jpg -s ow", ["owls"]),
        ("styles show st", ["stained-glass", "starfield", "starry-night"]),
        ("live -m ma", ["magenta-lite", "magenta"]),
        ("transcode film.mp4 --engine openvino-f", ["openvino-fast"]),
        ("image photo.jpg --preset p", ["painterly"]),
        ("transcode film.mp4 --codec v", ["vp9"]),
        ("paint film.mp4 --encoder-preset ve", ["veryfast", "veryslow"]),
        ("transcode film.mp4 --style ./w", []),
    ],
)
def test_shell_is_offered_names_without_anything_heavy(words: str, offered: list[str]) -> None:
    mine = paths.user_styles_dir()
    mine.mkdir(parents=True)
    for name in ("owls.jpg", ".owl.jpg", "owls.toml"):
        (mine / name).touch()
    asked = {
        "_NST_VIDEO_COMPLETE": "complete_bash",
        "COMP_WORDS": f"nst-video {words}",
        "COMP_CWORD": str(len(words.split())),
    }
    done = subprocess.run(
        [sys.executable, "-c", CODE], capture_output=True, text=True, env={**os.environ, **asked}
    )
    assert done.stdout == "\n".join([*(offered or [""]), "heavy: []", ""]), done.stderr


def test_styles_offered_are_those_of_the_library(tmp_path: Path) -> None:
    names = {style.name for style in StyleLibrary().styles()}
    assert set(completion.styles("")) == names
    assert len(names) > 10


def test_names_offered_are_those_there_are() -> None:
    assert set(completion.ENGINE_NAMES) == {"auto", *ENGINES} - {"identity"}
    assert set(completion.model_files("")) >= {"builtin", "vgg19"}
    assert set(SHAPES) == {"builtin", "vgg16", "vgg19"}
