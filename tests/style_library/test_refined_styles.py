"""Refined style parameters: kept with a style, and painted with wherever it is named."""

import numpy as np
import pytest

from nst_video.errors import StyleError
from nst_video.image.files import save_picture
from nst_video.settings import ModelOptions
from nst_video.style_library.library import StyleLibrary
from nst_video.style_library.masters import masters_dir, package_master
from nst_video.style_library.refined_styles import package_refined
from nst_video.stylizer import Stylizer

KEY = "toy-1a2b"


@pytest.fixture
def library(tmp_path):
    rng = np.random.default_rng(0)
    for name in ("wave", "mosaic"):
        picture = rng.integers(0, 256, (24, 32, 3), np.uint8)
        save_picture(tmp_path / "packaged" / f"{name}.png", picture)
    return StyleLibrary(tmp_path / "packaged")


def vector(seed, size=6):
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def test_refined_parameters_are_found_by_name_and_by_the_path_of_the_same_picture(library):
    style = library.get("wave")
    path = library.keep_refined(style, KEY, vector(0))
    assert path.parent == library.user_dir
    copy = path.with_name("copy.png")
    copy.write_bytes(style.path.read_bytes())
    for name in ("wave", style.path, copy):
        found = StyleLibrary(library.packaged_dir).refined(library.get(name), KEY)
        assert np.array_equal(found, vector(0))
    assert library.refined(library.get("mosaic"), KEY) is None
    assert library.refined(style, "other-1a2b") is None
    assert [library.is_refined(library.get(name)) for name in ("wave", "mosaic")] == [True, False]


def test_packaged_parameters_belong_to_the_picture_until_the_user_refines_it_again(library):
    wave, mosaic = (library.get(name) for name in ("wave", "mosaic"))
    for style, key, seed in ((wave, KEY, 0), (wave, "b-2", 1), (mosaic, KEY, 2)):
        package_refined(library.packaged_dir, style.digest, {key: vector(seed)})
    copy = library.add(wave.path, "copy")
    for style, key, seed in ((wave, KEY, 0), (copy, KEY, 0), (wave, "b-2", 1), (mosaic, KEY, 2)):
        np.testing.assert_allclose(library.refined(style, key), vector(seed), rtol=1e-3)
    assert library.refined(mosaic, "b-2") is None
    assert not library.is_refined(wave)
    library.keep_refined(wave, KEY, vector(3))
    assert np.array_equal(library.refined(wave, KEY), vector(3))
    library.forget_refined(wave)
    np.testing.assert_allclose(library.refined(wave, KEY), vector(0), rtol=1e-3)


def test_another_network_s_parameters_are_kept_beside(library):
    style = library.get("wave")
    paths = {library.keep_refined(style, key, vector(n)) for n, key in enumerate((KEY, "b-2", KEY))}
    assert len(paths) == 1
    assert np.array_equal(library.refined(style, KEY), vector(2))
    assert np.array_equal(library.refined(style, "b-2"), vector(1))


def test_a_changed_picture_is_no_longer_refined(library):
    path = library.get("wave").path
    added = library.add(path, "mine")
    library.keep_refined(added, KEY, vector(0))
    save_picture(added.path, np.zeros((24, 32, 3), np.uint8), overwrite=True)
    assert library.refined(library.get("mine"), KEY) is None


def test_refined_parameters_go_with_their_style(library):
    added = library.add(library.get("wave").path, "mine")
    library.keep_refined(added, KEY, vector(0))
    library.remove("mine")
    assert list(library.user_dir.iterdir()) == []
    wave = library.get("wave")
    library.keep_refined(wave, KEY, vector(0))
    assert library.forget_refined(wave)
    assert not library.forget_refined(wave)
    assert library.refined(wave, KEY) is None


@pytest.mark.parametrize("damage", [b"", b"PK\3\4", b"\0" * 2_000_000])
def test_a_damaged_file_counts_as_none(library, damage):
    style = library.get("wave")
    path = library.keep_refined(style, KEY, vector(0))
    path.write_bytes(damage)
    assert library.refined(style, KEY) is None
    assert library.keep_refined(style, KEY, vector(1)) == path
    assert np.array_equal(library.refined(style, KEY), vector(1))


def test_numbers_that_are_not_finite_or_no_vector_count_as_none(library):
    style = library.get("wave")
    path = library.keep_refined(style, KEY, np.full(6, np.nan, np.float32))
    assert library.refined(style, KEY) is None
    np.savez(path, **{KEY: np.zeros((2, 3), np.float32)})
    assert library.refined(style, KEY) is None


def test_a_folder_that_cannot_be_written_is_an_error(library, tmp_path):
    (tmp_path / "file").touch()
    blocked = StyleLibrary(library.packaged_dir, user_dir=tmp_path / "file")
    with pytest.raises(StyleError, match="Cannot write"):
        blocked.keep_refined(blocked.get("wave"), KEY, vector(0))


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def make():
    def make(*styles, mix=None, **options):
        return Stylizer(styles, options=ModelOptions("builtin", "identity"), mix=mix, **options)

    return make


def refine(stylizer, name, shift=0.5):
    """Keep, for a packaged style, its own predicted parameters plus `shift`."""
    library, model = stylizer.library, stylizer.model
    style = library.get(name)
    predicted = model.style_parameters(library.bottleneck(style, model.predictor)[None])[0]
    library.keep_refined(style, model.transformer_key, predicted + np.float32(shift))
    return predicted


def painted_with(stylizer):
    frame = np.zeros((1, 16, 16, 3), np.uint8)
    return stylizer._mixer.parameters(stylizer.model, frame, stylizer.settings)[0]


def test_stylizer_paints_with_refined_parameters_once_there_are_some(make):
    stylizer = make("wave")
    predicted = refine(stylizer, "wave")
    assert np.array_equal(painted_with(stylizer), predicted + np.float32(0.5))
    stylizer.library.forget_refined(stylizer.library.get("wave"))
    assert np.array_equal(painted_with(make("wave")), predicted)


def test_refined_and_predicted_styles_mix_in_style_parameters(make):
    wave = refine(make("wave"), "wave")
    mosaic = painted_with(make("mosaic"))
    mixed = painted_with(make("wave", "mosaic", mix=[3, 1]))
    assert np.allclose(mixed, 0.75 * (wave + 0.5) + 0.25 * mosaic, atol=1e-5)


def test_intensity_goes_from_the_frame_s_own_parameters_to_refined_ones(make):
    wave = refine(make("wave"), "wave")
    stylizer = make("wave", intensity=0.25)
    own = stylizer.model.predictor(np.zeros((16, 16, 3), np.uint8))
    expected = 0.75 * stylizer.model.style_parameters(own[None])[0] + 0.25 * (wave + 0.5)
    assert np.allclose(painted_with(stylizer), expected, atol=1e-5)


def test_fades_go_from_predicted_to_refined_styles_and_back(make):
    wave = refine(make("wave"), "wave")
    clock = Clock()
    stylizer = make("mosaic", fade_s=1.0, clock=clock)
    mosaic = painted_with(stylizer)
    stylizer.set_style("wave")
    painted_with(stylizer)
    clock.now_s = 0.5
    halfway = (mosaic + wave + 0.5) / 2
    assert np.allclose(painted_with(stylizer), halfway, atol=1e-4)
    stylizer.set_style("mosaic")
    assert np.allclose(painted_with(stylizer), halfway, atol=1e-4)
    clock.now_s = 2.0
    assert not stylizer.is_fading
    assert np.array_equal(painted_with(stylizer), mosaic)


def test_without_refined_styles_everything_stays_in_bottlenecks(make):
    stylizer = make("wave", "woodcut", mix=[1, 2])
    assert stylizer.style_vector.shape == (stylizer.model.config.bottleneck,)


def test_a_master_is_painted_with_the_numbers_of_the_package(library):
    folder = masters_dir(library.packaged_dir)
    save_picture(folder / "night.png", np.full((24, 32, 3), 9, np.uint8))
    facts = 'title = "Night"\npainter = "A. Painter"\nyear = "1889"\nlicense = "CC0-1.0"\n'
    (folder / "styles.toml").write_text(f"[night]\n{facts}")
    package_master(folder, "night", KEY, vector(0))
    package_master(folder, "night", "other-1a2b", vector(1))
    package_master(folder, "dawn", KEY, vector(2))
    night = library.get("night")
    assert (night.origin, night.artist) == ("master", "A. Painter, 1889")
    assert [style.name for style in library.styles()] == ["mosaic", "wave", "night"]
    assert library.get("master/night") == night
    assert np.allclose(library.refined(night, KEY), vector(0), atol=2e-3)
    assert np.allclose(library.refined(night, "other-1a2b"), vector(1), atol=2e-3)
    assert library.refined(night, "third-1a2b") is None
    with pytest.raises(StyleError, match="cannot be refined"):
        library.adopt("night")
    with pytest.raises(StyleError, match="packaged style"):
        library.remove("night")
