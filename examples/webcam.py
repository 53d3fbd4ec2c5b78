"""Paint a camera in a window and record it: python examples/webcam.py [SOURCE [OUTPUT ...]]."""

import sys

from nst_video import LiveOptions, run_live

source = sys.argv[1] if len(sys.argv) > 1 else 0  # camera 0, or a stream's address or a file
outputs = sys.argv[2:] or ["window:", "recording.mp4"]
options = LiveOptions(duration_s=60)  # Q ends it earlier
result = run_live(source, "wave", outputs, options=options, on_message=print)
print(f"{result.fps:.1f} fps, median latency {result.age_p50_ms:.0f} ms")
