"""The packaged networks: what they are, and how well they do on pictures they never saw."""

import cv2
import numpy as np
import pytest

from nst_video.errors import WeightsError
from nst_video.image.files import load_picture
from nst_video.networks import checkpoints
from nst_video.networks.builtin import BOTTLENECK, build_style_predictor, load_style_predictor
from nst_video.networks.checkpoints import network_shapes
from nst_video.networks.models import load_model, style_input
from nst_video.networks.openvino_predictor import open_style_predictor, predictor_shapes
from nst_video.networks.transformer import TRANSFORMERS
from nst_video.training import evaluate
from nst_video.training.state import save_weights
from nst_video.weights.store import EMBEDDED_DIR

PREDICTOR = EMBEDDED_DIR / "predictor.npz"
TRANSFORMER = EMBEDDED_DIR / "transformer.npz"


def test_a_predictor_comes_back_from_its_file(tmp_path):
    network = build_style_predictor()
    path = tmp_path / "predictor.npz"
    save_weights(path, checkpoints.collect(network), "float32")
    picture = np.random.default_rng(0).random((2, 64, 80, 3), np.float32)
    made = np.asarray(load_style_predictor(path)(picture))
    assert made.shape == (2, BOTTLENECK)
    assert np.allclose(made, network(picture), atol=1e-5)


def test_other_weights_are_refused():
    with pytest.raises(WeightsError, match="lack"):
        load_style_predictor(TRANSFORMER)


def test_packaged_weights_are_small():
    assert PREDICTOR.stat().st_size + TRANSFORMER.stat().st_size < 2_000_000
    for path in (PREDICTOR, TRANSFORMER):
        with np.load(path, allow_pickle=False) as archive:
            assert {archive[key].dtype for key in archive.files} == {np.dtype(np.float16)}


def test_packaged_networks_paint_like_the_teacher_and_steadier(assets, lite_files, monkeypatch):
    teacher = load_model("magenta-lite", lite_files)
    config = TRANSFORMERS["builtin"]
    arrays = checkpoints.load_npz(TRANSFORMER, config.array_shapes(), "it")
    student = checkpoints.load_transformer(config, arrays)
    predictor = load_style_predictor(PREDICTOR)

    def predict(picture):
        return np.asarray(predictor.predict_on_batch(style_input(picture))[0])

    photos = [load_picture(path) for path in sorted((assets / "photos").iterdir())][:1]
    paintings = [load_picture(path) for path in sorted((assets / "paintings").iterdir())][:6]
    monkeypatch.setattr(evaluate, "SIDE", 160)
    monkeypatch.setattr(evaluate, "VIEWS", 3)
    report = evaluate.evaluate(
        evaluate.painter(checkpoints.load_transformer(teacher.config, teacher.arrays)),
        evaluate.painter(student),
        (teacher.predictor, predict),
        (photos, paintings),
    )
    assert report.psnr > 28
    assert report.psnr_worst > 23
    assert report.ssim > 0.85
    assert report.own_psnr > 23
    assert report.cosine > 0.9
    assert report.noise < 0.5
    assert report.pan < 0.5


def test_packaged_predictor_sees_the_difference_between_styles(assets):
    predictor = load_style_predictor(PREDICTOR)
    pictures = [load_picture(path) for path in sorted((assets / "paintings").iterdir())]
    blurred = [np.asarray(cv2.GaussianBlur(picture, (0, 0), 1), np.uint8) for picture in pictures]
    sharp, soft = (
        np.stack([np.asarray(predictor(style_input(picture)))[0] for picture in part])
        for part in (pictures, blurred)
    )
    distances = np.linalg.norm(sharp[:, None] - soft[None], axis=-1)
    assert (distances.argmin(axis=1) == np.arange(len(pictures))).all()


@pytest.mark.parametrize("seed", range(3))
def test_openvino_predicts_what_the_keras_network_does(seed: int) -> None:
    random = np.random.default_rng(seed)
    small = random.uniform(0, 1, (1, 8 << seed, 8 << seed, 3)).astype(np.float32)
    picture = small.repeat(32 >> seed, 1).repeat(32 >> seed, 2)
    expected = np.asarray(load_style_predictor(PREDICTOR)(picture))[0]
    found = open_style_predictor(PREDICTOR, 256)(picture)
    assert found.shape == (BOTTLENECK,)
    assert np.abs(found - expected).max() < 1e-4 * np.abs(expected).max()


def test_openvino_refuses_weights_of_another_network() -> None:
    with pytest.raises(WeightsError, match="the style predictor"):
        open_style_predictor(TRANSFORMER, 256)


def test_shapes_of_the_predictor_are_those_of_the_keras_network() -> None:
    assert predictor_shapes() == network_shapes(build_style_predictor())
