"""Fuzzes the command line: no traceback, no hang, no process left running, no input changed.

    python tools/fuzz_commands.py --count 300 --seed 1

Command lines are drawn, reproducibly for a seed, from all commands and options, with valid, invalid
and hostile values. Each runs in a process of its own, on small files and without a network. 300
lines take about half an hour on two CPU cores. Failures are printed; the exit status is their
number, at most 100. POSIX only: processes are forked.
"""

import argparse
import contextlib
import inspect
import os
import random
import shlex
import shutil
import subprocess
import sys
import tempfile
import traceback
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer
from forked_process import CRASHED, run_forked

from nst_video.cli import app as command_line
from nst_video.cli.command_table import COMMANDS, typer_app
from nst_video.video.media.ffmpeg import ffmpeg_exe

TIMEOUT_S = 240
CODES = (0, 1, 2, 130)
"""Exit codes that the guide lists."""

SKIPPED = frozenset({"help", "version", "install-completion", "show-completion"})

CLIP = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.5", "-f", "lavfi", "-i", "sine=d=0.5")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1")

FILMS = ("clip.mp4", "clip.mkv", "ünï 'cödé'.mp4", "12:30.mp4", "-dash.mp4", ":smile:.mp4")
PICTURES = ("photo.png", "photo.jpg", "mask.png", "[bold].png", "%d.png")
BROKEN = ("broken.mp4", "broken.png", "empty.mp4", "notes.txt", "films", "pictures", "nofolder/x")

# No path leads outside the working folder, because a command could write there.
HOSTILE = (
    *("", " ", "\0", "a\0b", "\n", "-", "--", "²", "٣", "nan", "inf", "-inf", "1e999", "-1", "0"),
    *("1e-300", "9" * 400, "x" * 5000, "~nosuchuser/x", "/dev/null", "/proc/self/mem", "*", "["),
    *("\udcff", "\x1b[31m", "{0}", "{stem.__class__}", "%s", "http://127.0.0.1:9/x", "file:///x"),
    *("None", "true", "0x10", "1,,2", ",", "a:b:c", ".", "C:\\x", "con", "🎨"),
)

GOOD: dict[str, tuple[str, ...]] = {
    "style": ("wave", "neon", "photo.png", "starfield"),
    "mix": ("0.7,0.3", "1", "1,2,3"),
    "model": ("builtin", "auto"),
    "engine": ("openvino", "openvino-fast", "auto"),
    "blend": ("latent", "pixel"),
    "tile": ("auto", "off", "64"),
    "start": ("0", "0.1", "0:00.2"),
    "end": ("0.3", "0:00.4"),
    "fps": ("5", "29.97", "30000/1001"),
    "size": ("64x48", "32x", "x24"),
    "codec": ("h264", "hevc", "vp9"),
    "encoder_preset": ("ultrafast",),
    "template": ("{stem}-{style}{ext}", "{style}{ext}"),
    "every": ("3", "adaptive"),
    "scene_start": ("fill", "settings"),
    "preset": ("faithful", "balanced"),
    "optimizer": ("adam", "lbfgs"),
    "init": ("content", "noise", "style"),
    "colors": ("keep", "luminance", "style"),
    "content_layers": ("block3_conv1", "block3_conv1:0.5"),
    "style_layers": ("block1_conv1,block2_conv1:2",),
    "network": ("builtin",),
    "pooling": ("max", "average"),
    "mask": ("mask.png",),
    "method": ("fast", "gatys"),
    "clip": ("clip.mp4", "demo:"),
    "against": ("litert",),
    "fourcc": ("MJPG",),
    "source": ("demo:", "clip.mp4", "pictures", "0", "screen:"),
    "names": ("builtin", "magenta-lite"),
    "name": ("wave", "builtin", "mine"),
    "picture": PICTURES,
    "photo": PICTURES,
    "photos": (*PICTURES, "pictures"),
    "inputs": (*FILMS, "films"),
    "artworks": ("pictures",),
    "part": ("predictor", "loss"),
    "output": ("out.mp4", "out.png", "out", "out.jpg", "null:", "photo.png", "clip.mp4"),
    "out": ("out",),
    "plot": ("plot.png", "photo.png"),
    "save_dir": ("out", "films"),
    "models_dir": ("out", "pictures"),
    "weights": ("notes.txt", "out.npz"),
    "vgg": ("notes.txt",),
    "title": ("A title",),
    "description": ("Words.",),
}
"""Valid values by the name of the parameter."""

_QUICK_OPTIMIZATION = {"--steps": "3", "--work-size": "48"}

LIMITS: dict[str, dict[str, str]] = {
    "live": {"--duration": "0.3"},
    "bench": {"--rounds": "1", "--seconds": "0.1", "--model": "builtin", "--size": "64x48"},
    "train": {"--shorten": "100000"},
    "paint": {**_QUICK_OPTIMIZATION, "--next-steps": "2", "--end": "0.2"},
    "transcode --method gatys": {**_QUICK_OPTIMIZATION, "--next-steps": "2", "--end": "0.2"},
    "image --method gatys": _QUICK_OPTIMIZATION,
}
"""Options that keep a command short, unless others were drawn."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option of a command.

    Attributes:
        key: name of the parameter.
        flags: its option names; empty for an argument.
        kind: type of its values: bool, int, float, or any other for text.
        is_many: whether it may be given several times.
    """

    key: str
    flags: tuple[str, ...]
    kind: object
    is_many: bool

    def draw(self, rng: random.Random) -> str:
        """Return a value, valid most of the time."""
        if rng.random() < 0.3:
            return rng.choice((*HOSTILE, *BROKEN))
        if self.key in GOOD:
            return rng.choice(GOOD[self.key])
        if self.kind is int:
            return str(rng.choice((1, 2, 3, 33, 64)))
        if self.kind is float:
            return str(rng.choice((0, 0.2, 0.5, 1)))
        return rng.choice((*FILMS, *PICTURES))


def commands() -> dict[str, list[Parameter]]:
    """Return every command, such as "styles add", with its parameters."""
    found = {}
    for group_name in COMMANDS:
        group = typer_app(group_name)
        prefix = f"{group_name} " if len(group.registered_commands) > 1 else ""
        for command in group.registered_commands:
            name = command.name or command.callback.__name__
            found[prefix + name] = list(_parameters(command.callback))
    return found


def _parameters(callback: Callable[..., object]) -> Iterator[Parameter]:
    hints = typing.get_type_hints(callback, include_extras=True)
    for key in inspect.signature(callback).parameters:
        if hints[key] is typer.Context:
            continue
        wanted, info = typing.get_args(hints[key])[:2]
        if isinstance(wanted, types.UnionType):
            wanted = next(each for each in typing.get_args(wanted) if each is not type(None))
        is_many = typing.get_origin(wanted) is list
        kind = typing.get_args(wanted)[0] if is_many else wanted
        flags: tuple[str, ...] = ()
        if type(info).__name__ == "OptionInfo":
            named = [each for each in (info.default, *info.param_decls) if isinstance(each, str)]
            named = named or [f"--{key.replace('_', '-')}"]
            flags = tuple(flag for each in named for flag in each.split("/"))
        yield Parameter(key, flags, kind, is_many)


def draw_line(rng: random.Random, known: dict[str, list[Parameter]]) -> list[str]:
    """Return a command line without the program's name."""
    # Commands with many options are drawn more often.
    (name,) = rng.choices(list(known), [1 + len(parameters) for parameters in known.values()])
    given: list[str] = []
    for parameter in known[name]:
        if not parameter.flags:
            count = rng.choice((0, 1, 1, 1, 1, 1, 2 if parameter.is_many else 1))
            given += [parameter.draw(rng) for _ in range(count)]
            continue
        is_needed = parameter.key in ("photos", "artworks")
        if SKIPPED & {flag.strip("-") for flag in parameter.flags} or (
            rng.random() > 0.12 and not is_needed
        ):
            continue
        flag = rng.choice(parameter.flags)
        given += [flag] if parameter.kind is bool else [flag, parameter.draw(rng)]
    for flag, value in LIMITS.get(
        f"{name} --method gatys" if "gatys" in given else name, {}
    ).items():
        if flag not in given:
            given += [flag, value]
    if rng.random() < 0.05:
        given.insert(rng.randrange(len(given) + 1), rng.choice(HOSTILE))
    return [*name.split(), *given]


def make_inputs(folder: Path) -> None:
    """Write the files that command lines name into an empty folder."""
    run = [ffmpeg_exe(), "-v", "error", "-y"]
    film, picture = folder / FILMS[0], folder / PICTURES[0]
    subprocess.run([*run, *CLIP, "-pix_fmt", "yuv420p", film], check=True)
    subprocess.run([*run, *PICTURE, picture], check=True)
    subprocess.run([*run, "-i", film, "-c", "copy", folder / FILMS[1]], check=True)
    for name in FILMS[2:]:
        shutil.copy(film, folder / name)
    subprocess.run([*run, "-i", picture, folder / PICTURES[1]], check=True)
    for name in PICTURES[2:]:
        shutil.copy(picture, folder / name)
    (folder / "broken.mp4").write_bytes(film.read_bytes()[:-900])
    (folder / "broken.png").write_bytes(picture.read_bytes()[:200])
    (folder / "empty.mp4").touch()
    (folder / "notes.txt").write_text("no film\n")
    for name, source in (("films", film), ("pictures", picture)):
        (folder / name).mkdir()
        shutil.copy(source, folder / name)
        shutil.copy(folder / "notes.txt", folder / name)


def run(line: Sequence[str], folder: Path, log: Path) -> str:
    """Run a command line in a folder; return the failure in words, "" for none."""
    finished = run_forked(lambda: _run_command(line, folder, log), TIMEOUT_S)
    code = finished.exit_code
    if code is None:
        return f"still ran after {TIMEOUT_S} s"
    said = log.read_text("utf-8", "replace")
    if "Traceback (most recent" in said or "bug in nst-video" in said or code == CRASHED:
        return f"traceback:\n{said[-3000:]}"
    if code not in CODES:
        return f"ended with {code}: {said[-500:]}"
    if code in (1, 2) and not said.strip():
        return f"ended with {code} and said nothing"
    return "left a process running" if finished.left_running else ""


def _run_command(line: Sequence[str], folder: Path, log: Path) -> int:
    os.chdir(folder)
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        where = os.devnull if mode == os.O_RDONLY else log
        os.dup2(os.open(where, mode | os.O_CREAT | os.O_APPEND), number)
    sys.argv = ["nst-video", *line]
    try:
        command_line.run()
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # noqa: BLE001 - any exception is a failure to report
        traceback.print_exc()
        code = CRASHED
    else:
        code = 0
    with contextlib.suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    return code if isinstance(code, int) else int(code is not None)


def _contents(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def _harm(line: Sequence[str], before: dict[str, bytes], folder: Path) -> str:
    """Return which files were changed or deleted without being asked for, in words, "" for none."""
    lost = [name for name, data in before.items() if _read(folder / name) != data]
    may_replace = {"-y", "--overwrite"} & set(line)
    # With -y an existing file may be replaced if it is named as an output only.
    wrong = [name for name in lost if not may_replace or line.count(name) > 1]
    return f"changed or deleted {', '.join(wrong)}" if wrong else ""


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the tool; return the number of failures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="number of command lines")
    parser.add_argument("--seed", type=int, default=1, help="of the command lines")
    parser.add_argument("--only", type=int, help="only the line of this number")
    parser.add_argument("--command", action="append", help="only this command; repeatable")
    parser.add_argument("--verbose", action="store_true", help="print every result")
    given = parser.parse_args(arguments)
    known = {name: each for name, each in commands().items() if name in (given.command or [name])}
    codes: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as temporary:
        os.environ |= {"NST_VIDEO_HOME": f"{temporary}/home", "NST_VIDEO_OFFLINE": "1"}
        kept = Path(temporary) / "kept"
        kept.mkdir()
        make_inputs(kept)
        before = _contents(kept)
        for number in range(given.count) if given.only is None else [given.only]:
            line = draw_line(random.Random(f"{given.seed} {number}"), known)
            folder, log = Path(temporary) / "work", Path(temporary) / "log"
            shutil.copytree(kept, folder)
            log.write_bytes(b"")
            wrong = run(line, folder, log) or _harm(line, before, folder)
            shutil.rmtree(folder)
            codes["wrong" if wrong else "right"] += 1
            if wrong or given.verbose:
                shown = shlex.join(each[:80] for each in line)
                said = wrong or log.read_text("utf-8", "replace")[-300:]
                print(ascii(f"{number}: {shown}")[1:-1], said, sep="\n", flush=True)
    print(", ".join(f"{count} {name}" for name, count in sorted(codes.items())))
    return min(codes["wrong"], 100)


if __name__ == "__main__":
    sys.exit(main())
