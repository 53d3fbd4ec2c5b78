"""Run random command lines: no traceback, no hang, nothing left running, no input changed.

    python tools/fuzz_commands.py --count 300 --seed 1

Every command with all its options is drawn from, with values that make sense, that do not, and that
are hostile. Each line runs in a process of its own, on small files and without a network. What went
wrong is printed; the exit status is the number of such lines. POSIX only: processes are forked.
"""

import argparse
import contextlib
import inspect
import os
import random
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
import types
import typing
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from nst_video.cli import app as command_line
from nst_video.video.media.ffmpeg import ffmpeg_exe

TIMEOUT_S = 240
GRACE_S = 3
CRASHED = 99
CODES = (0, 1, 2, 130)
"""Exit codes that the guide lists."""

SKIPPED = frozenset({"help", "version", "install-completion", "show-completion"})

CLIP = ("-f", "lavfi", "-i", "testsrc2=s=64x48:r=10:d=0.5", "-f", "lavfi", "-i", "sine=d=0.5")
PICTURE = ("-f", "lavfi", "-i", "testsrc2=s=64x48", "-frames:v", "1")

FILMS = ("clip.mp4", "clip.mkv", "ünï 'cödé'.mp4", "12:30.mp4", "-dash.mp4", ":smile:.mp4")
PICTURES = ("photo.png", "photo.jpg", "mask.png", "[bold].png", "%d.png")
BROKEN = ("broken.mp4", "broken.png", "empty.mp4", "notes.txt", "films", "pictures", "nofolder/x")

# Nothing here leads to a folder outside: a command could write into it.
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
"""Values that make sense, by the parameter's name."""

LIMITS: dict[str, dict[str, str]] = {
    "live": {"--duration": "0.3"},
    "bench": {"--rounds": "1", "--seconds": "0.1", "--model": "builtin", "--size": "64x48"},
    "train": {"--shorten": "100000"},
    "paint": {"--steps": "3", "--next-steps": "2", "--end": "0.2", "--work-size": "48"},
    "image": {"--steps": "3"},
}
"""What keeps a command short, where nothing else was drawn for it."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """An argument or option of a command.

    Attributes:
        key: name of the parameter.
        flags: as typed; empty for an argument.
        kind: the type of a value: bool, int, float or anything else for text.
        is_many: may be given several times.
    """

    key: str
    flags: tuple[str, ...]
    kind: object
    is_many: bool

    def draw(self, rng: random.Random) -> str:
        """Return a value, most of the time one that makes sense."""
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
    groups: list[tuple[str, typer.Typer]] = [("", command_line.app)]
    groups += [(f"{g.name} ", g.typer_instance) for g in command_line.app.registered_groups]
    for prefix, group in groups:
        for command in group.registered_commands:
            name = command.name or command.callback.__name__
            found[prefix + name] = list(_parameters(command.callback))
    return found


def _parameters(callback: Callable[..., object]) -> Iterator[Parameter]:
    hints = typing.get_type_hints(callback, include_extras=True)
    for key in inspect.signature(callback).parameters:
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
    # Commands with many options more often than those with few.
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
    for flag, value in LIMITS.get(name, {}).items():
        if flag not in given:
            given += [flag, value]
    if rng.random() < 0.05:
        given.insert(rng.randrange(len(given) + 1), rng.choice(HOSTILE))
    return [*name.split(), *given]


def make_inputs(folder: Path) -> None:
    """Write the files that command lines speak of into an empty folder."""
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
    """Run a command line in a folder; return what is wrong, "" if nothing is."""
    child = os.fork()
    if child == 0:
        os._exit(_run_as_child(line, folder, log))
    with contextlib.suppress(ProcessLookupError):
        os.setpgid(child, child)
    deadline = time.monotonic() + TIMEOUT_S
    while (ended := os.waitpid(child, os.WNOHANG)) == (0, 0):
        if time.monotonic() > deadline:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            return f"still ran after {TIMEOUT_S} s"
        time.sleep(0.02)
    code = os.waitstatus_to_exitcode(ended[1])
    said = log.read_text("utf-8", "replace")
    if "Traceback (most recent" in said or "bug in nst-video" in said or code == CRASHED:
        return f"traceback:\n{said[-3000:]}"
    if code not in CODES:
        return f"ended with {code}: {said[-500:]}"
    if code in (1, 2) and not said.strip():
        return f"ended with {code} and said nothing"
    return "left a process running" if _is_left(child) else ""


def _is_left(group: int) -> bool:
    """Return whether processes of a group still run after a moment; end them."""
    deadline = time.monotonic() + GRACE_S
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
        return True
    return False


def _run_as_child(line: Sequence[str], folder: Path, log: Path) -> int:
    os.setpgid(0, 0)
    os.nice(5)
    os.chdir(folder)
    for number, mode in ((0, os.O_RDONLY), (1, os.O_WRONLY), (2, os.O_WRONLY)):
        where = os.devnull if mode == os.O_RDONLY else log
        os.dup2(os.open(where, mode | os.O_CREAT | os.O_APPEND), number)
    sys.argv = ["nst-video", *line]
    try:
        command_line.run()
    except SystemExit as stop:
        code = stop.code
    except BaseException:  # noqa: BLE001 - whatever it is, it is what is looked for
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
    """Return what happened to files that were there before, "" if nothing or all was asked for."""
    lost = [name for name, data in before.items() if _read(folder / name) != data]
    may_replace = {"-y", "--overwrite"} & set(line)
    # With -y an existing file is replaced where it is named as an output only.
    wrong = [name for name in lost if not may_replace or line.count(name) > 1]
    return f"changed or deleted {', '.join(wrong)}" if wrong else ""


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; return how many lines went wrong."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=300, help="how many command lines to try")
    parser.add_argument("--seed", type=int, default=1, help="which command lines to make")
    parser.add_argument("--only", type=int, help="try the line of one number")
    parser.add_argument("--command", action="append", help="draw from this command only")
    parser.add_argument("--verbose", action="store_true", help="say what came of every line")
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
