"""The working size that holds a rate, with a simulated machine."""

import numpy as np
import pytest

from nst_video.live.adaptive_resolution import (
    AdaptiveResolution,
    QualityLevel,
    SizeBounds,
    quality_ladder,
)


def simulate(
    resolution: AdaptiveResolution,
    ms_at_256: float,
    seconds: float,
    start_s: float = 0.0,
    noise: float = 0.1,
) -> list[int]:
    """Paint for some seconds on a machine that takes so long; return the size of each frame."""
    return [level.size for level in paces(resolution, ms_at_256, seconds, start_s, noise)]


def paces(
    resolution: AdaptiveResolution,
    ms_at_256: float,
    seconds: float,
    start_s: float = 0.0,
    noise: float = 0.1,
) -> list[QualityLevel]:
    random, now, found = np.random.default_rng(1), start_s, []
    while now < start_s + seconds:
        paint_s = ms_at_256 / 1000 * (resolution.level.size / 256) ** 2
        paint_s *= 1 + noise * random.standard_normal()
        now += max(paint_s, resolution.level.every / 30)
        found.append(resolution.update(paint_s, now, 1080))
    return found


@pytest.mark.parametrize("ms_at_256", [3, 10, 25, 60, 90])
def test_rate_is_held_without_hunting(ms_at_256: float) -> None:
    found = paces(AdaptiveResolution(30, 256), ms_at_256, 90)
    late = found[len(found) // 2 :]
    assert ms_at_256 * (late[-1].size / 256) ** 2 / late[-1].every < 1000 / 30
    assert len(set(late)) == 1


def test_slow_machine_is_relieved_within_two_seconds() -> None:
    resolution = AdaptiveResolution(30, 400)
    sizes = simulate(resolution, 30, 2)
    assert 30 * (sizes[-1] / 256) ** 2 < 1000 / 30


def test_fast_machine_gets_a_finer_picture() -> None:
    assert simulate(AdaptiveResolution(30, 256), 4, 60)[-1] >= 400


def test_size_follows_a_machine_that_becomes_slower_and_faster_again() -> None:
    resolution = AdaptiveResolution(30, 256)
    fast = simulate(resolution, 8, 60)[-1]
    slow = simulate(resolution, 40, 30, 60)[-1]
    again = simulate(resolution, 8, 120, 90)[-1]
    assert slow < fast
    assert again == fast


def test_single_slow_frames_do_not_change_the_size() -> None:
    resolution = AdaptiveResolution(30, 256, SizeBounds(128, 256))
    for number in range(300):
        resolution.update(0.2 if number % 10 == 0 else 0.02, number / 30, 1080)
    assert resolution.level == QualityLevel(256)


def test_size_stays_within_bounds_and_the_frame() -> None:
    assert set(simulate(AdaptiveResolution(30, 256, SizeBounds(200, 320)), 500, 30)[40:]) == {200}
    resolution = AdaptiveResolution(30, 256)
    for number in range(3000):
        resolution.update(0.001, number / 30, 480)
    assert 480 <= resolution.level.size < 640


def test_ladder_ascends_from_bound_to_bound() -> None:
    ladder = quality_ladder(SizeBounds(224, 720))
    assert ladder[:3] == (QualityLevel(224, 3), QualityLevel(224, 2), QualityLevel(224))
    assert ladder[-1] == QualityLevel(720)
    assert [level.cost() for level in ladder] == sorted({level.cost() for level in ladder})
    assert {level.size for level in quality_ladder(SizeBounds(240, 240))} == {240}


@pytest.mark.parametrize("ms_at_256", [50, 200, 2000])
def test_busy_machine_paints_fewer_frames_and_none_below_224_lines(ms_at_256: float) -> None:
    found = paces(AdaptiveResolution(30, 256), ms_at_256, 120)
    assert {level.size for level in found} == {256, 224}
    assert found[-1].every == (2 if ms_at_256 == 50 else 3)


def test_every_frame_is_painted_again_when_the_machine_is_free() -> None:
    resolution = AdaptiveResolution(30, 256)
    assert paces(resolution, 100, 30)[-1].every == 3
    assert paces(resolution, 12, 120, 30)[-1].size >= 256
