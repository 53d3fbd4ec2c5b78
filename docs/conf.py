"""How Sphinx builds the documentation, and the parts of it that are made from the code."""

import ast
import os
import subprocess
import sys
import tomllib
from importlib.metadata import version as version_of
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
GENERATED = HERE / "_generated"

project = "nst-video"
author = "the nst-video authors"
release = version = version_of("nst-video")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build", "_generated"]
html_theme = "furo"
html_title = f"nst-video {version}"
smartquotes = False  # they would turn the two hyphens of options into a dash
html_show_copyright = False
html_static_path = ["_static"]
myst_heading_anchors = 3
suppress_warnings = ["myst.header"]  # generated parts begin below their page's title

default_role = "code"  # single backticks in docstrings

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
autoclass_content = "both"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented_params"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
napoleon_use_ivar = True

nitpicky = True
nitpick_ignore_regex = [
    # Other projects' names, and parts of ours that are not public.
    (r"py:.*", r"(?!nst_video\.\w+$).*"),
]


def write_command_reference() -> None:
    """Write the reference of the commands, as Typer makes it from them."""
    target = GENERATED / "commands.md"
    module = ["nst_video.cli.app", "utils", "docs", "--name", "nst-video", "--output", str(target)]
    subprocess.run([sys.executable, "-m", "typer", *module], cwd=ROOT, check=True)


def write_layers() -> None:
    """Write a table of the layers, as import-linter enforces them, top to bottom."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    layers = next(contract["layers"] for contract in contracts if contract["type"] == "layers")
    rows = ["| layer | modules | what they do |", "|---|---|---|"]
    for number, layer in zip(range(len(layers), 0, -1), layers, strict=True):
        for module in layer.replace("|", " ").split():
            rows.append(f"| {number} | `{module}` | {summary(module)} |")
    (GENERATED / "layers.md").write_text("\n".join(rows) + "\n", "utf-8")


def write_styles() -> None:
    """Write tables of the packaged styles and of the masters."""
    styles = tomllib.loads((ROOT / "styles" / "styles.toml").read_text("utf-8"))
    rows = [f"| `{name}` | {style['description']} |" for name, style in styles.items()]
    lines = ["| `--style` | what it looks like |", "|---|---|", *rows]
    (GENERATED / "styles.md").write_text("\n".join(lines) + "\n", "utf-8")
    folder = ROOT / "styles" / "masters"
    masters = tomllib.loads((folder / "styles.toml").read_text("utf-8"))
    lines = ["| `--style` | painting | painter | year |", "|---|---|---|---|"]
    for name in (name for name in masters if (folder / f"{name}.jpg").is_file()):
        style = masters[name]
        lines.append(f"| `{name}` | {style['title']} | {style['painter']} | {style['year']} |")
    (GENERATED / "masters.md").write_text("\n".join(lines) + "\n", "utf-8")


def write_http() -> None:
    """Write a table of the requests that the page's server answers."""
    from nst_video.web.openapi import markdown

    (GENERATED / "http.md").write_text(markdown(), "utf-8")


def summary(module: str) -> str:
    """Return the first sentence of a module's docstring."""
    path = ROOT / "nst_video" / module
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    text = ast.get_docstring(ast.parse(file.read_text("utf-8"))) or ""
    return text.partition("\n")[0]


def link_to_public_name(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, text: nodes.TextElement
) -> nodes.Node | None:
    """Resolve `nst_video.module.Name` as `nst_video.Name`, under which it is documented."""
    name = node.get("reftarget", "").rpartition(".")[2]
    domain = env.domains.python_domain
    if node.get("refdomain") != "py" or f"nst_video.{name}" not in domain.objects:
        return None
    where = node.get("refdoc", "")
    return domain.resolve_xref(env, where, app.builder, "obj", f"nst_video.{name}", node, text)


def mark_code(
    app: Sphinx, what: str, name: str, value: object, options: object, lines: list[str]
) -> None:
    """Make literal blocks of what is indented in the docstrings of modules."""
    if what != "module":
        return
    marked: list[str] = []
    for line in lines:
        if line.startswith(" ") and not _is_in_block(marked):
            marked += ["::", ""]
        marked.append(line)
    lines[:] = marked


def _is_in_block(lines: list[str]) -> bool:
    """Say whether the last line that is not empty is indented."""
    return next((line for line in reversed(lines) if line), "").startswith(" ")


def setup(app: Sphinx) -> None:
    """Make what is generated before Sphinx looks for files."""
    GENERATED.mkdir(exist_ok=True)
    write_command_reference()
    write_layers()
    write_styles()
    write_http()
    app.connect("autodoc-process-docstring", mark_code)
    app.connect("missing-reference", link_to_public_name)
