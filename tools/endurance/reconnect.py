"""Cuts the stream that a live session paints, again and again, and measures when it goes on.

    python tools/endurance/reconnect.py --cuts 20 --seed 1

An ffmpeg of this tool serves a test picture over TCP. It is killed at random moments and started
again after up to ten seconds. The exit status is 1 if the session ends, or needs more than 15
seconds after the stream is back, the longest pause between two attempts included.
"""

import argparse
import random
import subprocess
import sys
import threading
import time

from nst_video.live import LiveOptions, LiveSession, open_live_source, open_output
from nst_video.settings import ModelOptions, StylizeSettings
from nst_video.stylizer import Stylizer
from nst_video.video.media.ffmpeg import ffmpeg_exe

ALLOWED_S, START_S = 15.0, 5.0
ADDRESS = "tcp://127.0.0.1:{port}"


def serve(port: int) -> subprocess.Popen[bytes]:
    """Start to serve a stream; it waits for one client."""
    picture = ["-re", "-f", "lavfi", "-i", "testsrc2=s=320x240:r=25"]
    coding = ["-c:v", "mpeg2video", "-g", "12", "-f", "mpegts"]
    target = f"{ADDRESS.format(port=port)}?listen=1"
    return subprocess.Popen([ffmpeg_exe(), "-v", "quiet", *picture, *coding, target])


def cut(
    session: LiveSession,
    server: subprocess.Popen[bytes],
    given: argparse.Namespace,
    waits: list[float],
) -> None:
    """Kill the server and serve again; note how long the session needs to go on each time."""
    rng, port, cuts = random.Random(given.seed), given.port, given.cuts
    try:
        for number in range(cuts + 1):
            shown, begun_s = session.result.shown, time.monotonic()
            while session.result.shown < shown + 5 and time.monotonic() < begun_s + 4 * ALLOWED_S:
                time.sleep(0.05)
            waits.append(time.monotonic() - begun_s)
            print(f"  {'begun' if not number else 'goes on'} after {waits[-1]:.1f} s", flush=True)
            time.sleep(rng.uniform(1, 5))
            server.kill()
            server.wait()
            if number < cuts:
                time.sleep(rng.uniform(0, 10))
                server = serve(port)
    finally:
        server.kill()
        session.press("q")


def main() -> int:
    """Run the tool; return 1 if the session did not go on in time."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--port", type=int, default=18554)
    given = parser.parse_args()
    settings = StylizeSettings(work_size=120, steady=0)
    options = ModelOptions("builtin", "identity")
    session = LiveSession(
        open_live_source(ADDRESS.format(port=given.port), None),
        lambda: Stylizer("wave", settings, options),
        [open_output("null:", None)],
        has_window=False,
        settings=settings,
        options=LiveOptions(target_fps=None, duration_s=60 * (given.cuts + 2)),
    )
    waits: list[float] = []
    server = serve(given.port)
    time.sleep(START_S)
    helper = threading.Thread(target=cut, args=(session, server, given, waits))
    helper.start()
    session.run()
    helper.join()
    late = sum(wait > ALLOWED_S for wait in waits[1:])
    print(f"{len(waits) - 1} cuts, the longest wait {max(waits[1:]):.1f} s, {late} too long")
    return int(late > 0 or len(waits) <= given.cuts)


if __name__ == "__main__":
    sys.exit(main())
