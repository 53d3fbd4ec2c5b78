"""The checks on what a user may ask of a painting."""

import pytest

from nst_video.errors import UsageError
from nst_video.look import Look


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"intensity": 1.5}, "from 0 to 1, not 1.5"),
        ({"intensity": float("nan")}, "from 0 to 1, not nan"),
        ({"blend": "cubist"}, "No blend 'cubist'. Choose from: latent, pixel"),
        ({"work_size": 8}, "of pixels from 32 to 16384, not 8"),
    ],
)
def test_look_refuses_values_out_of_range(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Look(**values)


def test_look_is_the_original_only_at_intensity_0_of_a_cross_fade() -> None:
    assert Look(intensity=0, blend="pixel").is_original
    assert not Look(intensity=0, blend="latent").is_original
    assert not Look(intensity=0.1, blend="pixel").is_original
