"""Bottlenecks: predicted once, kept, packaged, and predicted again where they are damaged."""

import json
import resource
import shutil
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest
from style_samples import Predictor, paint

from nst_video.errors import SourceError, StyleError
from nst_video.style_library.bottlenecks import package_bottlenecks
from nst_video.style_library.library import StyleLibrary
from nst_video.system import paths as folders


@pytest.fixture(autouse=True)
def compiled_networks() -> None:
    """These tests begin with an empty cache."""


def test_bottleneck_is_predicted_once(library, packaged):
    predictor = Predictor()
    first = library.bottleneck(library.get("wave"), predictor)
    again = StyleLibrary(packaged).bottleneck(library.get("wave"), predictor)
    assert predictor.calls == 1
    assert first.dtype == again.dtype == np.float32
    assert np.array_equal(first, again)


def test_bottleneck_is_read_by_another_process(library, packaged):
    expected = library.bottleneck(library.get("wave"), Predictor())
    code = (
        "import sys, json; from pathlib import Path\n"
        "from nst_video.style_library.library import StyleLibrary\n"
        "class Never:\n"
        "    key = 'toy-1a2b'\n"
        "    def __call__(self, picture): raise SystemExit('predicted again')\n"
        "library = StyleLibrary(Path(sys.argv[1]))\n"
        "print(json.dumps(library.bottleneck(library.get('wave'), Never()).tolist()))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, str(packaged)], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout) == expected.tolist()


def test_bottleneck_belongs_to_a_model_and_a_picture(library, packaged):
    ours, other = Predictor("toy-1a2b"), Predictor("toy-ffff")
    library.bottleneck(library.get("wave"), ours)
    library.bottleneck(library.get("wave"), other)
    library.bottleneck(library.get("autumn"), ours)
    assert (ours.calls, other.calls) == (2, 1)
    paint(packaged / "wave.png", seed=99)
    library.bottleneck(library.get("wave"), ours)
    assert ours.calls == 3


def test_bottleneck_of_a_copied_picture_is_known(library, packaged, tmp_path):
    predictor = Predictor()
    library.bottleneck(library.get("wave"), predictor)
    shutil.copy(packaged / "wave.png", tmp_path / "copy.png")
    library.bottleneck(library.get(tmp_path / "copy.png"), predictor)
    assert predictor.calls == 1


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-3]),
        lambda path: path.write_bytes(b"\x93NUMPY garbage" * 9),
        lambda path: path.write_bytes(path.read_bytes() + b"0000"),
        lambda path: path.write_bytes(path.read_bytes()[:-1] + b"\x01"),
    ],
    ids=["empty", "cut", "garbage", "longer", "one byte"],
)
def test_bottleneck_is_predicted_again_when_the_cache_is_broken(library, damage):
    predictor = Predictor()
    expected = library.bottleneck(library.get("wave"), predictor)
    (file,) = (folders.cache_dir() / "bottlenecks" / predictor.key).iterdir()
    damage(file)
    assert np.array_equal(library.bottleneck(library.get("wave"), predictor), expected)
    assert predictor.calls == 2
    library.bottleneck(library.get("wave"), predictor)
    assert predictor.calls == 2


def test_bottleneck_of_one_picture_is_not_taken_for_that_of_another(library):
    predictor = Predictor()
    wave = library.bottleneck(library.get("wave"), predictor)
    autumn = library.bottleneck(library.get("autumn"), predictor)
    first, second = (folders.cache_dir() / "bottlenecks" / predictor.key).iterdir()
    first.write_bytes(second.read_bytes())
    assert np.array_equal(library.bottleneck(library.get("wave"), predictor), wave)
    assert np.array_equal(library.bottleneck(library.get("autumn"), predictor), autumn)
    assert predictor.calls == 3


def test_bottleneck_needs_no_room_on_the_disk(library):
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, limit[1]))
        bottleneck = library.bottleneck(library.get("wave"), Predictor())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
        signal.signal(signal.SIGXFSZ, before)
    assert bottleneck.shape == (3,)
    assert [path for path in folders.cache_dir().rglob("*") if path.is_file()] == []


def test_bottleneck_needs_no_cache_folder(library):
    folders.cache_dir().parent.mkdir()
    folders.cache_dir().write_text("a file where the folder should be")
    assert library.bottleneck(library.get("wave"), Predictor()).shape == (3,)


def test_bottleneck_that_is_no_vector_of_numbers_is_refused(library):
    for answer in (np.array([np.nan], np.float32), np.zeros((1, 3), np.float32)):
        with pytest.raises(StyleError, match="no usable result"):
            library.bottleneck(library.get("wave"), Predictor(answer=answer))


def test_bottleneck_of_a_picture_that_is_none_says_so(library, packaged):
    style = library.get("wave")
    style.path.write_text("text")
    with pytest.raises(SourceError, match="not a picture"):
        library.bottleneck(style, Predictor())
    style.path.unlink()
    with pytest.raises(SourceError, match="no such file"):
        library.bottleneck(style, Predictor())


def test_bottlenecks_that_are_packaged_are_not_predicted(library, packaged):
    style = library.get("wave")
    expected = library.bottleneck(style, Predictor())
    path = package_bottlenecks(library.styles(), Predictor(), packaged, same_as=["toy-3c4d"])
    assert path == packaged / "bottlenecks-toy.npz"
    shutil.rmtree(folders.cache_dir())
    for key in ("toy-1a2b", "toy-3c4d"):
        predictor = Predictor(key)
        assert np.array_equal(library.bottleneck(style, predictor), expected)
        assert predictor.calls == 0
    assert not folders.cache_dir().exists()


def test_bottlenecks_packaged_for_other_weights_are_not_used(library, packaged):
    package_bottlenecks(library.styles(), Predictor(), packaged)
    predictor = Predictor("toy-ffff")
    library.bottleneck(library.get("wave"), predictor)
    assert predictor.calls == 1


def test_bottlenecks_packaged_but_damaged_are_predicted(library, packaged):
    style = library.get("wave")
    path = package_bottlenecks(library.styles(), Predictor(), packaged)
    whole = path.read_bytes()
    expected = library.bottleneck(style, Predictor())
    rng = np.random.default_rng(0)
    for _ in range(200):
        data = bytearray(whole)
        data[rng.integers(len(data))] ^= 1 << rng.integers(8)
        path.write_bytes(data)
        assert np.array_equal(library.bottleneck(style, Predictor()), expected)
    path.write_bytes(b"PK broken")
    assert np.array_equal(library.bottleneck(style, Predictor()), expected)


def test_bottleneck_asked_for_by_many_threads_is_right(library):
    results = []
    threads = [
        threading.Thread(
            target=lambda: results.append(library.bottleneck(library.get("wave"), Predictor()))
        )
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(np.array_equal(result, results[0]) for result in results)


def test_real_predictor_bottleneck_is_cached(library, assets, lite_files):
    from nst_video.networks.models import load_model

    predictor = load_model("magenta-lite", lite_files).predictor
    style = library.get(assets / "paintings" / "starry-night.jpg")
    bottleneck = library.bottleneck(style, predictor)
    assert bottleneck.shape == (100,)
    never = Predictor(predictor.key)
    assert np.array_equal(library.bottleneck(style, never), bottleneck)
    assert never.calls == 0
