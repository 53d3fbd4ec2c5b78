"""Options of what part of a video to read and how to encode the result."""

from dataclasses import dataclass
from typing import Annotated

import typer

from nst_video.cli.completion import among
from nst_video.cli.options import number
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

INPUT_PANEL = "Input"
OUTPUT_PANEL = "Output"

OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        "-o",
        help="File (for a single input) or folder; by default beside the input. The suffix "
        f"chooses the format: {suffix_list(CONTAINERS)}.",
        metavar="PATH",
        rich_help_panel=OUTPUT_PANEL,
    ),
]


@dataclass(frozen=True, kw_only=True)
class VideoOptions:
    """What to decode and how to encode, as typed."""

    start: Annotated[
        str | None,
        typer.Option(
            "--start",
            help="Start time: 12.5, 1:30 or 1:02:03.",
            metavar="TIME",
            rich_help_panel=INPUT_PANEL,
        ),
    ] = None
    end: Annotated[
        str | None,
        typer.Option("--end", help="End time.", metavar="TIME", rich_help_panel=INPUT_PANEL),
    ] = None
    video_stream: Annotated[
        int | None,
        number(
            COUNT,
            "--video-stream",
            help="Video stream to stylize, counted from 1; the default stream if not given.",
            metavar="N",
            panel=INPUT_PANEL,
        ),
    ] = TranscodeOptions.video_stream
    keep_partial: Annotated[
        bool,
        typer.Option(
            "--keep-partial",
            help="Keep what can be decoded of a damaged file instead of failing.",
            rich_help_panel=INPUT_PANEL,
        ),
    ] = TranscodeOptions.keep_partial
    fps: Annotated[
        str | None,
        typer.Option(
            "--fps",
            help="Frame rate: 25, 29.97 or 30000/1001; by default that of the input.",
            metavar="RATE",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None
    size: Annotated[
        str | None,
        typer.Option(
            "--size",
            help="Frame size: 640x360, or 640x or x360 to keep the aspect ratio; by default that "
            "of the input.",
            metavar="WxH",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = None
    crf: Annotated[
        int | None,
        number(
            CRF,
            "--crf",
            help=f"Constant quality, lower is better; by default {CODECS['h264'].crf} for h264.",
            panel=OUTPUT_PANEL,
        ),
    ] = TranscodeOptions.crf
    codec: Annotated[
        str | None,
        typer.Option(
            "--codec",
            metavar="NAME",
            autocompletion=among(CODECS),
            help="Video codec: h264, hevc, vp9 or av1; by default h264, and vp9 for .webm.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = TranscodeOptions.codec
    encoder_preset: Annotated[
        str | None,
        typer.Option(
            "--encoder-preset",
            metavar="PRESET",
            autocompletion=among(CODECS["h264"].presets),
            help="Encoding speed against file size: ultrafast to placebo for h264 and hevc, a "
            "number for vp9 and av1.",
            rich_help_panel=OUTPUT_PANEL,
        ),
    ] = TranscodeOptions.preset

    def parse(self, batch_size: int | None = TranscodeOptions.batch_size) -> TranscodeOptions:
        """Return these options with times, rate and size parsed.

        Raises:
            UsageError: a value that makes no sense.
        """
        return TranscodeOptions(
            start_s=TranscodeOptions.start_s if self.start is None else parse_time(self.start),
            end_s=None if self.end is None else parse_time(self.end),
            fps=None if self.fps is None else parse_rate(self.fps),
            size=None if self.size is None else parse_size(self.size),
            video_stream=self.video_stream,
            keep_partial=self.keep_partial,
            codec=self.codec,
            crf=self.crf,
            preset=self.encoder_preset,
            batch_size=batch_size,
        )
