"""A short run of `tools/fuzz_pictures.py`."""

import importlib.util
import sys

import pytest
from repository import REPO

TOOL = REPO / "tools" / "fuzz_pictures.py"


@pytest.fixture(scope="module")
def fuzz():
    spec = importlib.util.spec_from_file_location("fuzz_pictures", TOOL)
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(TOOL.parent)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


def test_pictures_of_every_format_and_mode_are_read(fuzz, tmp_path):
    files = fuzz.valid_pictures()
    assert len({name.split("-")[0] for name in files}) == 11
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
        assert fuzz.try_picture(tmp_path / name) == "frame", name


def test_damaged_pictures_give_a_frame_or_a_sentence(fuzz, tmp_path):
    outcomes = list(fuzz.run(300, 5, 0, tmp_path))
    assert len(outcomes) == 300
    assert {*outcomes} == {"frame", "sentence"}
