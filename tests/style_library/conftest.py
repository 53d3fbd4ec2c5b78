"""A library of three styles."""

import pytest
from style_samples import paint

from nst_video.style_library.library import StyleLibrary


@pytest.fixture
def packaged(tmp_path):
    folder = tmp_path / "packaged"
    for seed, name in enumerate(("wave", "stained-glass", "autumn")):
        paint(folder / f"{name}.png", seed)
    (folder / "styles.toml").write_text(
        '[wave]\ntitle = "The Wave"\ndescription = "Foam."\nlicense = "CC0-1.0"\n'
        '[stained-glass]\ntitle = "Glass"\n',
        encoding="utf-8",
    )
    (folder / "paint.py").write_text("")
    return folder


@pytest.fixture
def library(packaged):
    return StyleLibrary(packaged)
