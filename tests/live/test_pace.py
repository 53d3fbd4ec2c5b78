"""The working size that holds a rate, with a simulated machine."""

import numpy as np
import pytest

from nst_video.live.pace import Pacer, SizeBounds, size_ladder


def simulate(
    pacer: Pacer, ms_at_256: float, seconds: float, start_s: float = 0.0, noise: float = 0.1
) -> list[int]:
    """Paint for some seconds on a machine that takes so long; return the size of each frame."""
    random, now, sizes = np.random.default_rng(1), start_s, []
    while now < start_s + seconds:
        paint_s = ms_at_256 / 1000 * (pacer.size / 256) ** 2
        paint_s *= 1 + noise * random.standard_normal()
        now += max(paint_s, 1 / 30)
        sizes.append(pacer.update(paint_s, now, 1080))
    return sizes


@pytest.mark.parametrize("ms_at_256", [3, 10, 25, 60, 120])
def test_rate_is_held_without_hunting(ms_at_256: float) -> None:
    sizes = simulate(Pacer(30, 256), ms_at_256, 90)
    late = sizes[len(sizes) // 2 :]
    assert ms_at_256 * (late[-1] / 256) ** 2 < 1000 / 30
    assert len(set(late)) == 1


def test_slow_machine_is_relieved_within_two_seconds() -> None:
    pacer = Pacer(30, 400)
    sizes = simulate(pacer, 30, 2)
    assert 30 * (sizes[-1] / 256) ** 2 < 1000 / 30


def test_fast_machine_gets_a_finer_picture() -> None:
    assert simulate(Pacer(30, 256), 4, 60)[-1] >= 400


def test_size_follows_a_machine_that_becomes_slower_and_faster_again() -> None:
    pacer = Pacer(30, 256)
    fast = simulate(pacer, 8, 60)[-1]
    slow = simulate(pacer, 40, 30, 60)[-1]
    again = simulate(pacer, 8, 120, 90)[-1]
    assert slow < fast
    assert again == fast


def test_single_slow_frames_do_not_change_the_size() -> None:
    pacer = Pacer(30, 256, SizeBounds(128, 256))
    for number in range(300):
        pacer.update(0.2 if number % 10 == 0 else 0.02, number / 30, 1080)
    assert pacer.size == 256


def test_size_stays_within_bounds_and_the_frame() -> None:
    assert set(simulate(Pacer(30, 256, SizeBounds(200, 320)), 500, 30)[40:]) == {200}
    pacer = Pacer(30, 256)
    for number in range(3000):
        pacer.update(0.001, number / 30, 480)
    assert 480 <= pacer.size < 640


def test_ladder_ascends_from_bound_to_bound() -> None:
    ladder = size_ladder(SizeBounds(128, 720))
    assert (ladder[0], ladder[-1]) == (128, 720)
    assert list(ladder) == sorted(set(ladder))
    assert size_ladder(SizeBounds(240, 240)) == (240,)
