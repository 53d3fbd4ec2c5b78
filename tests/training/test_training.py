"""Training: what is drawn, what is learned, what is kept, and the command as a whole."""

import json

import cv2
import keras
import numpy as np
import pytest
from keras import layers, ops
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.errors import SinkError, SourceError, UsageError
from nst_video.image.files import save_picture
from nst_video.image.resize import center_square
from nst_video.networks.builtin import LOSS_LAYERS
from nst_video.networks.checkpoints import collect, load_npz, network_shapes
from nst_video.networks.transformer import StyleTransformer, TransformerConfig
from nst_video.optimization.losses import gram_distance
from nst_video.training import (
    config,
    consistency,
    dataset,
    evaluate,
    predictor,
    style_sampling,
    transformer,
)
from nst_video.training.config import TransformerStage
from nst_video.training.layer_distillation import layerwise_loss, trace
from nst_video.training.loop import WARM_UP_STEPS, Trainer, TrainingStage, learning_rate_at
from nst_video.training.state import save_weights
from nst_video.training.vgg import Vgg

TINY = TransformerConfig(widths=(2, 3, 4), residual_blocks=1, bottleneck=5)


def tiny(seed):
    keras.utils.set_random_seed(seed)
    return StyleTransformer(TINY)


def pictures(count, seed=0, side=96):
    rng = np.random.default_rng(seed)
    return [dataset.procedural(side, rng) for _ in range(count)]


def styles_of(network, bottlenecks):
    return network.style_parameters(ops.convert_to_tensor(bottlenecks))


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures, a known few of which are held out."""
    for index, picture in enumerate(pictures(20)):
        save_picture(tmp_path / "pictures" / f"{index}.png", picture)
    return tmp_path / "pictures"


class TestDataset:
    def test_pictures_are_split_by_name_and_nothing_is_in_both_parts(self, folder):
        split = dataset.read_pictures([folder])
        names = [path.name for path in folder.iterdir()]
        expected = sum(dataset.is_held_out(name) for name in names)
        assert (len(split.training), len(split.held_out)) == (20 - expected, expected)
        ours = {picture.tobytes() for picture in split.training}
        assert not ours & {picture.tobytes() for picture in split.held_out}

    def test_about_one_name_in_ten_is_held_out(self):
        assert 70 < sum(dataset.is_held_out(f"{i}.jpg") for i in range(1000)) < 130

    def test_too_few_pictures_are_refused(self, tmp_path):
        save_picture(tmp_path / "one.png", pictures(1)[0])
        with pytest.raises(UsageError, match="1 pictures"):
            dataset.read_pictures([tmp_path])

    def test_broken_pictures_are_left_out_with_a_note(self, folder):
        (folder / "cut.png").write_bytes((folder / "1.png").read_bytes()[:-300])
        (folder / "empty.jpg").touch()
        notes = []
        split = dataset.read_pictures([folder], notes.append)
        assert len(split.training) + len(split.held_out) == 20
        assert ("cut.png" in notes[0], "empty.jpg" in notes[1]) == (True, True)
        with pytest.raises(SourceError, match="cannot be read: no such file"):
            dataset.read_pictures([folder / "none"])

    def test_large_pictures_are_shrunk(self, folder):
        save_picture(folder / "large.png", np.zeros((30, 3000, 3), np.uint8))
        split = dataset.read_pictures([folder])
        sides = [
            max(picture.shape) for part in (split.training, split.held_out) for picture in part
        ]
        assert max(sides) == dataset.MAX_SIDE

    def test_the_middle_square_is_taken(self):
        wide = np.zeros((20, 60, 3), np.uint8)
        wide[:, 20:40] = 200
        assert (center_square(wide, 10) == 200).all()

    def test_crops_show_parts_of_the_picture(self):
        gradient = np.tile(np.arange(200, dtype=np.uint8)[None, :, None], (100, 1, 3))
        rng = np.random.default_rng(0)
        crops = [dataset.random_crop(gradient, 32, rng) for _ in range(20)]
        assert {crop.shape for crop in crops} == {(32, 32, 3)}
        ranges = [int(crop.max()) - int(crop.min()) for crop in crops]
        assert min(ranges) < 40
        assert max(ranges) > 60
        steps = [int(crop[0, -1, 0]) - int(crop[0, 0, 0]) for crop in crops]
        assert min(steps) < 0 < max(steps)  # some are mirrored

    def test_jitter_of_no_strength_changes_hardly_anything(self):
        picture = pictures(1)[0]
        rng = np.random.default_rng(0)
        none = dataset.jitter(picture, rng, 0).astype(int)
        assert np.abs(none - picture).mean() < 3
        assert np.abs(dataset.jitter(picture, rng, 1).astype(int) - picture).mean() > 10

    def test_procedural_pictures_are_of_many_kinds(self):
        rng = np.random.default_rng(0)
        drawn = [dataset.procedural(64, rng) for _ in range(60)]
        assert {(picture.shape, picture.dtype) for picture in drawn} == {
            ((64, 64, 3), np.dtype("u1"))
        }
        colors = [len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in drawn]
        assert min(colors) < 9  # flat areas
        assert max(colors) > 2000  # noise
        assert np.mean([picture.std() > 10 for picture in drawn]) > 0.8

    def test_batches_depend_on_nothing_but_the_generator(self):
        drawn = [
            dataset.content_batch(pictures(3), 12, 32, np.random.default_rng(5)) for _ in range(2)
        ]
        assert drawn[0].shape == (12, 32, 32, 3)
        assert drawn[0].dtype == np.float32
        assert 0 <= drawn[0].min() < drawn[0].max() <= 1
        assert np.array_equal(*drawn)


class TestStyleSampling:
    def test_style_pictures_are_all_of_one_size(self):
        rng = np.random.default_rng(1)
        shapes = {style_sampling.draw_style_picture(pictures(3), rng).shape for _ in range(60)}
        assert shapes == {(style_sampling.SIDE, style_sampling.SIDE, 3)}

    def test_styles_are_drawn_as_they_are_or_mixed_and_some_are_bolder(self):
        corners = np.eye(6, dtype=np.float32)
        drawn = style_sampling.draw_styles(corners, 400, np.random.default_rng(0))
        assert np.allclose(drawn.sum(axis=1), 1, atol=1e-5)
        pure = np.isclose(drawn.max(axis=1), 1, atol=1e-4).mean()
        assert 0.3 < pure < 0.6
        assert 0.05 < np.mean(drawn.max(axis=1) > 1.01) < 0.3


class TestLayerDistillation:
    def test_the_traced_layers_paint_what_the_network_paints(self):
        network = tiny(0)
        rng = np.random.default_rng(0)
        content = rng.random((2, 16, 24, 3), np.float32)
        style = styles_of(network, rng.standard_normal((2, 5)).astype(np.float32))
        traced = ops.sigmoid(trace(network, content, style)["expand3"].output)
        assert np.allclose(traced, network(content, style), atol=1e-6)

    def test_a_network_does_its_own_layers_without_error(self):
        teacher, other = tiny(0), tiny(1)
        rng = np.random.default_rng(0)
        content = rng.random((1, 16, 16, 3), np.float32)
        bottleneck = rng.standard_normal((1, 5)).astype(np.float32)
        style = styles_of(teacher, bottleneck)
        traces = trace(teacher, content, style)
        assert float(layerwise_loss(teacher, traces, style)) < 1e-9
        assert float(layerwise_loss(other, traces, styles_of(other, bottleneck))) > 0.1


class TestConsistency:
    def test_moving_a_picture_agrees_with_warping_it(self):
        picture = dataset.content_batch(pictures(1), 1, 40, np.random.default_rng(0))
        moved = np.asarray(consistency.shift(picture, consistency.shift_kernel(0.75, -1.5)))
        matrix = np.array(((1, 0, -1.5), (0, 1, 0.75)), np.float32)
        warped = cv2.warpAffine(picture[0], matrix, (40, 40), flags=cv2.INTER_LINEAR)
        assert np.allclose(moved[0], consistency.trim(warped[None])[0], atol=2e-3)

    def test_the_second_view_is_the_first_one_moved(self):
        smooth = [cv2.GaussianBlur(picture, (0, 0), 4) for picture in pictures(3)]
        views = consistency.draw_views(smooth, 2, 48, np.random.default_rng(4), moving=True)
        moved = np.asarray(consistency.shift(views.first, views.kernel))
        still = np.abs(consistency.trim(views.second) - consistency.trim(views.first)).mean()
        assert np.abs(moved - consistency.trim(views.second)).mean() < still / 3

    def test_still_views_differ_in_noise_and_exposure(self):
        views = consistency.draw_views(pictures(3), 4, 32, np.random.default_rng(1), moving=False)
        assert np.array_equal(
            np.asarray(consistency.shift(views.first, views.kernel)), consistency.trim(views.first)
        )
        noise = (views.noisy_first - views.first).std()
        assert 0.2 * consistency.CAMERA_NOISE < noise < 1.6 * consistency.CAMERA_NOISE
        assert not np.array_equal(
            views.noisy_first - views.first, views.noisy_second - views.second
        )
        assert not np.array_equal(views.first, views.second)


class Line(keras.Model):
    """y = kernel x: the least that can learn."""

    def __init__(self):
        super().__init__()
        self.line = layers.Dense(1, use_bias=False, name="line", kernel_initializer="zeros")
        self.line.build((None, 1))
        self.built = True

    def call(self, x):
        return self.line(x)


def line_stage(network, steps, slope=3.0):
    def draw(rng):
        x = rng.standard_normal((8, 1)).astype(np.float32)
        return x, (slope * x).astype(np.float32)

    def loss(x, y):
        return ops.mean(ops.square(network(x) - y))

    def evaluate_line(mean):
        return {"slope": float(np.ravel(mean.line.kernel)[0])}

    return TrainingStage("line", steps, 0.05, draw, loss, evaluate_line)


class TestTrainer:
    def test_it_learns_and_logs(self, tmp_path):
        network, entries = Line(), []
        trainer = Trainer(network, Line(), tmp_path, seed=0)
        trainer.run(line_stage(network, 600), entries.append)
        assert [entry["step"] for entry in entries] == [250, 500, 600]
        assert np.ravel(network.line.kernel)[0] == pytest.approx(3, abs=0.05)
        logged = (tmp_path / "log.jsonl").read_text().splitlines()
        assert [json.loads(line)["slope"] for line in logged] == [e["slope"] for e in entries]

    def test_a_stopped_run_goes_on_as_if_it_had_not_been(self, tmp_path):
        class Stopped(Exception):  # noqa: N818 - not an error
            pass

        def stop(entry):
            raise Stopped

        kernels = []
        for name, stops in (("whole", False), ("stopped", True)):
            if stops:
                first = Line()
                with pytest.raises(Stopped):
                    Trainer(first, Line(), tmp_path / name, 0).run(line_stage(first, 300), stop)
            network, average = Line(), Line()
            Trainer(network, average, tmp_path / name, 0).run(line_stage(network, 300), len)
            kernels.append((np.ravel(network.line.kernel)[0], np.ravel(average.line.kernel)[0]))
        assert kernels[0] == pytest.approx(kernels[1], rel=1e-6)

    def test_a_finished_stage_only_gives_back_its_result(self, tmp_path):
        network, entries = Line(), []
        Trainer(network, Line(), tmp_path, 0).run(line_stage(network, 120), len)
        again, average = Line(), Line()
        Trainer(again, average, tmp_path, 0).run(line_stage(again, 120), entries.append)
        assert entries == []
        assert np.ravel(again.line.kernel)[0] == np.ravel(network.line.kernel)[0] != 0

    def test_a_step_that_is_not_finite_changes_nothing(self, tmp_path):
        network, average = Line(), Line()
        stage = line_stage(network, 3, slope=np.nan)
        Trainer(network, average, tmp_path, 0).run(stage, len)
        assert np.ravel(network.line.kernel)[0] == np.ravel(average.line.kernel)[0] == 0

    def test_the_rate_rises_and_then_falls(self):
        stage = line_stage(Line(), 1000)
        rates = [learning_rate_at(stage, step) for step in range(1000)]
        assert np.argmax(rates) == pytest.approx(WARM_UP_STEPS, abs=2)
        assert rates[0] < 0.05 * max(rates)
        assert rates[-1] < 0.03 * max(rates)


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
            60,
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


def vgg_path(assets):
    return assets / "models" / "vgg19" / "vgg19_normalised_conv1_1-conv4_1.npz"


class TestVgg:
    def test_features_are_positive_and_about_one(self, assets):
        photo = cv2.imread(str(assets / "photos" / "tubingen.jpg"), cv2.IMREAD_COLOR_RGB)
        features = Vgg(vgg_path(assets))(dataset.to_unit(center_square(photo, 128))[None])
        assert list(features) == list(LOSS_LAYERS)
        assert [feature.shape[1:3] for feature in features.values()] == [
            (128, 128),
            (64, 64),
            (32, 32),
            (16, 16),
        ]
        means = [float(ops.mean(feature)) for feature in features.values()]
        assert all(0.2 < mean < 2.5 for mean in means)  # "normalised": about 1, pooled by maximum

    def test_an_unknown_layer_is_refused(self, assets):
        with pytest.raises(UsageError, match="block9"):
            Vgg(vgg_path(assets), ["block9"])(np.zeros((1, 32, 32, 3), np.float32))

    def test_gram_distance_is_zero_only_for_the_same_statistics(self):
        rng = np.random.default_rng(0)
        one, other = (
            {name: rng.random((1, 8, 8, 4), np.float32) for name in LOSS_LAYERS} for _ in "ab"
        )
        mirrored = {name: feature[:, ::-1] for name, feature in one.items()}
        assert float(gram_distance(mirrored, one)[0]) < 1e-9
        assert float(gram_distance(other, one)[0]) > 1e-4


class TestEvaluate:
    def test_a_teacher_is_as_good_as_itself(self, assets):
        paint = evaluate.painter(tiny(0))

        def predict(picture):
            return np.resize(picture.mean(axis=(0, 1)) / 255, 5).astype(np.float32)

        report = evaluate.evaluate(
            paint, paint, (predict, predict), (pictures(1), pictures(2, 1)), vgg_path(assets)
        )
        assert report.psnr > 100
        assert report.own_psnr > 100
        assert (report.ssim, report.cosine) == (pytest.approx(1, abs=1e-5),) * 2
        assert (report.noise, report.pan, report.gram) == (pytest.approx(1, abs=1e-4),) * 3
        assert "psnr" in str(report)

    def test_blur_is_steadier_and_less_alike(self):
        def sharp(content, _style):
            return content

        def blurred(content, _style):
            return cv2.GaussianBlur(content[0], (0, 0), 1.5)[None]

        def predict(picture):
            return picture.mean(axis=(0, 1))

        report = evaluate.evaluate(
            sharp, blurred, (predict, predict), (pictures(1), pictures(2, 1))
        )
        assert report.noise < 0.3
        assert report.pan < 0.9
        assert report.psnr < 40
        assert report.ssim < 0.99
        assert np.isnan(report.gram)

    def test_the_worst_tenth_is_what_it_says(self):
        assert evaluate.worst_tenth(list(range(20, 0, -1))) == 1.5
        assert evaluate.worst_tenth([3.0, 2.0]) == 2

    def test_psnr_is_decibels(self):
        zeros = np.zeros((4, 4, 3), np.float32)
        assert evaluate.psnr(zeros, zeros + 0.1) == pytest.approx(20, abs=1e-4)


class TestPredictor:
    def test_a_pool_is_filled_once(self, tmp_path):
        calls = []

        def predict(picture):
            calls.append(picture)
            return picture.mean(axis=(0, 1)).astype(np.float32)

        made = [
            predictor.build_style_dataset(
                tmp_path, pictures(2), predict, 5, np.random.default_rng(0)
            )
            for _ in range(2)
        ]
        assert len(calls) == 5
        shown, bottlenecks = made[1].draw(7, np.random.default_rng(0))
        assert shown.shape == (7, 256, 256, 3)
        assert np.allclose(shown.mean(axis=(1, 2)) * 255, bottlenecks, atol=0.1)

    def test_rare_directions_are_raised_but_not_to_the_level_of_common_ones(self):
        rng = np.random.default_rng(0)
        spread = np.array((10, 1), np.float32)
        points = rng.standard_normal((4000, 2)).astype(np.float32) * spread
        sizes = np.sort((points @ predictor.whitening_matrix(points)).std(axis=0))
        assert 2 < sizes[1] / sizes[0] < 9


def test_weights_are_kept_as_small_numbers_without_pickle(tmp_path):
    network = tiny(0)
    path = tmp_path / "w.npz"
    save_weights(path, collect(network))
    with np.load(path, allow_pickle=False) as archive:
        assert {archive[key].dtype for key in archive.files} == {np.dtype(np.float16)}
    for key, array in load_npz(path, network_shapes(network), "it").items():
        assert np.allclose(array, collect(network)[key], atol=1e-3)


def test_a_shortened_config_keeps_all_its_stages():
    short = config.shortened(10**6)
    assert [stage.name for stage in short.transformer_stages] == [
        s.name for s in config.BUILTIN.transformer_stages
    ]
    assert {stage.steps for stage in short.transformer_stages} | {short.style_samples} == {1}


def test_train_makes_weights_of_folders_of_pictures_and_judges_them(folder, tmp_path, assets):
    run = CliRunner()
    out = tmp_path / "run"
    arguments = ["train", str(out), "--photos", str(folder), "--artworks", str(folder)]
    arguments += ["--models-dir", str(assets / "models"), "--offline"]
    made = run.invoke(app, [*arguments, "--shorten", "5000"], catch_exceptions=False)
    assert "stage predictor  step 2" in made.stderr
    assert made.stdout.split() == [str(out / "transformer.npz"), str(out / "predictor.npz")]
    steps = [json.loads(line)["stage"] for line in (out / "log.jsonl").read_text().splitlines()]
    assert steps == [f"transformer-{s.name}" for s in config.BUILTIN.transformer_stages] + [
        "predictor"
    ]
    judged = run.invoke(app, [*arguments, "--evaluate"], catch_exceptions=False)
    assert judged.stdout.startswith("psnr ")


def test_train_leaves_weights_alone_that_are_not_of_a_run_in_that_folder(folder, tmp_path, assets):
    (tmp_path / "loss.npz").write_bytes(b"precious")
    arguments = ["train", str(tmp_path), "--photos", str(folder), "--artworks", str(folder)]
    with pytest.raises(UsageError, match=r"loss\.npz exists"):
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert (tmp_path / "loss.npz").read_bytes() == b"precious"
    with pytest.raises(SinkError, match="is a file: name a folder"):
        CliRunner().invoke(app, ["train", __file__, *arguments[2:]], catch_exceptions=False)
