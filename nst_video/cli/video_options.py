"""Options of what to read of a film and how to write it, each declared once."""

from typing import Annotated

import typer

from nst_video.cli.common_options import number
from nst_video.cli.completion import ENCODER_PRESETS, among
from nst_video.system.output_files import suffix_list
from nst_video.validation import COUNT
from nst_video.video.media.codec_options import (
    CRF,
    TranscodeOptions,
    parse_rate,
    parse_size,
    parse_time,
)
from nst_video.video.media.containers import CODECS, CONTAINERS

PART_PANEL = "What to read"
OUTPUT_PANEL = "What to write"

OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help=f"File (for one input) or folder; by default beside the input. Files are "
        f"{suffix_list(CONTAINERS)}.",
        metavar="PATH",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
StartOption = Annotated[
    str | None,
    typer.Option(
        "--start",
        help="Where to begin: 12.5, 1:30 or 1:02:03.",
        metavar="TIME",
        rich_help_panel=PART_PANEL,
    ),
]
EndOption = Annotated[
    str | None,
    typer.Option("--end", help="Where to stop.", metavar="TIME", rich_help_panel=PART_PANEL),
]
VideoStreamOption = Annotated[
    int | None,
    number(
        COUNT,
        "--video-stream",
        help="Which video stream to paint, from 1; the default one if not given.",
        metavar="N",
        panel=PART_PANEL,
    ),
]
KeepPartialOption = Annotated[
    bool,
    typer.Option(
        "--keep-partial",
        help="Of a damaged file, keep what can be decoded instead of failing.",
        rich_help_panel=PART_PANEL,
    ),
]
FpsOption = Annotated[
    str | None,
    typer.Option(
        "--fps",
        help="Frames per second: 25, 29.97 or 30000/1001; the input's own if not given.",
        metavar="RATE",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
SizeOption = Annotated[
    str | None,
    typer.Option(
        "--size",
        help="640x360, or 640x or x360 to keep the aspect; the input's own if not given.",
        metavar="WxH",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
CrfOption = Annotated[
    int | None,
    number(
        CRF,
        "--crf",
        help=f"Quality, lower is better; by default {CODECS['h264'].crf} for h264.",
        panel=OUTPUT_PANEL,
    ),
]
CodecOption = Annotated[
    str | None,
    typer.Option(
        "--codec",
        autocompletion=among(CODECS),
        help="h264, hevc, vp9 or av1; by default h264, vp9 for .webm.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
EncoderPresetOption = Annotated[
    str | None,
    typer.Option(
        "--encoder-preset",
        autocompletion=among(ENCODER_PRESETS),
        help="The encoder's speed, such as medium or ultrafast.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
TemplateOption = Annotated[
    str,
    typer.Option(
        "--template",
        help="Name of the output where -o is no file, of {stem}, {style} and {ext}.",
        rich_help_panel=OUTPUT_PANEL,
    ),
]
RecursiveOption = Annotated[
    bool,
    typer.Option(
        "--recursive",
        "-r",
        help="StylizeSettings into the folders in a folder, too; -o repeats these folders.",
        rich_help_panel=PART_PANEL,
    ),
]
SkipOption = Annotated[
    bool, typer.Option("--skip-existing", "-n", help="Skip inputs whose output exists.")
]


def transcode_options(
    *,
    start: str | None,
    end: str | None,
    fps: str | None,
    size: str | None,
    video_stream: int | None,
    keep_partial: bool,
    codec: str | None,
    crf: int | None,
    encoder_preset: str | None,
    batch_size: int | None = TranscodeOptions.batch_size,
) -> TranscodeOptions:
    """Return what the options ask for.

    Raises:
        UsageError: something in them makes no sense.
    """
    return TranscodeOptions(
        start_s=parse_time(start) if start is not None else TranscodeOptions.start_s,
        end_s=parse_time(end) if end is not None else None,
        fps=parse_rate(fps) if fps is not None else None,
        size=parse_size(size) if size is not None else None,
        video_stream=video_stream,
        keep_partial=keep_partial,
        codec=codec,
        crf=crf,
        preset=encoder_preset,
        batch_size=batch_size,
    )
