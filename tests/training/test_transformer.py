"""Distillation losses of the style transformer."""

import numpy as np
import pytest
from training_samples import pictures, tiny, vgg_path

from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.training import (
    dataset,
    transformer,
)
from nst_video.training.config import TransformerStage
from nst_video.training.loop import Trainer, TrainingStage
from nst_video.training.vgg import Vgg


class TestTransformer:
    STAGES = (
        TransformerStage("layers", steps=1, batch=2, side=32, learning_rate=0.01, layer_weight=1),
        TransformerStage(
            "picture",
            steps=1,
            batch=2,
            side=32,
            learning_rate=0.01,
            pixel_weight=1,
            gradient_weight=1,
        ),
        TransformerStage(
            "temporal",
            steps=1,
            batch=2,
            side=32,
            learning_rate=0.01,
            pixel_weight=1,
            noise_weight=5,
            shift_weight=5,
        ),
    )

    @pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.name)
    def test_every_stage_lowers_the_loss_of_the_student(self, stage, tmp_path):
        teacher, student = tiny(0), tiny(1)
        rng = np.random.default_rng(0)
        batch = transformer.draw_batch(
            stage, pictures(3), rng.standard_normal((9, 5)).astype("f"), rng
        )
        training_stage = TrainingStage(
            stage.name,
            40,
            0.02,
            lambda _rng: batch,
            transformer.stage_loss(stage, teacher, student, None),
            lambda _average: {},
        )
        before = float(training_stage.loss(*batch))
        Trainer(student, tiny(1), tmp_path, 0).run(training_stage, len)
        assert float(training_stage.loss(*batch)) < 0.8 * before

    def test_the_loss_of_a_teacher_as_its_own_student_is_only_temporal(self):
        teacher = tiny(0)
        rng = np.random.default_rng(3)
        for stage in self.STAGES:
            batch = transformer.draw_batch(
                stage, pictures(3), rng.standard_normal((9, 5)).astype("f"), rng
            )
            loss = float(transformer.stage_loss(stage, teacher, teacher, None)(*batch))
            assert (loss > 1e-4) == stage.is_temporal

    def test_the_temporal_loss_is_zero_below_the_flicker_limit(self):
        teacher, rng = tiny(0), np.random.default_rng(0)
        stage = TransformerStage(
            "noise", steps=1, batch=2, side=32, learning_rate=1, noise_weight=1
        )
        clean, noisy, kernel, _, bottlenecks = transformer.draw_batch(
            stage, pictures(3), rng.standard_normal((9, 5)).astype("f"), rng
        )
        loss = transformer.stage_loss(stage, teacher, teacher, None)
        weight = np.float32(1)
        flat = np.full_like(clean, 0.5)
        assert float(loss(clean, noisy, kernel, weight, bottlenecks)) == pytest.approx(
            1 - stage.max_flicker_ratio, abs=0.15
        )
        assert float(loss(flat, flat, kernel, weight, bottlenecks)) == 0

    def test_the_flicker_limit_can_apply_to_each_scene(self):
        ours, theirs = np.float32((0.001, 0.09)), np.float32((0.001, 0.1))
        whole, each = (
            TransformerStage(
                "temporal",
                steps=1,
                batch=2,
                side=32,
                learning_rate=1,
                max_flicker_ratio=0.9,
                per_scene=per_scene,
            )
            for per_scene in (False, True)
        )
        assert float(transformer.excess_flicker(ours, theirs, whole)) < 0.01
        assert float(transformer.excess_flicker(ours, theirs, each)) == pytest.approx(
            0.04, abs=0.02
        )

    def test_the_perceptual_loss_takes_features_of_vgg(self, assets):
        vgg = Vgg(vgg_path(assets), LOSS_LAYERS[:2])
        stage = TransformerStage(
            "perceptual", steps=1, batch=1, side=32, learning_rate=1, perceptual_weight=1
        )
        a, b = dataset.content_batch(pictures(3), 2, 32, np.random.default_rng(0))[:, None]
        assert float(transformer.picture_loss(a, a, stage, vgg)) == 0
        assert float(transformer.picture_loss(a, b, stage, vgg)) > 0.1
