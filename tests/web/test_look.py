"""What pages ask for: looks in JSON and in queries."""

import pytest

from nst_video.errors import UsageError
from nst_video.web.look import Look, changed, from_query


def test_a_look_is_read_as_it_was_written() -> None:
    look = Look((("wave", 0.25), ("neon", 0.75)), 0.5, True, 0.1, 0.2, 2.0, True)
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
             ("keep_colors", "true"), ("v", "ignored")]  # fmt: skip
    wanted = Look((("wave", 0.7), ("neon", 0.3)), intensity=0.8, keep_colors=True)
    assert from_query(query) == wanted
    assert from_query([], wanted) == wanted


@pytest.mark.parametrize(
    "query",
    [
        [("intensity", "much")],
        [("keep_colors", "yes")],
        [("style", "wave"), ("mix", "1,2")],
        [("style", "wave"), ("mix", "x")],
    ],
)
def test_a_query_with_wrong_values_is_refused(query: list[tuple[str, str]]) -> None:
    with pytest.raises(UsageError):
        from_query(query)


def test_wider_strokes_of_live_frames_are_fewer_lines() -> None:
    def lines(scale: float) -> object:
        return Look(stroke_scale=scale).live_settings().work_size

    assert lines(1) == "auto"
    assert 128 <= lines(4) <= lines(2) < lines(0.5) <= 720  # type: ignore[operator]


def test_the_original_is_the_input_itself_for_pictures() -> None:
    assert Look(original=True).settings().is_original
    assert not Look().settings().is_original
