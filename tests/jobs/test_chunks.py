"""How films are cut into chunks."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_video.jobs.chunks import LONGEST_S, SHORTEST_S, plan_chunks

FPS = st.sampled_from([Fraction(1), Fraction(25), Fraction(24000, 1001), Fraction(60)])


@given(count=st.integers(1, 20_000), fps=FPS, data=st.data())
def test_chunks_hold_every_frame_once_and_are_neither_short_nor_long(count, fps, data):
    keyframes = sorted(data.draw(st.sets(st.integers(0, count - 1), max_size=60)))
    chunks = plan_chunks(count, fps, keyframes)
    assert chunks[0].first == 0
    assert chunks[-1].end == count
    assert all(a.end == b.first for a, b in pairwise(chunks))
    assert [chunk.number for chunk in chunks] == [*range(len(chunks))]
    assert all(chunk.frame_count <= LONGEST_S * fps + 1 for chunk in chunks)
    if len(chunks) > 1:
        assert all(chunk.frame_count >= SHORTEST_S * fps for chunk in chunks)


@pytest.mark.parametrize(("seconds", "count"), [(1, 1), (14.9, 1), (15, 2), (20, 2), (60, 6)])
def test_films_of_fifteen_seconds_are_cut(seconds: float, count: int):
    assert len(plan_chunks(int(seconds * 25), Fraction(25))) == count


def test_chunks_begin_at_cuts_then_at_keyframes_of_the_source():
    regular = [0, 250, 500, 750]
    assert [chunk.first for chunk in plan_chunks(1000, Fraction(25), regular)] == regular
    with_cut = [0, 170, 420, 500, 750]  # the usual distance is 250: 170 and 500 come early
    firsts = [chunk.first for chunk in plan_chunks(1000, Fraction(25), with_cut)]
    assert firsts[1:3] == [170, 500]


def test_end_of_the_film_does_not_change_chunks_long_before_it():
    a, b = (plan_chunks(count, Fraction(25), range(0, count, 120)) for count in (5000, 6000))
    assert a[:18] == b[:18]
