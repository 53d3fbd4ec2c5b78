"""What the window shows."""

import time

import numpy as np
from live_tools import (
    numbered,
)

from nst_video.live.display import compose
from nst_video.live.state import LiveState, RenderRequest
from nst_video.settings import StylizeSettings


def test_window_shows_both_pictures_mirrored_each_in_its_place() -> None:
    state = LiveState(
        RenderRequest(None, StylizeSettings()), is_mirrored=True, clock=time.monotonic
    )
    content, painting = numbered(1, (640, 480)), numbered(2, (640, 480))
    assert np.array_equal(compose(content, painting, state), painting[:, ::-1])
    state.is_side_by_side = True
    both = compose(content, painting, state)
    assert np.array_equal(both, np.hstack((content[:, ::-1], painting[:, ::-1])))
