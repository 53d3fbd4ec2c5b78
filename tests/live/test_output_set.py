"""The outputs of a session."""

import threading
import time

from live_tools import (
    SIZE,
    Collector,
    info_of,
    numbered,
    wait_until,
)

from nst_video.live import (
    Output,
)
from nst_video.live.output_set import LiveOutputs


def test_recording_badge_counts_from_the_first_frame_recorded() -> None:
    ready, seen = threading.Event(), Collector()

    def open_slowly(info: object) -> Collector:
        ready.wait(20)
        return seen

    outputs = LiveOutputs()
    outputs.add(Output("recording", open_slowly))
    outputs.put(numbered(0), info_of(SIZE))
    assert outputs.badges(time.monotonic() + 60) == ()
    ready.set()
    wait_until(lambda: seen.seen)
    begun_s = seen.seen[0][1]
    assert outputs.badges(begun_s + 0.5) == ("REC 0:00",)
    assert outputs.badges(begun_s + 62.5) == ("REC 1:02",)
    outputs.close(lambda text: None)
