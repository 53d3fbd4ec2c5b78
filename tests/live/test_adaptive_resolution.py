"""The working size that holds a rate, with a simulated machine."""

import numpy as np
import pytest

from nst_video.live.adaptive_resolution import (
    CARRYING,
    AdaptiveResolution,
    FrameTime,
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
        found.append(resolution.update(FrameTime(paint_s), now, 1080))
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
        resolution.update(FrameTime(0.2 if number % 10 == 0 else 0.02), number / 30, 1080)
    assert resolution.level == QualityLevel(256)


def test_size_stays_within_bounds_and_the_frame() -> None:
    assert set(simulate(AdaptiveResolution(30, 256, SizeBounds(200, 320)), 500, 30)[40:]) == {200}
    resolution = AdaptiveResolution(30, 256)
    for number in range(3000):
        resolution.update(FrameTime(0.001), number / 30, 480)
    assert 480 <= resolution.level.size < 640


def test_ladder_ascends_from_bound_to_bound() -> None:
    ladder = quality_ladder(SizeBounds(224, 720))
    assert ladder[:3] == (QualityLevel(224, 3), QualityLevel(224, 2), QualityLevel(224))
    assert ladder[-1] == QualityLevel(720)
    costs = [level.size**2 / level.every for level in ladder]
    assert costs == sorted(set(costs))
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


class Machine:
    """A machine that paints in the background while frames are carried.

    Args:
        paint_ms: for a painting at 256 lines, in proportion to the area.
        other_ms: for everything else in a frame, if nothing is painted meanwhile.
    """

    def __init__(self, paint_ms: float, other_ms: float) -> None:
        self.paint_s, self.other_s = paint_ms / 1000, other_ms / 1000
        self.now_s, self.painting_until_s, self.since = 0.0, 0.0, 0

    def run(
        self, resolution: AdaptiveResolution, frames: int, limit: int = 1080
    ) -> list[QualityLevel]:
        """Carry so many frames; return the level after each."""
        found = []
        for _ in range(frames):
            level, painting_s = resolution.level, self.painting_s(resolution.level)
            self.since += 1
            if self.now_s >= self.painting_until_s and self.since >= level.every:
                self.painting_until_s, self.since = self.now_s + painting_s, 0
            is_painting = self.now_s < self.painting_until_s
            busy_s = self.busy_s(is_painting)
            self.now_s += max(busy_s, 1 / 30)
            time = FrameTime(busy_s, painting_s, is_painting)
            found.append(resolution.update(time, self.now_s, limit))
        return found

    def painting_s(self, level: QualityLevel) -> float:
        return self.paint_s * (level.size / 256) ** 2

    def busy_s(self, is_painting: bool) -> float:
        return self.other_s / 0.4 if is_painting else self.other_s

    def holds_rate(self, level: QualityLevel) -> bool:
        share = min(1.0, self.painting_s(level) * 30 / level.every)
        return share * self.busy_s(True) + (1 - share) * self.busy_s(False) < 1 / 30


def carrying(rates: tuple[int, ...] = CARRYING, size: int | None = None) -> AdaptiveResolution:
    resolution = AdaptiveResolution(30, 256)
    resolution.choose_among(rates, size)
    return resolution


@pytest.mark.parametrize("other_ms", [5, 12, 20])
@pytest.mark.parametrize("paint_ms", [4, 25, 60, 150])
def test_carried_frames_hold_the_rate_without_hunting(paint_ms: float, other_ms: float) -> None:
    machine, resolution = Machine(paint_ms, other_ms), carrying()
    found = machine.run(resolution, 12_000)
    assert len(set(found[len(found) // 2 :])) == 1
    assert machine.holds_rate(found[-1])


def test_painting_less_often_comes_before_a_smaller_size() -> None:
    machine, resolution = Machine(40, 15), carrying()
    assert not machine.holds_rate(QualityLevel(256))
    level = machine.run(resolution, 3000)[-1]
    assert level.size >= 256
    assert level.every > 1


def test_size_that_is_worth_it_is_reached_with_few_paintings() -> None:
    # 80 ms at 480 lines, and 13 for carrying: two cores of a Zen 3 server.
    level = Machine(80 * (256 / 480) ** 2, 13).run(carrying(), 6000, 720)[-1]
    assert level.size >= 480
    assert level.every > 1


def test_above_that_size_frames_are_not_painted_seldom() -> None:
    ladder = quality_ladder(SizeBounds(224, 1088), CARRYING)
    assert max(level.every for level in ladder if level.size > 480) == 3
    assert max(level.every for level in ladder if level.size == 480) == 12
    assert ladder[0] == QualityLevel(224, 12)
    assert ladder[-1] == QualityLevel(1088, 1)


def test_painting_never_takes_longer_than_new_things_may_wait() -> None:
    machine = Machine(450, 1)  # enough time for carrying
    level = machine.run(carrying(), 3000)[-1]
    assert level.size < 256
    assert machine.painting_s(level) < 12 / 30


def test_machine_that_becomes_slower_and_faster_again_is_followed() -> None:
    machine, resolution = Machine(20, 8), carrying()
    best = machine.run(resolution, 4000)[-1]
    machine.other_s, machine.paint_s = 3 * machine.other_s, 3 * machine.paint_s
    worse = machine.run(resolution, 4000)[-1]
    assert (worse.size, -worse.every) < (best.size, -best.every)
    machine.other_s, machine.paint_s = machine.other_s / 3, machine.paint_s / 3
    assert machine.run(resolution, 8000)[-1] == best


def test_fixed_painting_rate_is_kept_at_every_size() -> None:
    resolution = carrying((2,))
    assert resolution.level.every == 2
    assert {level.every for level in Machine(150, 20).run(resolution, 300)} == {2}
    assert resolution.level.size < 256


def test_fixed_size_is_kept_while_the_painting_rate_follows_the_machine() -> None:
    resolution = carrying(size=350)
    found = Machine(40, 15).run(resolution, 1000)
    assert {level.size for level in found} == {350}
    assert found[-1].every > 1


def test_switching_steadiness_keeps_the_size() -> None:
    resolution = carrying()
    Machine(40, 15).run(resolution, 300)
    assert resolution.level.every > 1
    size = resolution.level.size
    resolution.choose_among(None)
    assert resolution.level == QualityLevel(size)


def test_good_size_is_kept_at_nine_of_ten_frames() -> None:
    def level(busy_ms: float) -> QualityLevel:
        resolution = AdaptiveResolution(30, 480)
        resolution.choose_among((12,))
        for number in range(200):
            time = FrameTime(busy_ms / 1000, 0.15, is_painting=number % 12 < 5)
            resolution.update(time, number / 30, 720)
        return resolution.level

    assert level(35) == QualityLevel(480, 12)
    assert level(38).size < 480


def test_good_size_is_painted_seldom_before_it_is_left() -> None:
    resolution = AdaptiveResolution(30, 480)
    resolution.choose_among(CARRYING)
    assert resolution.level == QualityLevel(480, 1)
    found = []
    for number in range(25):
        found.append(resolution.update(FrameTime(0.06, 0.03), number / 30, 720))
    assert found[-1] == QualityLevel(480, 12)


def test_good_size_is_kept_where_paintings_are_slow_but_frames_are_not() -> None:
    def level(painting_s: float) -> QualityLevel:
        resolution = AdaptiveResolution(30, 480)
        resolution.choose_among(CARRYING)
        for number in range(400):
            resolution.update(FrameTime(0.025, painting_s, is_painting=True), number / 30, 720)
        return resolution.level

    assert level(0.6).size == 480
    assert level(1.0).size < 480


def test_good_size_is_reached_at_once_where_it_should_hold() -> None:
    resolution = AdaptiveResolution(30, 256)
    resolution.choose_among(CARRYING, None)
    found = []
    for number in range(200):
        found.append(resolution.update(FrameTime(0.015, 0.15, is_painting=True), number / 30, 720))
    changes = [level for level, before in zip(found[1:], found, strict=False) if level != before]
    assert changes[0] == QualityLevel(480, 12)
