"""README and docs: Python samples run, command lines parse, links and paths lead somewhere."""

import ast
import re
import shlex
import tomllib
from pathlib import Path

import numpy as np
import pytest
import typer
from clips import make_clip
from repository import REPO

import nst_video
from nst_video.cli.app import app
from nst_video.image.files import save_picture

PAGES = [
    REPO / "README.md",
    REPO / "CONTRIBUTING.md",
    *sorted(
        page
        for page in (REPO / "docs").rglob("*.md")
        if not {"_build", "_generated"} & set(page.parts)
    ),
]
NOT_RUN = r"<!-- not run by the tests: it \w[\w ]+ -->"
"""Stands before a Python sample of which only the imports are run."""


def blocks(page: Path, language: str) -> list[tuple[str, bool]]:
    """Return the code blocks of a page in a language, and whether each can be run."""
    pattern = rf"({NOT_RUN}\n+)?^```{language}\n(.*?)^```$"
    found = re.findall(pattern, page.read_text("utf-8"), re.DOTALL | re.MULTILINE)
    return [(code, not mark) for mark, code in found]


def pages_with(language: str) -> list[str]:
    return [str(page.relative_to(REPO)) for page in PAGES if blocks(page, language)]


def test_readme_is_short() -> None:
    assert len((REPO / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", pages_with("python"))
def test_python_samples_of_a_page_run(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ramp = np.linspace(0, 255, 96 * 128 * 3).reshape(96, 128, 3).astype(np.uint8)
    for name in ("photo.jpg", "photo2.jpg", "my-painting.jpg"):
        save_picture(Path(name), ramp)
    make_clip(Path("holiday.mp4"), seconds=0.4, fps="10")
    names: dict[str, object] = {"__name__": "sample"}
    for code, can_run in blocks(REPO / page, "python"):
        # Painting by optimization is as good as its number of steps, which is not at stake here.
        sample = ast.parse(re.sub(r"steps=\d+", "steps=2", code))
        if not can_run:
            sample.body = [line for line in sample.body if isinstance(line, ast.ImportFrom)]
        exec(compile(sample, page, "exec"), names)


def test_guide_lists_every_extra() -> None:
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    text = (REPO / "docs" / "guide" / "install.md").read_text("utf-8")
    table = text.partition("| extra |")[2].partition("\n\n")[0]
    listed = re.findall(r"^\| `(\w+)`", table, re.MULTILINE)
    assert sorted(listed) == sorted(project["optional-dependencies"])


def test_reference_has_every_public_name() -> None:
    text = (REPO / "docs" / "reference" / "python.md").read_text("utf-8")
    documented = re.findall(
        r"auto(?:class|function|exception):: nst_video\.(\w+)$", text, re.MULTILINE
    )
    assert sorted([*documented, "__version__"]) == sorted(nst_video.__all__)


@pytest.mark.parametrize("page", pages_with("sh"))
def test_command_lines_of_a_page_parse(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("PHOTOS", "ARTWORKS", "styles"):
        Path(folder).mkdir()
    Path("vgg19.npz").touch()
    root = typer.main.get_command(app)
    for code, _ in blocks(REPO / page, "sh"):
        for line in code.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True)
            starts = [n for n, word in enumerate(words) if Path(word).name == "nst-video"]
            for start in starts:
                command, rest = root, words[start + 1 :]
                while isinstance(command, typer.core.TyperGroup) and rest and rest[0][0] != "-":
                    context = typer.Context(command)
                    command, rest = command.get_command(context, rest[0]), rest[1:]
                    assert command is not None, line
                command.make_context("nst-video", rest, resilient_parsing=False)


LINK = re.compile(r"\]\((?!https?:)([^)#\s]+)")
SOURCES = "\n".join(path.read_text("utf-8") for path in (REPO / "nst_video").rglob("*.py"))
NAME = re.compile(r"`([A-Z]\w*[a-z]\w*[A-Z]\w*|[A-Z]{4,})`")
"""Names of classes and tables."""

CITED_PATH = re.compile(r"`((?:nst_video|tools|tests|styles|docs|examples)/[\w./*-]*)`")


@pytest.mark.parametrize("page", [str(page.relative_to(REPO)) for page in PAGES])
def test_links_and_paths_of_a_page_lead_somewhere(page: str) -> None:
    text = (REPO / page).read_text("utf-8")
    missing = [
        link for link in LINK.findall(text) if not (REPO / page).parent.joinpath(link).exists()
    ]
    missing += [
        name
        for name in NAME.findall(text)
        if not re.search(rf"^ *(class )?{name}\b", SOURCES, re.MULTILINE)
    ]
    missing += [path for path in CITED_PATH.findall(text) if not (REPO / path).exists()]
    assert not missing


def test_no_docstring_begins_with_a_class_where_a_verb_belongs() -> None:
    """A rename of a class whose old name was a common word also hits sentences."""
    modules = [ast.parse(path.read_text("utf-8")) for path in (REPO / "nst_video").rglob("*.py")]
    nodes = [node for module in modules for node in ast.walk(module)]
    classes = {node.name for node in nodes if isinstance(node, ast.ClassDef)}
    texts = [node.value for node in nodes if isinstance(node, ast.Constant)]
    words = r"(\w+) (a|an|the|at|for|into|up|closely|what)\b"
    found = [re.match(words, text) for text in texts if isinstance(text, str)]
    camel = [hit for hit in found if hit and re.search(r"[a-z][A-Z]", hit[1])]
    assert [hit[0] for hit in camel if hit[1] in classes] == []
