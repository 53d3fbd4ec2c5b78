"""The picture of the tests."""

import numpy as np
import pytest


@pytest.fixture
def picture():
    """A smooth picture whose four corners differ, RGB."""
    y, x = np.mgrid[0:48, 0:80]
    return np.stack([x * 3, y * 5, 255 - x * 2 - y], axis=-1).astype(np.uint8)
