"""Tags of unusual names in MP4 and QuickTime files, beside the usual ones, covers and chapters."""

from pathlib import Path

import av
import pytest
from clips import CHAPTERS, ffmpeg, make_clip

from nst_video.transcode import IdentityPainter, TranscodeOptions, transcode
from nst_video.video.media.probe import probe
from nst_video.video.media.quicktime_tags import restore_tags

ANDROID = {"com.android.version": "14", "com.android.capture.fps": "30.000000"}
USUAL = {"artist": "Nobody", "comment": "~" * 200, "title": "Rich"}


def paint(source: Path, target: Path) -> dict[str, str]:
    """Return the tags of the painted video, every frame of which can be decoded."""
    transcode(source, target, IdentityPainter(), options=TranscodeOptions(preset="ultrafast"))
    with av.open(str(target)) as container:
        frames = sum(1 for _ in container.decode(video=0))
        assert frames == (container.streams.video[0].frames or frames)
    return dict(probe(target).tags)


@pytest.fixture(scope="module")
def tagged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A video with usual and unusual tags, a place, chapters, and a cover."""
    folder = tmp_path_factory.mktemp("tagged")
    clip, plain, path = folder / "clip.mp4", folder / "plain.mp4", folder / "tagged.mkv"
    make_clip(clip)
    (folder / "m.txt").write_text(CHAPTERS.replace("1500", "500").replace("3000", "1000"))
    ffmpeg("-f", "lavfi", "-i", "color=red:s=32x32", "-frames:v", "1", folder / "cover.png")
    tags = {"location": "+48.2000+016.3667/", "MY_OWN": "kept, too", **USUAL, **ANDROID}
    arguments = [text for item in tags.items() for text in ("-metadata", "=".join(item))]
    ffmpeg(
        *("-i", clip, "-i", folder / "m.txt", "-map_chapters", "1", "-c", "copy"),
        *("-metadata", "creation_time=2023-05-09T11:48:30Z", *arguments),
        *("-movflags", "use_metadata_tags", plain),
    )
    ffmpeg(
        *(
            "-i",
            plain,
            "-map",
            "0:v",
            "-map_metadata",
            "0",
            "-c",
            "copy",
            "-attach",
            folder / "cover.png",
        ),
        *("-metadata", "creation_time=2023-05-09T11:48:30Z"),
        *("-metadata:s:t", "mimetype=image/png", "-metadata:s:t", "filename=cover.png", path),
    )
    return path


@pytest.mark.parametrize("suffix", [".mp4", ".mov"])
@pytest.mark.parametrize("original", ["plain.mp4", "tagged.mkv"])
def test_tags_of_any_name_stay_beside_the_usual_ones(
    tagged: Path, tmp_path: Path, original: str, suffix: str
):
    source = tagged.with_name(original)
    tags = paint(source, tmp_path / f"out{suffix}")
    lowered = {key.lower(): value for key, value in tags.items()}
    for key, value in (USUAL | ANDROID).items():
        assert lowered[key] == value
    assert lowered["my_own"] == "kept, too"
    assert lowered["location"].startswith("+48.2000+016.3667")
    assert lowered["creation_time"].startswith("2023-05-09T11:48:30")
    assert "keywords" not in lowered
    media = probe(tmp_path / f"out{suffix}")
    assert media.chapter_count == 2
    if original == "tagged.mkv" and suffix == ".mp4":
        assert [s.codec for s in media.streams if s.is_cover] == ["png"]


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_tags_of_a_phone_are_kept_and_the_picture_is_not_turned_twice(
    assets: Path, tmp_path: Path, suffix: str
):
    source = assets / "failing" / "videos" / "dolbyVision-hdr.MOV"
    tags = {key.lower(): value for key, value in paint(source, tmp_path / f"out{suffix}").items()}
    for key, value in probe(source).tags.items():
        if key.startswith("com.apple.quicktime.") or key == "creation_time":
            assert tags[key.lower()] == value
    with av.open(str(tmp_path / f"out{suffix}")) as container:
        frame = next(container.decode(video=0))
        assert (frame.width, frame.height, frame.rotation) == (720, 1280, 0)


def test_telemetry_of_a_camera_is_kept_and_a_chapter_track_is_no_loss(tagged: Path, tmp_path: Path):
    chaptered = tagged.with_name("plain.mp4")
    result = transcode(chaptered, tmp_path / "chapters.mp4", IdentityPainter())
    assert result.notes == ()
    # A data track of a GoPro, made of the track in which MP4 keeps its chapters.
    data = chaptered.read_bytes().replace(b"chap", b"free").replace(b"text", b"gpmd", 1)
    at = data.rindex(b"stsd")
    data = data[:at] + data[at:].replace(b"text", b"gpmd", 1)
    (tmp_path / "gopro.mp4").write_bytes(data)
    assert [s.tag for s in probe(tmp_path / "gopro.mp4").streams if s.kind == "data"] == ["gpmd"]
    made = transcode(tmp_path / "gopro.mp4", tmp_path / "out.mp4", IdentityPainter())
    assert "gpmd" in [s.tag for s in probe(made.target).streams]
    in_matroska = transcode(tmp_path / "gopro.mp4", tmp_path / "out.mkv", IdentityPainter())
    assert "Data stream 1 was left out: Matroska files cannot hold it." in in_matroska.notes


def test_video_without_unusual_tags_has_no_room_for_them(tmp_path: Path):
    source = make_clip(tmp_path / "clip.mp4", "-metadata", "title=Plain")
    tags = paint(source, tmp_path / "out.mp4")
    assert tags["title"] == "Plain"
    assert b"mdta" not in (tmp_path / "out.mp4").read_bytes()


def test_file_without_room_stays_as_it_is(tmp_path: Path):
    path = make_clip(tmp_path / "clip.mp4")
    before = path.read_bytes()
    restore_tags(path, ANDROID)
    assert path.read_bytes() == before


def test_tags_longer_than_the_room_can_be_are_left_out(tmp_path: Path):
    source = tmp_path / "long.mkv"
    make_clip(source, "-metadata", f"novel={'x' * 70_000}", "-metadata", "title=Long")
    assert paint(source, tmp_path / "out.mov")["title"] == "Long"
