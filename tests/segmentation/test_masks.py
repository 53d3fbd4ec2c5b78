"""Masks of people and from files: edges, steadiness, cuts, resuming, and real pictures."""

from itertools import pairwise

import cv2
import numpy as np
import pytest
from clips import make_numbered, read_number
from PIL import Image

from nst_video.errors import UsageError
from nst_video.image.files import load_picture, save_picture
from nst_video.networks.segmenter import SIZE
from nst_video.segmentation import FileMasks, PersonMasks, choose_segmenter, open_segmenter
from nst_video.segmentation.edges import follow_edges, to_bytes

WIDTH, HEIGHT = 320, 180


def scene(center=(160, 100), radius=50):
    """A bright disk before a dark, textured wall."""
    wall = np.random.default_rng(1).integers(30, 70, (HEIGHT // 6, WIDTH // 6, 3), np.uint8)
    frame = cv2.resize(wall, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return cv2.circle(frame, center, radius, (220, 190, 170), -1, cv2.LINE_AA)


class NoisySegmenter:
    """Finds what is bright, blurred and with errors that differ from frame to frame."""

    name = "noisy"

    def __init__(self):
        self.rng = np.random.default_rng(2)

    def __call__(self, frame):
        small = cv2.resize(frame[..., 0], SIZE, interpolation=cv2.INTER_AREA) / np.float32(255)
        blurred = cv2.GaussianBlur((small > 0.5).astype(np.float32), (0, 0), 3)
        noise = cv2.resize(self.rng.normal(0, 0.15, (18, 32)).astype(np.float32), SIZE)
        return np.clip(blurred + noise * (blurred > 0.05), 0, 1).astype(np.float32)


def changes(masks):
    return float(np.mean([np.abs(a.astype(float) - b) for a, b in pairwise(masks)]))


def test_edges_of_a_mask_move_to_those_of_the_picture():
    luma = scene()[..., 0]
    right = np.hypot(*np.mgrid[-100 : HEIGHT - 100, -160 : WIDTH - 160]) < 50
    off = cv2.GaussianBlur(np.roll(right, 3, axis=1).astype(np.float32), (0, 0), 2)
    masks = to_bytes(off, 0.5), follow_edges(off, luma, 0.5)
    errors = [np.abs(mask / 255 - right).mean() for mask in masks]
    assert errors[1] < 0.6 * errors[0]


def test_softness_narrows_the_transition_and_1_keeps_it():
    ramp = np.linspace(0, 1, 256, dtype=np.float32)[None]
    widths = [((to_bytes(ramp, s) > 0) & (to_bytes(ramp, s) < 255)).sum() for s in (0, 0.5, 1)]
    assert widths[0] < widths[1] < widths[2]
    assert np.abs(to_bytes(ramp, 1) - ramp * 255).max() <= 0.51


def test_masks_of_a_still_scene_change_less_than_half_as_much_as_the_networks():
    frames = [scene()] * 8
    raw, steady = NoisySegmenter(), PersonMasks(NoisySegmenter())
    unsteady = []
    for frame in frames:
        luma = cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)
        unsteady.append(follow_edges(raw(frame), luma, 0.5))
    assert changes([steady(frame) for frame in frames][2:]) < 0.5 * changes(unsteady[2:])


def test_a_mask_is_that_of_its_own_frame_where_much_moves():
    masks = PersonMasks(NoisySegmenter())
    for x in (60, 110, 160, 210):
        mask = masks(scene(center=(x, 100)))
        columns = np.average(np.arange(WIDTH), weights=(mask > 127).sum(axis=0))
        assert abs(columns - x) < 4


def test_nothing_is_carried_over_a_cut():
    masks, fresh = PersonMasks(NoisySegmenter()), PersonMasks(NoisySegmenter())
    masks(scene())
    masks.segmenter = NoisySegmenter()
    other = 255 - scene(center=(60, 60))
    np.testing.assert_array_equal(masks(other), fresh(other))


def test_a_picture_is_the_mask_of_every_frame(tmp_path):
    gray = np.zeros((20, 30, 3), np.uint8)
    gray[:, 15:] = 255
    path = save_picture(tmp_path / "mask.png", gray)
    masks = FileMasks(path)
    for _ in range(2):
        mask = masks(np.zeros((40, 60, 3), np.uint8))
        assert mask.shape == (40, 60)
        assert mask[:, :28].max() == 0
        assert mask[:, 32:].min() == 255


def test_a_film_is_a_mask_frame_for_frame_also_from_the_middle(tmp_path):
    film = make_numbered(tmp_path / "mask.mp4", count=6)
    masks, frame = FileMasks(film), np.zeros((48, 64, 3), np.uint8)
    shown = [read_number(masks(frame)[..., None].repeat(3, 2)) for _ in range(8)]
    assert shown == [0, 1, 2, 3, 4, 5, 5, 5]
    resumed = FileMasks(film)
    resumed.begin_at(1)
    assert read_number(resumed(frame)[..., None].repeat(3, 2)) == 1


def test_auto_takes_selfie_where_it_is(assets):
    assert choose_segmenter() == "builtin"
    assert choose_segmenter(models_dir=assets / "models" / "selfie") == "selfie"
    with pytest.raises(UsageError, match="No segmenter 'selfy'"):
        choose_segmenter("selfy")


@pytest.mark.parametrize("name", ["builtin", "selfie"])
def test_people_are_found_and_empty_rooms_are_empty(assets, name):
    segmenter = open_segmenter(name, models_dir=assets / "models" / "selfie")
    portrait = load_picture(sorted((assets / "train" / "people").glob("18f_003*.jpg"))[0])
    room = load_picture(sorted((assets / "train" / "rooms").glob("*.jpg"))[0])
    found = segmenter(portrait)
    assert found.shape == SIZE[::-1]
    assert 0.2 < (found > 0.5).mean() < 0.8
    assert found[100:, 118:138].mean() > 0.8
    assert (segmenter(room) > 0.5).mean() < 0.02


def test_what_is_opaque_in_a_transparent_picture_is_the_region(tmp_path):
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[:, : WIDTH // 2] = (0, 0, 0, 255)
    pixels[:, WIDTH // 2 :, 3] = 0
    Image.fromarray(pixels).save(tmp_path / "cut-out.png")
    mask = FileMasks(tmp_path / "cut-out.png")(scene())
    assert (mask[:, : WIDTH // 2 - 1] == 255).all()
    assert (mask[:, WIDTH // 2 + 1 :] == 0).all()


def test_white_in_an_opaque_picture_with_an_alpha_channel_is_the_region(tmp_path):
    pixels = np.full((HEIGHT, WIDTH, 4), 255, np.uint8)
    pixels[:, : WIDTH // 2, :3] = 0
    Image.fromarray(pixels).save(tmp_path / "mask.png")
    assert FileMasks(tmp_path / "mask.png")(scene())[0, [0, -1]].tolist() == [0, 255]
