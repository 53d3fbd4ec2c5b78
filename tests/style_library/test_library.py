import os
import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from style_samples import Predictor, paint

from nst_video.errors import SourceError, StyleError, UsageError
from nst_video.live.loader_thread import selectable_styles
from nst_video.live.state import LiveState, RenderRequest
from nst_video.settings import StylizeSettings
from nst_video.style_library.bottlenecks import mix_bottlenecks
from nst_video.style_library.library import StyleLibrary, packaged_styles_dir, slug_of


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


def test_styles_come_in_the_order_of_the_metadata(library):
    assert [style.name for style in library.styles()] == ["wave", "stained-glass", "autumn"]


def test_get_knows_what_the_metadata_says(library, packaged):
    style = library.get("wave")
    assert (style.title, style.description, style.license) == ("The Wave", "Foam.", "CC0-1.0")
    assert (style.origin, style.path) == ("packaged", packaged / "wave.png")
    assert library.get("autumn").title == "Autumn"


def test_get_takes_any_picture_by_path(library, tmp_path, monkeypatch):
    path = paint(tmp_path / "My Own.png")
    style = library.get(path)
    assert (style.name, style.origin, style.path) == (str(path), "file", path)
    assert style.title == "My Own.png"
    assert style.load().shape == (24, 32, 3)
    monkeypatch.chdir(tmp_path)
    assert library.get("My Own.png").digest == style.digest


def test_get_prefers_a_style_to_a_file_of_its_name(library, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paint(tmp_path / "x.png").rename(tmp_path / "wave")
    assert library.get("wave").origin == "packaged"


def test_get_suggests_the_nearest_name(library):
    with pytest.raises(StyleError, match=r"^No style 'wvae'. Did you mean 'wave'\? .*styles list"):
        library.get("wvae")
    with pytest.raises(StyleError) as caught:
        library.get("zzzzzz")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("missing.jpg", "there is no such file"),
        ("folder/missing", "there is no such file"),
        ("", "the name is empty"),
        ("a" * 300, "the name is longer than the file system allows"),
        ("~nosuchuser/picture.jpg", "there is no such file"),
        ("~nosuchuser", "there is no such file"),
        ("a\0b.png", "the name holds a null character"),
        ("https://example.org/a.jpg", "it is an address"),
        ("/dev/zero", "it is a device or pipe"),
    ],
)
def test_get_says_why_a_picture_cannot_be_had(library, name, reason):
    with pytest.raises(StyleError, match=f"^No style picture .*: {reason}") as caught:
        library.get(name)
    assert "\n" not in str(caught.value)


def test_get_resolves_the_home_folder(library, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    paint(tmp_path / "mine.png")
    assert library.get("~/mine.png").path == tmp_path / "mine.png"


def test_get_refuses_a_folder(library, tmp_path):
    with pytest.raises(StyleError, match="is a folder"):
        library.get(tmp_path)


def test_library_without_any_folder_is_empty(tmp_path):
    assert StyleLibrary(tmp_path / "none").styles() == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"[wave", r"styles\.toml is ignored"),
        (b"x = " + b"[" * 5000, "nested too deeply"),
        (b"\xff\xfe", "not UTF-8"),
        (b"x = " + b"9" * 5000, r"styles\.toml is ignored"),
        (b"a = 1\n" * (1 << 18), "too large"),
        (b"wave = 3", "says of 'wave' is ignored"),
        (b"[wave]\ntitle = ['a', {b = 1}]", "title of 'wave' is ignored"),
        (b"[wave.title]\na = 1", "title of 'wave' is ignored"),
    ],
    ids=["broken", "nested", "not text", "number", "large", "no table", "list", "nested table"],
)
@pytest.mark.parametrize("whose", ["packaged", "yours"])
def test_metadata_that_is_broken_is_left_out_with_a_note(library, packaged, whose, text, reason):
    folder = packaged
    if whose == "yours":
        folder = library.user_dir
        paint(folder / "wave.png")
    (folder / "styles.toml").write_bytes(text)
    found = library.read()
    assert re.search(reason, found.notes[0])
    assert len(found.notes) == 1
    assert [style.title for style in found.styles if style.path.parent == folder].count("Wave") == 1


def test_facts_of_a_style_that_are_broken_are_left_out_with_a_note(library):
    for name in ("one", "two", "three"):
        paint(library.user_dir / f"{name}.png")
    (library.user_dir / "one.toml").write_text("title = [")
    (library.user_dir / "two.toml").mkdir()
    (library.user_dir / "three.toml").write_text('title = "Third"\n[nested]\nx = 1\n')
    found = library.read()
    assert [style.title for style in found.styles[-3:]] == ["One", "Third", "Two"]
    assert [note.split("/")[-1].split(" is")[0] for note in found.notes] == ["one.toml", "two.toml"]


def test_pictures_that_are_no_files_are_left_out_with_a_note(library):
    paint(library.user_dir / "good.png")
    (library.user_dir / "folder.png").mkdir()
    (library.user_dir / "link.png").symlink_to("nowhere.png")
    os.mkfifo(library.user_dir / "pipe.png")
    found = library.read()
    assert found.styles[-1].name == "good"
    assert sorted(note.split("/")[-1] for note in found.notes) == [
        "folder.png is left out: it is a folder.",
        "link.png is left out: it is a link to a file that does not exist.",
        "pipe.png is left out: it is a device or pipe, not a file.",
    ]


def test_styles_folder_that_is_a_file_costs_only_its_styles(library):
    library.user_dir.parent.mkdir(parents=True)
    library.user_dir.write_text("a file")
    found = library.read()
    assert len(found.styles) == 3
    assert "it is a file, not a folder" in found.notes[0]
    with pytest.raises(StyleError, match=r"No style 'mine'.*it is a file, not a folder"):
        library.get("mine")


def test_packaged_styles_are_those_of_the_checkout_or_the_wheel(tmp_path, monkeypatch):
    assert packaged_styles_dir().name in ("styles", "_styles")
    package = tmp_path / "nst_video"
    monkeypatch.setattr("nst_video.system.paths.__file__", str(package / "system" / "paths.py"))
    assert packaged_styles_dir() == tmp_path / "styles"
    (package / "_styles").mkdir(parents=True)
    assert packaged_styles_dir() == package / "_styles"


def test_add_copies_the_picture_under_a_name(library, tmp_path):
    source = paint(tmp_path / "Mein Bild (2).PNG")
    style = library.add(source, title='Say "hi" \\ 絵\n\x7f', description="Mine.")
    source.unlink()
    assert (style.name, style.origin) == ("mein-bild-2", "yours")
    assert (style.title, style.description) == ('Say "hi" \\ 絵 ', "Mine.")
    assert library.get("mein-bild-2").load().shape == (24, 32, 3)
    assert style in library.styles()


def test_add_resolves_the_home_folder(library, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    paint(tmp_path / "mine.png")
    assert library.add(Path("~/mine.png")).name == "mine"


def test_add_makes_a_title_of_the_name(library, tmp_path):
    assert library.add(paint(tmp_path / "red_sea.png")).title == "Red sea"


def test_add_refuses_names_that_are_taken(library, tmp_path):
    source = paint(tmp_path / "wave.png")
    with pytest.raises(StyleError, match="packaged style"):
        library.add(source)
    library.add(source, "mine")
    with pytest.raises(StyleError, match="already"):
        library.add(source, "mine")
    other = paint(tmp_path / "other.jpg", seed=5)
    second = library.add(other, "mine", overwrite=True)
    assert second.path.read_bytes() == other.read_bytes()
    assert sorted(path.name for path in library.user_dir.iterdir()) == ["mine.jpg", "mine.toml"]


def test_add_refuses_what_is_no_picture(library, tmp_path):
    (tmp_path / "text.png").write_text("text")
    with pytest.raises(SourceError, match="not a picture"):
        library.add(tmp_path / "text.png")
    assert not library.user_dir.exists()


def test_add_gives_a_picture_without_ending_one(library, tmp_path):
    source = paint(tmp_path / "p.png").rename(tmp_path / "download")
    assert library.add(source).load().shape == (24, 32, 3)


def test_add_says_when_the_folder_cannot_be_written(library, tmp_path):
    library.user_dir.parent.mkdir(parents=True)
    library.user_dir.write_text("a file where the folder should be")
    with pytest.raises(StyleError, match="Cannot write to"):
        library.add(paint(tmp_path / "mine.png"))


def test_remove_deletes_only_the_users_styles(library, tmp_path):
    library.add(paint(tmp_path / "mine.png"))
    assert library.remove("mine").name == "mine"
    assert list(library.user_dir.iterdir()) == []
    with pytest.raises(StyleError, match="only your own"):
        library.remove("wave")
    with pytest.raises(StyleError, match=r"No style 'mine'"):
        library.remove("mine")


def test_both_styles_of_one_name_can_be_reached(library, packaged):
    yours = paint(library.user_dir / "wave.png", seed=7)
    names = [style.name for style in library.styles()]
    assert names == ["packaged/wave", "stained-glass", "autumn", "wave"]
    assert library.get("wave").path == library.get("yours/wave").path == yours
    assert library.get("packaged/wave").path == packaged / "wave.png"
    assert library.get("packaged/autumn").name == "autumn"
    for name in names:
        assert library.get(name).name == name
    assert library.remove("yours/wave").path == yours
    assert library.get("wave").path == packaged / "wave.png"


def test_both_pictures_of_one_stem_can_be_reached(library):
    jpg, png = paint(library.user_dir / "photo.jpg"), paint(library.user_dir / "photo.png", seed=1)
    (library.user_dir / "photo.toml").write_text('title = "Both"')
    assert [style.name for style in library.styles()][-2:] == ["photo", "yours/photo.png"]
    assert library.get("photo").path == library.get("yours/photo.jpg").path == jpg
    assert library.get("yours/photo.png").path == png
    assert library.remove("photo").path == jpg
    assert (library.get("photo").path, library.get("photo").title) == (png, "Both")


def test_live_keys_reach_every_style_of_one_name(library, tmp_path):
    paint(library.user_dir / "wave.png", seed=7)
    files = [library.get(paint(tmp_path / name / "wave.jpg")) for name in ("a", "b")]
    styles = selectable_styles(SimpleNamespace(library=library, styles=files))
    assert [style.path.stem for style in styles].count("wave") == 4
    state = LiveState(RenderRequest(None, StylizeSettings()), styles, clock=lambda: 0.0)
    for state.current, style in enumerate(styles):
        state.select()
        state.set_styles(styles)
        assert styles[state.current] is style


def test_label_tells_namesakes_apart(library, tmp_path):
    paths = [paint(tmp_path / folder / "wave.jpg") for folder in ("a", "b")]
    alone = paint(tmp_path / "alone.jpg")
    assert library.file_stem(["wave"]) == "wave"
    assert library.file_stem(["wave", "autumn"]) == "wave-autumn"
    assert library.file_stem([alone]) == "alone"
    assert library.file_stem([paths[0]]) == "a-wave"
    assert library.file_stem([*paths, "wave"]) == "a-wave-b-wave-wave"
    paint(library.user_dir / "wave.png", seed=7)
    assert library.file_stem(["packaged/wave", "wave"]) == "packaged-wave-wave"
    with pytest.raises(StyleError, match="No style 'wvae'"):
        library.file_stem(["wvae"])


@pytest.mark.parametrize(
    ("text", "slug"), [("Große  Welle!", "große-welle"), ("a_b", "a-b"), ("--X--", "x")]
)
def test_slug_is_easy_to_type(text, slug):
    assert slug_of(text) == slug


def test_slug_of_nothing_is_refused():
    with pytest.raises(StyleError, match="No name"):
        slug_of("?!")


def test_mix_is_the_weighted_mean():
    bottlenecks = np.array([[1, 0], [0, 1]], np.float32)
    mixed = mix_bottlenecks(bottlenecks, [7, 3])
    assert mixed.dtype == np.float32
    assert np.allclose(mixed, [0.7, 0.3])


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=6), st.floats(0.1, 10))
def test_mix_does_not_depend_on_the_scale_of_the_weights(weights, scale):
    rng = np.random.default_rng(0)
    bottlenecks = rng.normal(size=(len(weights), 5)).astype(np.float32)
    mixed = mix_bottlenecks(bottlenecks, weights)
    assert np.allclose(mixed, mix_bottlenecks(bottlenecks, [w * scale for w in weights]), atol=1e-5)
    assert (mixed <= bottlenecks.max(0) + 1e-5).all()


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        ([1.0], "1 mix weights for 2 styles"),
        ([1.0, -0.5], "from 0 up"),
        ([0.0, 0.0], "not all zero"),
        ([np.nan, 1.0], "nan"),
        ([np.inf, 1.0], "inf"),
    ],
)
def test_mix_refuses_weights_that_mean_nothing(weights, words):
    with pytest.raises(UsageError, match=words):
        mix_bottlenecks(np.zeros((2, 3), np.float32), weights)


def test_several_pictures_are_one_style(library, tmp_path):
    sources = [paint(tmp_path / f"{seed}.png", seed) for seed in (10, 11, 12)]
    added = library.add(sources, "monet", title="Monet")
    assert (added.name, added.title, len(added.parts)) == ("monet", "Monet", 3)
    assert added.place == library.user_dir / "monet"
    assert library.styles()[-1] == added == library.get("yours/monet")
    parts = [library.bottleneck(library.get(source), Predictor()) for source in sources]
    assert np.allclose(library.bottleneck(added, Predictor()), np.mean(parts, axis=0))
    assert len({added.digest, *(part.digest for part in added.parts)}) == 4
    library.add(sources[:2], "monet", overwrite=True)
    assert len(library.get("monet").parts) == 2
    library.add(sources[2], "monet", overwrite=True)
    assert library.get("monet").place == library.user_dir / "monet.png"
    library.remove("monet")
    assert list(library.user_dir.iterdir()) == []


def test_a_style_of_several_pictures_can_be_removed(library, tmp_path):
    library.add([paint(tmp_path / "a.png", 1), paint(tmp_path / "b.png", 2)])
    assert library.remove("a").name == "a"
    assert list(library.user_dir.iterdir()) == []
    with pytest.raises(UsageError, match="at least one"):
        library.add([])


def test_adopt_adds_a_picture_only_once(library, tmp_path):
    picture = paint(tmp_path / "Some Picture.png", 5)
    first, again = library.adopt(picture), library.adopt(picture)
    assert first == again == library.get("some-picture")
    assert library.adopt("wave") == library.get("wave")
    assert library.adopt(library.get("wave").path) == library.get("wave")
