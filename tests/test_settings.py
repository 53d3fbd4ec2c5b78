"""The checks on what a user may ask for."""

import pytest

from nst_video.errors import UsageError
from nst_video.settings import Blend, ModelOptions, StylizeSettings


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"intensity": 1.5}, "from 0 to 1, not 1.5"),
        ({"intensity": float("nan")}, "from 0 to 1, not nan"),
        ({"blend": "cubist"}, "No blend 'cubist'. Choose from: latent, pixel"),
        ({"work_size": 8}, "of pixels from 32 to 16384, not 8"),
    ],
)
def test_settings_refuse_values_out_of_range(values: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        StylizeSettings(**values)


@pytest.mark.parametrize("blend", ["pixel", "latent"])
def test_settings_are_the_original_only_at_intensity_0(blend: Blend) -> None:
    assert StylizeSettings(intensity=0, blend=blend).is_original
    assert not StylizeSettings(intensity=0.01, blend=blend).is_original
    assert StylizeSettings(intensity=1, blend=blend).fade == 1


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1, "1", None, True, 10**400])
def test_settings_refuse_intensities_that_are_none(value: object) -> None:
    with pytest.raises(UsageError, match="The intensity must be a number from 0 to 1"):
        StylizeSettings(intensity=value)


@pytest.mark.parametrize("value", [0, 2.5, True, 10**9, -360, float("nan"), "360"])
def test_settings_refuse_working_sizes_that_are_none(value: object) -> None:
    with pytest.raises(UsageError, match="work_size must be auto, full or a whole number"):
        StylizeSettings(work_size=value)


@pytest.mark.parametrize("tile", ["x", -5, 0, 2.5, True, 8, 10**9, None, float("nan")])
def test_model_options_refuse_tiles_that_are_none(tile: object) -> None:
    with pytest.raises(UsageError, match="tile must be auto, off or a whole number from 16"):
        ModelOptions(tile=tile)


def test_model_options_refuse_a_folder_that_is_no_path() -> None:
    with pytest.raises(UsageError, match=r"The folder of models must be a Path, not 5\."):
        ModelOptions(models_dir=5)
