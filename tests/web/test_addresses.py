"""Certificates, tokens, and where pages of a live session are."""

import ssl
import sys
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509

from nst_video.cli.live_pages import split_pages
from nst_video.errors import SinkError, StyleError, UsageError
from nst_video.settings import ModelOptions
from nst_video.style_library.library import packaged_styles_dir
from nst_video.system.paths import data_dir
from nst_video.web import addresses, certificates, server
from nst_video.web import catalog as catalog_module
from nst_video.web.catalog import StyleCatalog

NAMES = frozenset({"localhost", "127.0.0.1", "192.168.1.5", "studio.local"})


def test_a_certificate_is_for_all_names_and_is_used_again() -> None:
    certificate, key = certificates.self_signed(NAMES)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    found = x509.load_pem_x509_certificate(certificate.read_bytes())
    names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(each.value) for each in names} == NAMES
    before = certificate.read_bytes()
    certificates.self_signed(NAMES - {"192.168.1.5"})
    assert certificate.read_bytes() == before
    certificates.self_signed(NAMES | {"10.0.0.7"})
    assert certificate.read_bytes() != before


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_secrets_can_be_read_by_this_user_only() -> None:
    _, key = certificates.self_signed(NAMES)
    addresses.token()
    for path in (key, data_dir() / "serve" / "token"):
        assert path.stat().st_mode & 0o077 == 0


def test_the_token_stays_and_is_long() -> None:
    token = addresses.token()
    assert len(token) >= 20
    assert addresses.token() == token
    (data_dir() / "serve" / "token").unlink()
    assert addresses.token() != token


def test_certificates_that_do_not_belong_together_are_refused(tmp_path: Path) -> None:
    certificate, _ = certificates.self_signed(NAMES)
    wrong = tmp_path / "wrong.pem"
    wrong.write_text("no key")
    for key in (wrong, tmp_path / "missing.pem"):
        with pytest.raises(UsageError, match="cannot be used"):
            server.make_server(None, lambda: None, (certificate, key))  # type: ignore[arg-type]


def test_a_port_that_is_taken_is_said() -> None:
    first = server.bind(port=0)
    with pytest.raises(SinkError, match=f"Try --port {first.port + 1}"):
        server.bind(port=first.port)
    first.listener.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "a..b", "x" * 70])
def test_an_address_of_another_machine_is_said(host: str) -> None:
    with pytest.raises(UsageError, match="is not an address of this machine"):
        server.bind(host, 0)


@pytest.mark.parametrize("spec", ["http:x", "http:70000", "http:lan:x", "http:80:90", "http:-1"])
def test_a_page_needs_a_port(spec: str) -> None:
    with pytest.raises(UsageError, match="http:lan"):
        split_pages([spec], ModelOptions(), quiet=True)


def test_pages_are_told_from_other_outputs() -> None:
    others, pages = split_pages(["null:", "http:0", "a.mp4"], ModelOptions(), quiet=True)
    assert others == ["null:", "a.mp4"]
    (page,) = pages
    assert page.url == f"http://127.0.0.1:{page.binding.port}/"
    assert page.access.token is None
    page.binding.listener.close()


def test_only_names_typed_on_this_machine_may_be_paths(tmp_path: Path) -> None:
    catalog = StyleCatalog(folder=tmp_path / "styles")
    path = str(packaged_styles_dir() / "wave.jpg")
    with pytest.raises(StyleError):
        catalog.find(path)
    style = catalog.adopt(path)
    assert (style.title, catalog.find(style.name)) == ("wave", style)
    assert catalog.adopt("neon").origin == "packaged"


def test_the_newest_uploads_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalog_module, "KEPT", 3)
    catalog = StyleCatalog(folder=tmp_path)
    made = [
        catalog.upload(np.full((8, 8, 3), shade, np.uint8), f"{shade}.png") for shade in range(5)
    ]
    assert len(list(tmp_path.glob("*.png"))) == 3
    assert catalog.find(made[-1].name).title == "4"
    with pytest.raises(StyleError):
        catalog.find(made[0].name)
