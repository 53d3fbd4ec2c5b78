"""Whole training runs: configuration, command, weights."""

import json

import numpy as np
import pytest
from training_samples import on_small_pictures, tiny
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.errors import SinkError, UsageError
from nst_video.networks.checkpoints import collect, load_npz, network_shapes
from nst_video.training import config, evaluate, runs
from nst_video.training.state import save_weights


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


@pytest.mark.usefixtures("eager")
def test_train_makes_weights_of_folders_of_pictures_and_judges_them(
    folder, tmp_path, assets, monkeypatch
):
    monkeypatch.setattr(config, "BUILTIN", on_small_pictures(config.BUILTIN))
    monkeypatch.setattr(runs, "EVALUATION_SIDE", 64)
    monkeypatch.setattr(runs, "EVALUATION_PAIRS", 2)
    monkeypatch.setattr(evaluate, "SIDE", 64)
    run = CliRunner()
    out = tmp_path / "run"
    arguments = ["train", str(out), "--photos", str(folder), "--artworks", str(folder)]
    arguments += ["--models-dir", str(assets / "models"), "--offline"]
    made = run.invoke(app, [*arguments, "--shorten", "5000"], catch_exceptions=False)
    assert "stage predictor  step 2" in made.stderr
    assert made.stdout.split() == [str(out / "transformer.npz"), str(out / "predictor.npz")]
    steps = [json.loads(line)["stage"] for line in (out / "log.jsonl").read_text().splitlines()]
    stages = [f"transformer-{stage.name}" for stage in config.BUILTIN.transformer_stages]
    assert steps == [*stages, "predictor"]
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
