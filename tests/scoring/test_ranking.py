"""The score ranks honestly: neither blur nor averaging passes for steadiness."""

import numpy as np
import pytest
from scoring_ladder import (
    FPS,
    SIZE,
    averaged,
    blurred,
    painted_by_frame,
    scene,
    steadied,
    strokes,
)

from nst_video.networks.vgg import load_loss_network
from nst_video.scoring.distances import DistanceMeter
from nst_video.scoring.measurement import measure
from nst_video.scoring.report import VideoScore, score_of, score_videos, source_score, steadiness_of


def no_cut(_frame: np.ndarray) -> bool:
    return False


@pytest.fixture(scope="module")
def ladder() -> dict[str, VideoScore]:
    source = scene(26)
    by_frame = painted_by_frame(source)
    videos = {
        "by frame": by_frame,
        "steady": steadied(source, by_frame),
        "slightly blurred": blurred(by_frame, 0.8),
        "blurred": blurred(by_frame, 2.5),
        "averaged": averaged(by_frame, 0.9),
        "half averaged": averaged(by_frame, 0.5),
    }
    style = np.clip(128 + strokes(7), 0, 255).astype(np.uint8)
    meter = DistanceMeter(load_loss_network(), style, SIZE[0])
    measured = measure(source, list(videos.values()), FPS, is_cut=no_cut, distances=meter)
    assert source_score(measured, "source").warp_error[1] < 10
    return {video.name: video for video in score_videos(measured, list(videos))}


@pytest.mark.parametrize("cheat", ["slightly blurred", "blurred", "averaged", "half averaged"])
def test_steadiness_comes_out_above_blur_and_averaging(
    ladder: dict[str, VideoScore], cheat: str
) -> None:
    assert ladder["steady"].score > 1.3 * ladder[cheat].score
    assert ladder["steady"].rank == 1


def test_steadiness_comes_out_above_painting_frame_by_frame(ladder: dict[str, VideoScore]) -> None:
    assert ladder["steady"].score > 2 * ladder["by frame"].score
    assert ladder["by frame"].sharpness_ratio == 1


def test_blur_lowers_the_warp_error_which_is_why_it_alone_is_no_score(
    ladder: dict[str, VideoScore],
) -> None:
    blurry, by_frame = ladder["blurred"], ladder["by frame"]
    assert blurry.warp_error[1] < by_frame.warp_error[1] / 4
    assert blurry.steadiness > by_frame.steadiness
    assert blurry.sharpness_ratio < 0.2
    assert blurry.style_distance > by_frame.style_distance
    assert blurry.score < by_frame.score


def test_ranks_are_those_of_the_scores(ladder: dict[str, VideoScore]) -> None:
    ordered = sorted(ladder.values(), key=lambda video: video.rank)
    assert [video.rank for video in ordered] == list(range(1, len(ladder) + 1))
    scores = [video.score for video in ordered]
    assert scores == sorted(scores, reverse=True)


def test_a_video_as_steady_as_its_source_is_fully_steady() -> None:
    assert steadiness_of({1: 2.0, 5: 4.0}, {1: 2.0, 5: 5.0}) == 1
    assert steadiness_of({1: 12.0, 5: None}, {1: 2.0, 5: None}) == pytest.approx(0.5)
    assert steadiness_of({1: None}, {1: None}) == 0


def test_more_sharpness_and_style_than_the_first_video_has_do_not_count() -> None:
    assert score_of(0.5, 3.0, 2.0) == 50
    assert score_of(1.0, 0.5, 0.5) == 25


def test_an_exact_copy_has_the_full_score_even_if_it_is_flat() -> None:
    black = [np.zeros((SIZE[1], SIZE[0], 3), np.uint8)] * 7
    noise = list(np.random.default_rng(1).integers(0, 256, (7, SIZE[1], SIZE[0], 3), np.uint8))
    for video in (black, scene(7)):
        (copy, noisy) = score_videos(measure(video, [video, noise], FPS, is_cut=no_cut), ["", ""])
        assert (copy.score, copy.rank, copy.sharpness_ratio) == (100, 1, 1)
        assert noisy.score < 10
