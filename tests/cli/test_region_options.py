"""Options of masks that make no sense are refused in one sentence, before anything is loaded."""

from pathlib import Path

import pytest

from nst_video.cli.region_options import BackgroundOptions, choose_regions
from nst_video.errors import UsageError

PERSON = (Path("person"),)


@pytest.mark.parametrize(
    ("styles", "masks", "background", "message"),
    [
        (["wave"], (), "blur", "need --mask"),
        (["original"], (), None, "--style original needs --mask and --background"),
        (["wave"], PERSON, "#12", "#12 is no color"),
        (["wave"], PERSON * 2, None, "One --mask is enough, not 2"),
        (["original", "wave"], PERSON, "neon", "cannot be mixed"),
        (["original"], PERSON, "original", "give --background a style"),
        (["wave"], (Path("nope.png"),), None, "No file nope.png for --mask"),
    ],
)
def test_options_that_make_no_sense_are_refused(styles, masks, background, message):
    with pytest.raises(UsageError, match=message):
        choose_regions(styles, masks, BackgroundOptions(background=background))


@pytest.mark.parametrize("background", ["#00b140", "green", "blur", "woodcut", None])
def test_a_person_in_a_style_before_any_background(background):
    styles, regions = choose_regions(["wave"], PERSON, BackgroundOptions(background=background))
    assert styles == ["wave"]
    assert regions is not None
    assert (regions.mask, regions.rest) == ("person", background or "original")
