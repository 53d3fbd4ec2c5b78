"""The bottlenecks that are packaged must be those of the packaged styles and predictors."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from nst_video import weights
from nst_video.networks.models import StyleModel, load_model
from nst_video.style_library.bottlenecks import Bottleneck
from nst_video.style_library.library import StyleLibrary


class Counting:
    """A predictor that counts how often it is asked."""

    def __init__(self, model: StyleModel) -> None:
        self.key = model.predictor.key
        self.calls = 0
        self._predict = model.predictor

    def __call__(self, picture: np.ndarray) -> Bottleneck:
        self.calls += 1
        return self._predict(picture)


def check(model: StyleModel) -> None:
    """Every packaged style is known without a prediction, and three are predicted to compare."""
    library, predictor = StyleLibrary(), Counting(model)
    known = {style.name: library.bottleneck(style, predictor) for style in library.styles()}
    assert len(known) >= 16
    assert predictor.calls == 0, "run `python tools/styles/bottlenecks.py MODELS_DIR`"
    for name in ("starfield", "wave", "woodcut"):
        fresh = model.predictor(library.get(name).load())
        np.testing.assert_allclose(known[name], fresh, atol=0.02 * np.abs(fresh).max())


def test_builtin_bottlenecks_are_packaged() -> None:
    check(load_model("builtin", weights.resolve("builtin")))


def test_magenta_lite_bottlenecks_are_packaged(lite_files: Mapping[str, Path]) -> None:
    check(load_model("magenta-lite", lite_files))


def test_magenta_lite_bottlenecks_serve_the_task_library_s_copy_too(
    assets: Path, lite_files: Mapping[str, Path]
) -> None:
    (other,) = (assets / "models" / "magenta-lite").glob("*int8_prediction*.tflite")
    model = load_model("magenta-lite", {**lite_files, "predictor": other})
    predictor = Counting(model)
    StyleLibrary().bottleneck(StyleLibrary().get("wave"), predictor)
    assert predictor.calls == 0


@pytest.mark.parametrize("name", ["starfield", "wave"])
def test_bottlenecks_of_different_styles_differ(name: str) -> None:
    model = load_model("builtin", weights.resolve("builtin"))
    library = StyleLibrary()
    mine, other = (library.bottleneck(library.get(x), model.predictor) for x in (name, "kilim"))
    assert np.linalg.norm(mine - other) > 0.2 * np.linalg.norm(mine)
