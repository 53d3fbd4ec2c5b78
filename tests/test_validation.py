"""Numbers out of range: one true sentence, whether a program or a command line gives them."""

import math
import typing
from fractions import Fraction

import numpy as np
import pytest
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.cli.command_table import COMMANDS, typer_app
from nst_video.errors import UsageError
from nst_video.live.session_options import LiveOptions
from nst_video.optimization.settings import PaintSettings
from nst_video.optimization.video_settings import VideoSettings
from nst_video.settings import StylizeSettings
from nst_video.validation import Range
from nst_video.video.capture.capture_options import CaptureOptions
from nst_video.video.media.codec_options import TranscodeOptions, parse_rate, parse_size, parse_time

SHARE = Range(0, 1)
STEPS = Range(1, 50, is_whole=True)
RATE = Range(0, 60, is_above=True, unit="hertz")


@pytest.mark.parametrize("value", [0, 1, 0.5, Fraction(1, 3), np.float32(0.25), np.int64(1)])
def test_any_kind_of_number_in_range_passes(value):
    SHARE.check("The share", value)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -1, 1.01, 10**400, True, None, "0.5", [0.5], 1j]
)
def test_what_is_no_number_in_range_is_refused(value):
    with pytest.raises(UsageError, match=r"^The share must be a number from 0 to 1, not .+\.$"):
        SHARE.check("The share", value)


def test_limits_are_told_as_they_are():
    with pytest.raises(UsageError, match=r"a whole number from 1 to 50, not 2\.5\."):
        STEPS.check("--steps", 2.5)
    with pytest.raises(UsageError, match=r"a number of hertz above 0 up to 60, not 0\."):
        RATE.check("--rate", 0)


@pytest.mark.parametrize(("text", "value"), [("7", 7), (" 7 ", 7), ("٣", 3)])
def test_a_written_whole_number_is_read(text, value):
    assert STEPS.parse("--steps", text) == value


@pytest.mark.parametrize("text", ["²", "⑦", "", "7.5", "1e1", "nan", "0x7", "9" * 5000, "7\0"])
def test_what_is_written_as_no_whole_number_is_refused(text):
    with pytest.raises(UsageError, match=r"^--steps must be a whole number from 1 to 50, not '"):
        STEPS.parse("--steps", text)


NOT_NUMBERS = (math.nan, math.inf, -math.inf, -1e300, 1e300, -1, 10**400, "7", True)

FIELDS = [
    (StylizeSettings, "intensity"),
    (StylizeSettings, "work_size"),
    *((PaintSettings, name) for name in ("content_weight", "style_weight", "tv_weight")),
    *(
        (PaintSettings, name)
        for name in ("temporal_weight", "learning_rate", "tolerance", "style_scale")
    ),
    *((PaintSettings, name) for name in ("steps", "scales", "seed")),
    *((VideoSettings, name) for name in ("keyframe_interval", "next_steps")),
    *((VideoSettings, name) for name in ("next_learning_rate", "long_term_weight")),
    (VideoSettings, "work_size"),
    *((TranscodeOptions, name) for name in ("start_s", "end_s", "fps", "video_stream")),
    *((TranscodeOptions, name) for name in ("crf", "batch_size")),
    (CaptureOptions, "fps"),
    *((LiveOptions, name) for name in ("target_fps", "duration_s", "stall_s")),
]


@pytest.mark.parametrize(("options", "name"), FIELDS)
def test_every_number_field_is_finite_and_in_range(options, name):
    for value in NOT_NUMBERS:
        with pytest.raises(UsageError):
            options(**{name: value})


@pytest.mark.parametrize("sides", [(0, 0), (99999, 99999), (64.0, 48), (None, None), (64, 47)])
def test_sizes_are_whole_even_and_in_range(sides):
    with pytest.raises(UsageError, match="size"):
        TranscodeOptions(size=sides)


@pytest.mark.parametrize("text", ["0x0", "99999x99999", "1e3x5", "²x²", "x", "64", "64x48x2", ""])
def test_a_size_is_written_in_whole_numbers(text):
    with pytest.raises(UsageError, match="size"):
        parse_size(text)


@pytest.mark.parametrize(
    "text", ["nan", "inf", "-5", "1:nan", "1e99", "²", "1:2:3:4", "", "9999999:59:59"]
)
def test_a_time_is_finite(text):
    with pytest.raises(UsageError, match="time"):
        parse_time(text)


@pytest.mark.parametrize(
    "text", ["nan", "1e9", "0", "1/0", "-25", "1e99999999", "1e-99999999", "²", "", "inf"]
)
def test_a_rate_is_finite_and_above_0(text):
    with pytest.raises(UsageError, match="frame rate"):
        parse_rate(text)


BEGINNINGS = {
    "live": (),
    "transcode": ("film.mp4",),
    "paint": ("film.mp4",),
    "image": ("photo.jpg",),
    "bench": (),
    "train": ("out", "--photos", ".", "--artworks", "."),
    "demo": (),
    "serve": (),
    "mask": ("photo.jpg", "-o", "mask.png"),
    "score": ("film.mp4", "painted.mp4"),
    "styles sheet": ("photo.jpg",),
    "styles refine": ("wave",),
}
"""Commands with numbers among their options, and what they cannot do without."""


def number_options():
    """Return every option of every command that takes a number, as (words, option)."""
    found = []
    for group_name in COMMANDS:
        group = typer_app(group_name)
        words = (group_name,) if len(group.registered_commands) > 1 else ()
        for command in group.registered_commands:
            name = " ".join((*words, command.name or command.callback.__name__))
            hints = typing.get_type_hints(command.callback, include_extras=True)
            for parameter, hint in hints.items():
                kind, *info = typing.get_args(hint) or (hint,)
                if {int, float} & {kind, *typing.get_args(kind)} and info:
                    names = [info[0].default, *info[0].param_decls, f"--{parameter}"]
                    option = next(each for each in names if str(each).startswith("--"))
                    found.append((name, option.replace("_", "-")))
    return found


def test_all_commands_with_number_options_are_known():
    assert {name for name, _ in number_options()} == set(BEGINNINGS)
    assert len(number_options()) > 30


@pytest.mark.parametrize(("name", "option"), number_options())
def test_every_number_option_refuses_what_is_no_number_in_range(name, option):
    for text in ("nan", "inf", "-1e300", "-7", "9" * 30, "²", "", "1,2", "0x10"):
        done = CliRunner().invoke(app, [*name.split(), *BEGINNINGS[name], f"{option}={text}"])
        error = done.exception
        assert isinstance(error, UsageError) or done.exit_code == 2, (text, done.output)
        assert option in done.output or option in str(error)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("image", "x.png", "--intensity", "nan"), "--intensity must be a number from 0 to 1"),
        (("image", "x.png", "--tile", "²"), "--tile must be a whole number from 16 to"),
        (("image", "x.png", "--mix", "1,,2"), "Each weight of --mix '1,,2' must be a number"),
        (("transcode", "x.mp4", "--start", "nan"), "A time is written"),
        (("transcode", "x.mp4", "--start", ""), "A time is written"),
        (("transcode", "x.mp4", "--fps", "1/0"), "The frame rate is written"),
        (("transcode", "x.mp4", "--size", "0x0"), "A side of the size must be"),
        (("paint", "x.mp4", "--every", "0"), "--every must be a whole number from 1 to 24"),
        (("paint", "x.mp4", "--style-weight", "1e20"), "--style-weight must be a number"),
        (("live", "--target-fps", "nan"), "--target-fps must be 0 or a number"),
        (("live", "--work-size", "5"), "--work-size must be 0 or a whole number of pixels"),
        (("bench", "--seconds", "nan"), "--seconds must be"),
        (("train", "out", "--photos", ".", "--artworks", ".", "--seed", "-1"), "--seed must be"),
    ],
)
def test_a_number_out_of_range_is_one_sentence_before_any_work(arguments, said):
    error = CliRunner().invoke(app, arguments).exception
    assert isinstance(error, UsageError), error
    assert str(error).startswith(said)
