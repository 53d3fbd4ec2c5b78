"""Fixtures of the tests of the training."""

import pytest
from training_samples import pictures

from nst_video.image.files import save_picture


@pytest.fixture
def folder(tmp_path):
    """Twenty pictures, a known few of which are held out."""
    for index, picture in enumerate(pictures(20)):
        save_picture(tmp_path / "pictures" / f"{index}.png", picture)
    return tmp_path / "pictures"
