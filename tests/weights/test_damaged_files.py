"""Damaged or foreign weight files, and such as claim what they have not: one sentence, no harm."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from repository import REPO

from nst_video.errors import WeightsError
from nst_video.networks.builtin import build_style_predictor, load_style_predictor
from nst_video.networks.checkpoints import collect, load_npz
from nst_video.networks.vgg import SHAPES, load_loss_network
from nst_video.training.state import load_state, save_state

SHAPES_WANTED = {"a.kernel": (3, 4), "a.bias": (4,)}
MEGABYTES_ALLOWED = 8


def npy(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=True)
    return file.getvalue()


def header(shape: tuple[int, ...], dtype: str = "<f4") -> bytes:
    """What a file of an array begins with, its numbers left out."""
    file = io.BytesIO()
    claims = {"descr": dtype, "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, claims)
    return file.getvalue()


def members(**changes: bytes) -> dict[str, bytes]:
    whole = {"a.kernel": npy(np.ones((3, 4), np.float16)), "a.bias": npy(np.ones(4, np.float32))}
    return whole | {name.replace("_", "."): data for name, data in changes.items()}


def write(path: Path, parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, data in parts.items():
            archive.writestr(f"{name}.npy", data)
    return path


def flip_byte(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 3] ^= 0xFF
    path.write_bytes(data)


DAMAGE: dict[str, tuple[Callable[[Path], object], str]] = {
    "claims 128 TiB": (lambda p: write(p, members(a_kernel=header((1 << 45,)))), "claims"),
    "another shape": (
        lambda p: write(p, members(a_kernel=npy(np.ones((4, 4), "f4")))),
        r"\(4, 4\)",
    ),
    "negative shape": (lambda p: write(p, members(a_kernel=header((-1, 4)))), "weight file"),
    "zip bomb": (
        lambda p: write(p, members(b_kernel=npy(np.zeros((512, 512), "f4")))),
        "'b.kernel', unknown",
    ),
    "long tail": (lambda p: write(p, members(a_bias=header((4,)) + bytes(1 << 20))), "claims"),
    "not a number": (lambda p: write(p, members(a_bias=npy(np.full(4, np.nan, "f4")))), "finite"),
    "infinite": (lambda p: write(p, members(a_bias=npy(np.full(4, np.inf, "f2")))), "finite"),
    "whole numbers": (lambda p: write(p, members(a_bias=npy(np.ones(4, "i8")))), "as int64"),
    "complex numbers": (lambda p: write(p, members(a_bias=npy(np.ones(4, "c8")))), "as complex64"),
    "objects": (
        lambda p: write(p, members(a_bias=npy(np.array([1, "a", None, 2], object)))),
        "Python objects",
    ),
    "missing": (lambda p: write(p, {"a.bias": members()["a.bias"]}), "lack 'a.kernel'"),
    "empty archive": (lambda p: write(p, {}), "lack 'a.kernel'"),
    "no array": (lambda p: write(p, members(a_bias=b"hello")), "weight file"),
    "cut header": (lambda p: write(p, members(a_bias=header((4,))[:40])), "weight file"),
    "strange header": (
        lambda p: write(p, members(a_bias=b"\x93NUMPY\x01\x00\x10\x00" + b"(" * 16)),
        "weight file",
    ),
    "truncated": (lambda p: p.write_bytes(write(p, members()).read_bytes()[:-60]), "weight file"),
    "bit rot": (
        lambda p: flip_byte(write(p, members(), zipfile.ZIP_STORED)),
        "weight file|finite",
    ),
    "text": (lambda p: p.write_text("weights"), "weight file"),
    "empty": (lambda p: p.write_bytes(b""), "weight file"),
    "a folder": (lambda p: p.mkdir(), "weight file"),
    "absent": (lambda p: None, "weight file"),
    "large": (lambda p: p.write_bytes(bytes(1 << 20)), "more than"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_damaged_weights_are_refused_in_one_sentence_and_little_memory(
    kind: str, tmp_path: Path
) -> None:
    damage, message = DAMAGE[kind]
    path = tmp_path / "weights.npz"
    damage(path)
    tracemalloc.start()
    try:
        with pytest.raises(WeightsError, match=message) as caught:
            load_npz(path, SHAPES_WANTED, "the network")
        assert tracemalloc.get_traced_memory()[1] < MEGABYTES_ALLOWED << 20
    finally:
        tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_whole_weights_are_read(tmp_path: Path) -> None:
    arrays = load_npz(write(tmp_path / "w.npz", members()), SHAPES_WANTED, "the network")
    assert {key: array.shape for key, array in arrays.items()} == SHAPES_WANTED
    assert {array.dtype for array in arrays.values()} == {np.dtype(np.float32)}


def test_loss_network_refuses_files_that_claim_too_much(tmp_path: Path) -> None:
    path = write(tmp_path / "vgg.npz", {"block1_conv1.kernel": header((1 << 45,))})
    with pytest.raises(WeightsError, match="claims"):
        load_loss_network("vgg19", path)
    path = tmp_path / "vgg.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("huge", (1 << 40,), "f4", chunks=(1 << 20,))
    with pytest.raises(WeightsError, match=r"vgg\.h5 does not hold .*huge"):
        load_loss_network("vgg19", path)


def test_packaged_loss_network_holds_what_its_shape_says(tmp_path: Path) -> None:
    shapes = SHAPES["builtin"].array_shapes()
    package = REPO / "nst_video" / "_models"
    assert load_npz(package / "loss.npz", shapes, "it", may_lack=True)


def test_style_predictor_refuses_weights_that_are_not_finite(tmp_path: Path) -> None:
    arrays = collect(build_style_predictor())
    arrays["hidden.bias"][3] = np.nan
    np.savez(tmp_path / "p.npz", **arrays)
    with pytest.raises(WeightsError, match=r"'hidden\.bias' that are not finite"):
        load_style_predictor(tmp_path / "p.npz")


def test_training_refuses_the_state_of_another_one(tmp_path: Path) -> None:
    def network(width: int) -> keras.Model:
        return keras.Sequential([keras.Input((2,)), keras.layers.Dense(width, name="only")])

    optimizer = keras.optimizers.SGD()
    optimizer.build(network(3).trainable_variables)
    path = tmp_path / "state.npz"
    save_state(path, 7, {"student": network(3)}, optimizer)
    assert load_state(path, {"student": network(3)}, optimizer) == 7
    with pytest.raises(WeightsError, match=r"student/only\.kernel.*this training needs"):
        load_state(path, {"student": network(4)}, optimizer)
