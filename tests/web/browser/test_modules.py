"""The page's modules parse, every text exists, nothing is inline, keys are documented."""

import re
import shutil
import subprocess

import pytest
from repository import REPO

STATIC = REPO / "nst_video" / "web" / "static"
MODULES = sorted(STATIC.glob("*.js"))
TEXTS = (STATIC / "texts.js").read_text()
KEYS_OF_TEXTS = set(re.findall(r"^    (\w+): '", TEXTS, re.MULTILINE))


PARSE = """
const fs = require('fs'), vm = require('vm');
for (const path of process.argv.slice(1)) {
  new vm.SourceTextModule(fs.readFileSync(path, 'utf8'), {identifier: path});
}
"""


@pytest.mark.skipif(shutil.which("node") is None, reason="no node; Chromium parses them, too")
def test_modules_parse() -> None:
    command = ["node", "--experimental-vm-modules", "-e", PARSE, *map(str, MODULES)]
    parsed = subprocess.run(command, capture_output=True, text=True)
    assert parsed.returncode == 0, parsed.stderr


def test_modules_are_small_and_import_only_each_other() -> None:
    names = {module.name for module in MODULES}
    for module in MODULES:
        text = module.read_text()
        assert len(text.splitlines()) <= 320, module.name
        imported = re.findall(r"from '(.*?)'", text)
        assert {name.removeprefix("./") for name in imported} <= names, module.name


def test_every_text_that_is_used_exists_and_every_text_is_used() -> None:
    page = (STATIC / "index.html").read_text()
    named = set(re.findall(r'data-(?:text|label)="(\w+)"', page))
    code = "\n".join(module.read_text() for module in MODULES if module.name != "texts.js")
    own = "\n".join(line for line in TEXTS.splitlines() if "text('" in line)
    called = set(re.findall(r"\btext\('(\w+)'", code + own))
    quoted = set(re.findall(r"'(\w+)'", code + own))
    assert named | called <= KEYS_OF_TEXTS
    assert KEYS_OF_TEXTS - named - quoted == set()


def test_page_has_nothing_inline_and_nothing_from_elsewhere() -> None:
    page = (STATIC / "index.html").read_text()
    assert not re.search(r"\s(style|on\w+)=", page)
    assert not re.search(r"<script(?![^>]*src=)", page)
    for file in (*MODULES, STATIC / "index.html", *STATIC.glob("*.css")):
        addresses = re.findall(r"https?://[\w.]+", file.read_text())
        assert set(addresses) <= {"http://www.w3.org"}, file.name


def test_guide_has_the_keys_of_the_page() -> None:
    table = re.findall(r"label: '(.*?)', help: '(\w+)'", (STATIC / "keyboard.js").read_text())
    texts = dict(re.findall(r"^    (\w+): '(.*)',$", TEXTS, re.MULTILINE))
    guide = (REPO / "docs" / "guide" / "page.md").read_text()
    for label, text in table:
        caps = " ".join(f"`{cap}`" for cap in label.split(" "))
        assert f"| {caps} | {texts[text]} |" in guide
