"""Scenes and loss of the person segmenter."""

import numpy as np
from keras import ops
from training_samples import pictures

from nst_video.training.person_scenes import SceneDrawer, Scenery, find_people
from nst_video.training.segmenter import iou, segmenter_loss


def bright(picture):
    return (picture.mean(axis=-1) > 127).astype(np.float32)


def scenery():
    people = pictures(2, seed=1)
    for person in people:
        person[:] = 40
        person[30:, 30:70] = 230
    return Scenery(find_people(people, bright), [np.full((90, 120, 3), 20, np.uint8)])


def test_scenes_have_the_mask_of_what_is_in_them():
    scenes, masks = SceneDrawer(scenery(), kept=64)(40, np.random.default_rng(4))
    assert scenes.shape == (40, 144, 256, 3)
    assert masks.shape == (40, 144, 256)
    assert scenes.min() >= 0
    assert scenes.max() <= 1
    shares = masks.mean(axis=(1, 2))
    assert (shares == 0).any()
    assert (shares > 0.05).sum() > 15
    lights = scenes.mean(axis=-1)
    seen = [i for i in range(40) if 0.05 < shares[i] < 0.9]
    brighter = [lights[i][masks[i] > 0.9].mean() > lights[i][masks[i] < 0.1].mean() for i in seen]
    assert np.mean(brighter) > 0.8  # some have other clothes


def test_the_loss_is_least_for_the_right_mask():
    masks = np.zeros((1, 4, 4), np.float32)
    masks[:, 1:3] = 1

    def loss(found):
        logits = ops.convert_to_tensor((found * 2 - 1) * 8)
        return float(segmenter_loss(lambda scenes: logits)(None, ops.convert_to_tensor(masks)))

    assert loss(masks) < loss(np.zeros_like(masks)) < loss(1 - masks)


def test_iou_of_masks():
    a, b = np.zeros((2, 4), bool), np.zeros((2, 4), bool)
    assert iou(a, b) == 1
    a[0], b[:, 0] = True, True
    assert iou(a, b) == 1 / 5
