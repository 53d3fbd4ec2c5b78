"""Paint a video and keep its sound: python examples/video.py in.mp4 out.mp4 wave."""

import sys

from nst_video import Progress, StylizeSettings, TranscodeOptions, stylize_video


def show(progress: Progress) -> None:
    print(f"\rframe {progress.frame} of {progress.frame_count}", end="", flush=True)


source, target, style = sys.argv[1:]
result = stylize_video(
    source,
    style,
    target,
    StylizeSettings(keep_colors=True),
    options=TranscodeOptions(end_s=10, crf=20),
    on_progress=show,
)
print(f"\n{result.target}: {result.info.frame_count} frames in {result.elapsed_s:.1f} s")
print(*result.notes, sep="\n")
