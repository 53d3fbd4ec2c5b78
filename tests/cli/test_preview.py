"""`transcode --preview`: a look at the result, and how long and how large the whole will be."""

import re
from pathlib import Path

import av
import pytest
from clips import make_clip
from typer.testing import CliRunner

from nst_video.cli.app import app
from nst_video.cli.preview import _size_text, with_seconds
from nst_video.errors import NstVideoError, UsageError
from nst_video.image.files import load_picture
from nst_video.transcode import IdentityPainter, transcode
from nst_video.transcode.preview import Estimate, estimate, transcode_excerpt
from nst_video.video.media.codec_options import TranscodeOptions

PLAIN = ["--intensity", "0", "--blend", "pixel", "--encoder-preset", "ultrafast"]


def run(*arguments: str | Path):
    """Run `transcode` in this process; errors that `main` would print come as exceptions."""
    done = CliRunner().invoke(app, ["transcode", *map(str, arguments), *PLAIN])
    if isinstance(done.exception, NstVideoError):
        raise done.exception
    return done


def seconds_of(path: Path) -> float:
    with av.open(str(path)) as container:
        return float(container.duration or 0) / av.time_base


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        (["--preview", "a.mp4"], ["--preview=0", "a.mp4"]),
        (["a.mp4", "--preview"], ["a.mp4", "--preview=0"]),
        (["--preview", "2", "a.mp4"], ["--preview", "2", "a.mp4"]),
        (["--preview=1.5", "a.mp4"], ["--preview=1.5", "a.mp4"]),
        (["--preview", "nan"], ["--preview", "nan"]),
        (["--", "--preview"], ["--", "--preview"]),
        ([], []),
    ],
)
def test_preview_may_stand_without_a_number(typed: list[str], meant: list[str]):
    assert with_seconds(typed) == meant


def test_preview_is_a_picture_of_the_middle_beside_the_film_to_come(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv", seconds=3)
    done = run("--preview", clip, "--size", "32x24")
    still = tmp_path / "clip-starfield-preview.png"
    assert done.stdout == f"{still}\n"
    assert load_picture(still).shape == (24, 32, 3)
    assert re.search(
        r"the whole, 75 frames, will take about \d+:\d\d and [\d.]+ [kM]B", done.stderr
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == [still.name, "clip.mkv"]
    with pytest.raises(UsageError, match="exists"):
        run("--preview", clip)
    assert run("--preview", clip, "-y", "-q").stderr == ""


def test_preview_goes_where_a_picture_is_named(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    assert run(clip, "-o", tmp_path / "look.jpg", "--preview").exit_code == 0
    assert load_picture(tmp_path / "look.jpg").size
    assert not (tmp_path / "clip-starfield.mkv").exists()


def test_preview_of_seconds_is_a_film_of_the_middle_with_its_sound(tmp_path: Path, assets: Path):
    source = assets / "videos" / "traffic-aac.mp4"
    done = run(source, "--preview", "1", "-o", tmp_path / "out.mp4", "--size", "64x")
    excerpt = tmp_path / "out-preview.mp4"
    assert done.stdout == f"{excerpt}\n"
    assert "the whole, 377 frames" in done.stderr
    assert seconds_of(excerpt) == pytest.approx(1, abs=0.15)
    with av.open(str(excerpt)) as container:
        assert [stream.type for stream in container.streams] == ["video", "audio"]


def test_one_bad_film_does_not_stop_the_previews_of_others(tmp_path: Path):
    make_clip(tmp_path / "a.mkv")
    (tmp_path / "b.mp4").write_bytes(b"no film")
    done = run(tmp_path / "a.mkv", tmp_path / "b.mp4", "--preview")
    assert done.exit_code == 1
    assert done.stdout == f"{tmp_path / 'a-starfield-preview.png'}\n"
    assert "1 of 2 videos failed" in done.stderr


@pytest.mark.parametrize("name", ["traffic-aac.mp4", "bunny-720p-vorbis.webm"])
def test_size_is_estimated_within_a_factor_of_two(tmp_path: Path, assets: Path, name: str):
    source = assets / "videos" / name
    wanted = TranscodeOptions(size=(160, None), end_s=5.0)
    found = estimate(source, ".mp4", IdentityPainter(), wanted, 0.1)
    assert isinstance(found, Estimate)
    transcode(source, tmp_path / "whole.mp4", IdentityPainter(), options=wanted)
    size = (tmp_path / "whole.mp4").stat().st_size
    assert 0.5 < found.bytes / size < 2


@pytest.mark.parametrize("name", ["12:30.mkv", "-dash.mkv"])
def test_names_are_no_addresses_or_options(tmp_path: Path, monkeypatch, name: str):
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mkv").rename(name)
    done = CliRunner().invoke(app, ["transcode", "--preview", "0.4", *PLAIN, "--", name])
    assert done.exit_code == 0, done.output
    assert seconds_of(tmp_path / f"{Path(name).stem}-starfield-preview.mkv") > 0.3


def test_an_excerpt_longer_than_the_film_is_the_film(tmp_path: Path):
    clip = make_clip(tmp_path / "clip.mkv")
    done, found = transcode_excerpt(
        clip, tmp_path / "out.mkv", IdentityPainter(), TranscodeOptions(), 60.0, ready_s=100.0
    )
    assert found is not None
    assert done.info.frame_count == found.frames
    assert found.bytes == pytest.approx(done.target.stat().st_size, rel=0.05)
    assert 100 < found.seconds < 100 + 2 * done.elapsed_s + 1


@pytest.mark.parametrize(
    ("count", "text"),
    [(1, "1 kB"), (40_000, "40 kB"), (1_500_000, "1.5 MB"), (230e6, "230 MB")],
)
def test_an_estimated_size_is_never_nothing(count: float, text: str) -> None:
    assert _size_text(count) == text
