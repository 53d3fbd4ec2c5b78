"""The table of models, and finding files on disk."""

import hashlib
import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from nst_video import weights
from nst_video.errors import HashMismatchError, ModelMissingError, UsageError, WeightsError
from nst_video.system import paths
from nst_video.weights import FileVariant, ModelArchive, ModelFile, ModelFiles, store


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


PLAIN, TAGGED, GRAPH = b"network" * 99, b"network" * 99 + b"metadata", b"graph" * 99


def variant(name, data, url="http://127.0.0.1:9/none"):
    return FileVariant(name, len(data), hashlib.sha256(data).hexdigest(), url)


GRAPH_FILE = variant("saved_model.pb", GRAPH)
TABLE = {
    "toy": ModelFiles(
        "toy",
        "",
        "MIT",
        (ModelFile("predictor", (variant("plain.bin", PLAIN), variant("tagged.bin", TAGGED))),),
    ),
    "saved": ModelFiles(
        "saved",
        "",
        "MIT",
        archive=ModelArchive(
            "saved_model",
            (),
            (
                GRAPH_FILE,
                variant("variables/variables.index", b"known index"),
                FileVariant("variables/variables.data-00000-of-00001", 5, None),
            ),
            GRAPH_FILE,
        ),
    ),
    "inside": ModelFiles("inside", "", "MIT", embedded=True),
}


def resolve(name="toy", **options):
    return weights.resolve(name, models=TABLE, offline=True, **options)


def saved_model(folder, index=b"known index", **shards):
    """Write a SavedModel folder; shards by the digits in their names."""
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(GRAPH)
    (folder / "variables/variables.index").write_bytes(index)
    for digits, data in (shards or {"s00000_of_00001": b"12345"}).items():
        name = f"variables.data-{digits[1:].replace('_', '-')}"
        (folder / "variables" / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("place", ["", "toy"])
@pytest.mark.parametrize(("name", "data"), [("plain.bin", PLAIN), ("tagged.bin", TAGGED)])
def test_resolve_finds_any_variant_in_a_named_folder(tmp_path, place, name, data):
    file = tmp_path / "models" / place / name
    file.parent.mkdir(parents=True)
    file.write_bytes(data)
    assert resolve(models_dir=tmp_path / "models") == {"predictor": file}
    assert weights.is_cached("toy", tmp_path / "models", models=TABLE)


def test_resolve_reads_the_folder_from_the_environment(tmp_path, monkeypatch):
    (tmp_path / "plain.bin").write_bytes(PLAIN)
    monkeypatch.setenv("NST_VIDEO_MODELS", str(tmp_path))
    assert resolve() == {"predictor": tmp_path / "plain.bin"}


def test_resolve_prefers_the_named_folder_to_the_cache(tmp_path):
    (tmp_path / "plain.bin").write_bytes(PLAIN)
    cached = weights.install("toy", tmp_path, models=TABLE)["predictor"]
    assert resolve()["predictor"] == cached
    assert resolve(models_dir=tmp_path)["predictor"] == tmp_path / "plain.bin"


def test_resolve_falls_back_to_the_cache(tmp_path):
    (tmp_path / "plain.bin").write_bytes(PLAIN)
    cached = weights.install("toy", tmp_path, models=TABLE)["predictor"]
    (tmp_path / "plain.bin").unlink()
    assert resolve(models_dir=tmp_path)["predictor"] == cached


def test_resolve_refuses_and_keeps_a_wrong_file_of_the_users(tmp_path):
    (tmp_path / "plain.bin").write_bytes(b"else")
    with pytest.raises(HashMismatchError, match=hashlib.sha256(b"else").hexdigest()):
        resolve(models_dir=tmp_path)
    assert (tmp_path / "plain.bin").read_bytes() == b"else"
    assert not weights.is_cached("toy", tmp_path, models=TABLE)
    assert resolve(models_dir=tmp_path, trust=True)["predictor"] == tmp_path / "plain.bin"


def test_resolve_refuses_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(WeightsError, match="No folder"):
        resolve(models_dir=tmp_path / "nowhere")


@pytest.mark.parametrize("model", ["toy", "inside"])
@pytest.mark.parametrize("by", ["option", "environment"])
def test_every_model_refuses_a_named_folder_that_is_none(tmp_path, monkeypatch, model, by):
    (tmp_path / "file").write_bytes(PLAIN)
    for name, problem in (
        ("typo", "no such file"),
        ("file", "it is a file"),
        ("x" * 300, "longer"),
    ):
        option = tmp_path / name
        if by == "environment":
            monkeypatch.setenv("NST_VIDEO_MODELS", str(option))
            option = None
        with pytest.raises(WeightsError, match=f"No folder .*{problem}"):
            resolve(model, models_dir=option)
        with pytest.raises(WeightsError, match=f"No folder .*{problem}"):
            weights.is_cached(model, option, models=TABLE)
        with pytest.raises(WeightsError, match=f"No folder .*{problem}"):
            weights.check_models_dir(option, models=TABLE)


def test_a_named_folder_must_hold_a_file_of_some_model(tmp_path):
    (tmp_path / "notes.txt").write_text("no model")
    with pytest.raises(WeightsError, match="holds no file of any model"):
        weights.check_models_dir(tmp_path, models=TABLE)
    (tmp_path / "toy").mkdir()
    (tmp_path / "toy" / "plain.bin").write_bytes(b"else")
    weights.check_models_dir(tmp_path, models=TABLE)
    with pytest.raises(HashMismatchError, match=r"plain\.bin"):
        weights.check_models_dir(tmp_path, whole=True, models=TABLE)


def test_resolve_names_the_models_there_are():
    with pytest.raises(UsageError, match="No model 'tiy': choose one of toy, saved, inside"):
        resolve("tiy")


@pytest.mark.parametrize(
    ("value", "offline"), [("1", True), ("yes", True), ("0", False), ("", False)]
)
def test_is_offline_reads_the_environment(monkeypatch, value, offline):
    monkeypatch.setenv("NST_VIDEO_OFFLINE", value)
    assert weights.is_offline() is offline


def test_resolve_finds_a_known_saved_model(tmp_path):
    folder = saved_model(tmp_path / "saved")
    assert resolve("saved", models_dir=tmp_path) == {"saved_model": folder}
    assert resolve("saved", models_dir=folder) == {"saved_model": folder}


def test_resolve_accepts_another_checkpoint_of_the_same_graph(tmp_path):
    folder = saved_model(tmp_path, b"mine", s00000_of_00002=b"ab", s00001_of_00002=b"c")
    assert resolve("saved", models_dir=tmp_path) == {"saved_model": folder}


@pytest.mark.parametrize(
    "shards",
    [
        {"s00000_of_00002": b"ab"},
        {"s00000_of_00001": b"ab", "s00000_of_00002": b"ab"},
    ],
)
def test_resolve_refuses_a_checkpoint_that_lacks_a_shard(tmp_path, shards):
    saved_model(tmp_path, b"mine", **shards)
    with pytest.raises(WeightsError, match="incomplete"):
        resolve("saved", models_dir=tmp_path)


def test_resolve_refuses_a_known_checkpoint_of_the_wrong_size(tmp_path):
    saved_model(tmp_path, s00000_of_00001=b"1234")
    with pytest.raises(HashMismatchError, match="a size of 5 bytes"):
        resolve("saved", models_dir=tmp_path)


def test_resolve_refuses_another_graph(tmp_path):
    (saved_model(tmp_path) / "saved_model.pb").write_bytes(b"?")
    with pytest.raises(HashMismatchError, match=r"saved_model\.pb"):
        resolve("saved", models_dir=tmp_path)


def test_resolve_refuses_a_saved_model_without_index(tmp_path):
    (saved_model(tmp_path) / "variables/variables.index").unlink()
    with pytest.raises(WeightsError, match=r"variables\.index is missing"):
        resolve("saved", models_dir=tmp_path)


def test_resolve_returns_every_embedded_file(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "EMBEDDED_DIR", tmp_path)
    with pytest.raises(ModelMissingError, match="built without the inside model"):
        resolve("inside")
    for name in ("transformer", "predictor"):
        (tmp_path / f"{name}.npz").write_bytes(b"")
    expected = {name: tmp_path / f"{name}.npz" for name in ("predictor", "transformer")}
    assert resolve("inside") == expected
    assert weights.install("inside", tmp_path, models=TABLE) == expected


def test_install_copies_a_saved_model(tmp_path):
    saved_model(tmp_path / "usb")
    for _ in range(2):  # the second replaces the first
        copy = weights.install("saved", tmp_path / "usb", models=TABLE)["saved_model"]
    shutil.rmtree(tmp_path / "usb")
    assert resolve("saved") == {"saved_model": copy}
    assert [path.name for path in (paths.cache_dir() / "models").iterdir()] == ["saved"]


@pytest.mark.parametrize("name", ["toy", "saved"])
def test_install_says_what_is_not_there(tmp_path, name):
    with pytest.raises(ModelMissingError, match=f"not in {tmp_path}"):
        weights.install(name, tmp_path, models=TABLE)


def test_install_refuses_a_wrong_file_unless_trusted(tmp_path):
    (tmp_path / "plain.bin").write_bytes(b"else")
    with pytest.raises(HashMismatchError):
        weights.install("toy", tmp_path, models=TABLE)
    weights.install("toy", tmp_path, trust=True, models=TABLE)
    assert resolve()["predictor"].read_bytes() == b"else"


def silently_damage(file):
    """Change a byte, but neither size nor time."""
    status = file.stat()
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 255
    file.write_bytes(data)
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_verify_reads_what_resolve_only_remembers(tmp_path):
    (tmp_path / "plain.bin").write_bytes(PLAIN)
    path = weights.install("toy", tmp_path, models=TABLE)["predictor"]
    (file,) = weights.verify("toy", models=TABLE)
    assert (file.path, file.sha256, file.basis) == (
        path,
        hashlib.sha256(PLAIN).hexdigest(),
        "known SHA-256",
    )
    silently_damage(path)
    resolve()
    with pytest.raises(HashMismatchError):
        weights.verify("toy", models=TABLE)


def test_verify_keeps_trust_while_the_contents_stay(tmp_path):
    (tmp_path / "plain.bin").write_bytes(b"else")
    path = weights.install("toy", tmp_path, trust=True, models=TABLE)["predictor"]
    assert [file.basis for file in weights.verify("toy", models=TABLE)] == ["trusted by you"]
    silently_damage(path)
    with pytest.raises(HashMismatchError):
        weights.verify("toy", models=TABLE)


def test_verify_compares_every_tensor_with_its_checksum(tmp_path):
    import tensorflow as tf

    folder = saved_model(tmp_path / "saved", s00000_of_00001=b"")
    tf.raw_ops.SaveV2(
        prefix=str(folder / "variables/variables"),
        tensor_names=["kernel"],
        shape_and_slices=[""],
        tensors=[tf.constant(np.arange(1000, dtype=np.float32))],
    )
    basis = {
        f.path.name: f.basis for f in weights.verify("saved", models_dir=tmp_path, models=TABLE)
    }
    assert basis == {
        "saved_model.pb": "known SHA-256",
        "variables.data-00000-of-00001": "the checkpoint's own CRC-32C",
        "variables.index": "no known SHA-256",
    }
    silently_damage(folder / "variables/variables.data-00000-of-00001")
    with pytest.raises(WeightsError, match="damaged"):
        weights.verify("saved", models_dir=tmp_path, models=TABLE)


def test_stamps_that_are_broken_or_cannot_be_written_cost_only_time(tmp_path):
    (tmp_path / "plain.bin").write_bytes(PLAIN)
    resolve(models_dir=tmp_path)
    (stamp,) = (paths.cache_dir() / "verified").iterdir()
    stamp.write_text("{")
    resolve(models_dir=tmp_path)
    shutil.rmtree(paths.cache_dir())
    paths.cache_dir().write_text("a file where the folder should be")
    resolve(models_dir=tmp_path)


def test_table_knows_the_real_pair_in_both_forms(assets, tmp_path):
    folder = assets / "models" / "magenta-lite"
    for file in weights.MODELS["magenta-lite"].files:
        for each in file.variants:
            assert (folder / each.name).stat().st_size == each.size
            assert weights.digest_of(folder / each.name) == each.sha256
            assert each.url.endswith(f"/{each.name}")
    assert set(weights.resolve("magenta-lite", models_dir=assets / "models", offline=True)) == {
        "predictor",
        "transformer",
    }


def test_table_knows_the_real_saved_model(assets):
    folder = assets / "models" / "magenta-hub"
    archive = weights.MODELS["magenta"].archive
    present = {each.name: each for each in archive.members if (folder / each.name).exists()}
    assert set(present) == {each.name for each in archive.members if each.sha256}
    for name, each in present.items():
        assert weights.digest_of(folder / name) == each.sha256
    with pytest.raises(WeightsError, match="data-00000-of-00002 is missing"):
        weights.resolve("magenta", models_dir=folder, offline=True)


def test_saved_model_with_synthetic_weights_is_accepted(hub_folder):
    found = weights.resolve("magenta", models_dir=hub_folder.parent, offline=True)
    assert found == {"saved_model": hub_folder}


def test_sizes_of_the_table_add_up():
    sizes = {name: model.size for name, model in weights.MODELS.items()}
    assert sizes == {"builtin": 0, "magenta-lite": 3_249_056, "magenta": 94_135_836}


def test_import_is_light():
    code = (
        "import sys, nst_video.weights; "
        "print([m for m in ('tensorflow', 'cv2', 'requests') if m in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
