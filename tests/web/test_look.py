"""What pages ask for: looks in JSON and in queries."""

from pathlib import Path

import numpy as np
import pytest

from nst_video.errors import StyleError, UsageError
from nst_video.settings import Regions
from nst_video.web.catalog import StyleCatalog
from nst_video.web.look import Look, changed, from_query
from nst_video.web.regions import regions_of


def test_a_look_is_read_as_it_was_written() -> None:
    styles = (("wave", 0.25), ("neon", 0.75))
    look = Look(styles, 0.5, True, 0.1, 0.2, 2.0, True, "background", "#00b140", 0.3)
    assert changed(Look(), look.to_json()) == look


def test_only_what_is_given_changes() -> None:
    look = Look((("wave", 1.0),), intensity=0.3)
    assert changed(look, {"gentle": 0}) == Look((("wave", 1.0),), intensity=0.3, gentle=0.0)
    assert changed(look, {}) == look


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ([], "object"),
        ({"intensty": 1}, "intensty"),
        ({"intensity": 1.01}, "intensity"),
        ({"intensity": "1"}, "intensity"),
        ({"intensity": float("nan")}, "intensity"),
        ({"intensity": True}, "intensity"),
        ({"steady": None}, "steady"),
        ({"keep_colors": 1}, "keep_colors"),
        ({"mask": "cats"}, "none, person or background"),
        ({"mask_softness": 2}, "mask_softness"),
        ({"rest": ""}, "rest"),
        ({"rest": 5}, "rest"),
        ({"styles": []}, "1 to 4 styles"),
        ({"styles": "wave"}, "list"),
        ({"styles": ["wave"]}, "object"),
        ({"styles": [{"name": "wave"}] * 5}, "1 to 4 styles"),
        ({"styles": [{"name": "wave", "weight": -1}]}, "weight"),
        ({"styles": [{"name": "wave", "weight": 0}]}, "above 0"),
    ],
)
def test_what_is_no_look_is_refused_with_its_name(given: object, named: str) -> None:
    with pytest.raises(UsageError, match=named):
        changed(Look(), given)


def test_a_query_has_the_same_parts() -> None:
    query = [("style", "wave"), ("style", "neon"), ("mix", "0.7,0.3"), ("intensity", "0.8"),
             ("keep_colors", "true"), ("mask", "person"), ("rest", "blur")]  # fmt: skip
    styles = (("wave", 0.7), ("neon", 0.3))
    wanted = Look(styles, intensity=0.8, keep_colors=True, mask="person", rest="blur")
    assert from_query(query) == wanted
    assert from_query([], wanted) == wanted


@pytest.mark.parametrize(
    "query",
    [
        [("intensity", "much")],
        [("keep_colors", "yes")],
        [("style", "wave"), ("mix", "1,2")],
        [("style", "wave"), ("mix", "x")],
        [("mix", "1,2")],
    ],
)
def test_a_query_with_wrong_values_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(UsageError):
        from_query(query)


def test_unknown_keys_of_a_query_are_refused_with_those_that_are_near() -> None:
    with pytest.raises(UsageError, match=r"no 'intensty'\. Did you mean 'intensity'"):
        from_query([("intensty", "0.5")])
    assert from_query([("at", "0.5")], others=("at",)) == Look()


def test_a_mask_becomes_regions_without_paths_of_pages(tmp_path: Path) -> None:
    catalog = StyleCatalog(folder=tmp_path)
    upload = catalog.upload(np.full((8, 8, 3), 9, np.uint8), "mine.png")
    assert regions_of(Look(), catalog) is None
    look = Look(mask="background", rest="green", mask_softness=0.2)
    assert regions_of(look, catalog) == Regions(rest="green", softness=0.2, invert=True)
    found = regions_of(Look(mask="person", rest=upload.name), catalog)
    assert found == Regions(rest=str(upload.path), softness=0.8)
    for rest in ("wvae", str(upload.path)):
        with pytest.raises(StyleError, match="no style"):
            regions_of(Look(mask="person", rest=rest), catalog)
    with pytest.raises(StyleError, match="Did you mean 'wave'"):
        regions_of(Look(mask="person", rest="wvae"), catalog)


def test_wider_strokes_of_live_frames_are_fewer_lines() -> None:
    def lines(scale: float) -> object:
        return Look(stroke_scale=scale).live_settings().work_size

    assert lines(1) == "auto"
    assert 128 <= lines(4) <= lines(2) < lines(0.5) <= 720  # type: ignore[operator]


def test_the_original_is_the_input_itself_for_pictures() -> None:
    assert Look(original=True).settings().is_original
    assert not Look().settings().is_original
