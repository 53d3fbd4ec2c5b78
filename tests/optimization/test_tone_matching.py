"""Tone matching between keyframes."""

import numpy as np
from moving_pictures import SIZE

from nst_video.image import synthetic
from nst_video.optimization.painting import to_unit
from nst_video.optimization.tone_matching import ToneMatcher, ToneStatistics


def test_tone_matching_holds_a_static_scene_over_200_keyframes():
    content = to_unit(synthetic.draw(SIZE, 0.3))
    everywhere = np.ones(content.shape[:2], np.float32)
    rng = np.random.default_rng(0)
    first = np.clip(content * 0.8 + rng.normal(0.1, 0.1, content.shape), 0, 1).astype(np.float32)
    picture = loose = first
    for _ in range(200):
        grain = rng.normal(0, 0.02, content.shape).astype(np.float32)
        match_tones = ToneMatcher(content, picture, everywhere)
        picture = match_tones(np.clip((picture + grain) * 0.96, 0, 1), content)
        loose = np.clip((loose + grain) * 0.96, 0, 1)
    begun, now = ToneStatistics.of(first), ToneStatistics.of(picture)
    np.testing.assert_allclose(now.mean, begun.mean, rtol=0.02)
    np.testing.assert_allclose(now.variance, begun.variance, rtol=0.02)
    assert ToneStatistics.of(loose).mean.max() < 0.5 * begun.mean.min()


def test_tone_matching_lets_a_painting_brighten_with_its_content():
    content = to_unit(synthetic.draw(SIZE, 0.3)) * np.float32(0.5)
    brighter = content + np.float32(0.2)
    everywhere = np.ones(content.shape[:2], np.float32)
    follows = ToneMatcher(content, content, everywhere)
    np.testing.assert_allclose(
        follows.target(brighter).mean, ToneStatistics.of(brighter).mean, atol=1e-3
    )
    flat = ToneMatcher(content, np.full(content.shape, 0.4, np.float32), everywhere)
    np.testing.assert_allclose(flat.target(brighter).mean, 0.4, atol=1e-3)


def test_tone_matching_heeds_only_what_was_there_before():
    content = to_unit(synthetic.draw(SIZE, 0.3))
    before = np.full(content.shape, 0.5, np.float32)
    before[::2] = 0.3
    reliable = np.ones(content.shape[:2], np.float32)
    reliable[:, : SIZE[0] // 2] = 0
    now = before * np.float32(0.9)
    now[:, : SIZE[0] // 2] = 1  # a white car drives in
    held = ToneMatcher(content, before, reliable)(now, content)
    np.testing.assert_allclose(held[:, SIZE[0] // 2 :], before[:, SIZE[0] // 2 :], atol=1e-3)
    strange = ToneMatcher(content, before, np.zeros_like(reliable))(now, content)
    np.testing.assert_array_equal(strange, now)
