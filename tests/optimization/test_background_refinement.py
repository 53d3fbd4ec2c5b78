"""A refinement in another process, with the packaged networks, for two steps."""

import numpy as np
import pytest

from nst_video.errors import StyleError
from nst_video.image.files import save_picture
from nst_video.networks.models import load_model
from nst_video.optimization import background_refinement, refine_loss, style_refinement
from nst_video.optimization.background_refinement import BackgroundRefinement
from nst_video.optimization.refine_settings import RefineSettings
from nst_video.settings import ModelOptions
from nst_video.style_library.library import StyleLibrary
from nst_video.weights import resolve


@pytest.fixture
def library(tmp_path):
    stripes = np.zeros((64, 96, 3), np.uint8)
    stripes[::8], stripes[4::8] = (250, 200, 20), (20, 30, 160)
    save_picture(tmp_path / "packaged" / "stripes.png", stripes)
    return StyleLibrary(tmp_path / "packaged", tmp_path / "yours", tmp_path / "cache")


OPTIONS = ModelOptions("builtin")


def settings_of(steps):
    return RefineSettings(minutes=60, steps=steps)


def begin(library, steps):
    # With its low priority it would wait for the other tests.
    return BackgroundRefinement(
        library.get("stripes"), library, OPTIONS, settings_of(steps), niceness=0
    )


def test_background_refinement_reports_steps_and_keeps_what_is_better(library):
    refinement = begin(library, 2)
    updates = list(refinement.updates())
    assert updates[-1].done == 1
    assert updates[-1].loss < 1
    assert any(update.is_better for update in updates)
    key = load_model("builtin", resolve("builtin")).transformer_key
    assert library.refined(refinement.style, key) is not None


def test_background_refinement_that_is_stopped_before_it_begins_starts_no_process(
    library, monkeypatch
):
    refinement = begin(library, 2)
    refinement.stop()
    monkeypatch.delattr("multiprocessing.get_context")
    assert list(refinement.updates()) == []


class ClosedPipe:
    """What the process of a refinement has once the other end is closed."""

    def __init__(self):
        self.sent = []

    def send(self, update):
        self.sent.append(update)

    def poll(self):
        return True


@pytest.mark.usefixtures("eager")
def test_background_refinement_that_is_stopped_ends_after_its_step_and_goes_on_from_there(
    library, monkeypatch
):
    for name, small in (("SIDE", 32), ("PHOTO_COUNT", 4), ("HELD_OUT_COUNT", 1)):
        monkeypatch.setattr(style_refinement, name, small)
    monkeypatch.setattr(refine_loss, "STYLE_SIDE", 48)
    pipe = ClosedPipe()
    for _ in range(2):
        background_refinement._refine(
            pipe, library.get("stripes"), library, OPTIONS, settings_of(100)
        )
    assert [round(100 * update.done) for update in pipe.sent] == [1, 2]


def test_background_refinement_says_why_it_fails(library, tmp_path):
    refinement = begin(library, 2)
    (tmp_path / "packaged" / "stripes.png").unlink()
    with pytest.raises(StyleError, match=r"Refining 'stripes' failed: .*stripes\.png"):
        list(refinement.updates())
