"""Names, addresses and the token under which the server is found."""

import io
import ipaddress
import os
import secrets
import socket
from contextlib import suppress

from nst_video.system.paths import data_dir

EVERY_HOST = "0.0.0.0"

_ELSEWHERE = "192.0.2.1"
"""An address that belongs to nobody (RFC 5737): no packet is sent to find the way to it."""

_TOKEN_BYTES, _SHORTEST = 16, 16


def is_loopback(host: str) -> bool:
    """Return whether a host to listen on is reached from this machine only."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def lan_address() -> str | None:
    """Return the address of this machine in its network, None without one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe, suppress(OSError):
        probe.connect((_ELSEWHERE, 9))
        found = str(probe.getsockname()[0])
        return None if is_loopback(found) else found
    return None


def host_names(host: str) -> frozenset[str]:
    """Return the names and addresses under which a server on `host` is found."""
    own = socket.gethostname().lower()
    names = {"localhost", "127.0.0.1", own, f"{own}.local"}
    if host not in (EVERY_HOST, "::"):
        names.add(host.lower())
    address = lan_address()
    if address is not None:
        names.add(address)
    return frozenset(name for name in names if name)


def token() -> str:
    """Return the token that everybody has to show; the same at every start.

    So pages that are open come back by themselves after a restart. It is kept in a file that only
    this user can read; without the file there is a new one.
    """
    path = data_dir() / "serve" / "token"
    with suppress(OSError):
        kept = path.read_text("ascii", "ignore").strip()
        if len(kept) >= _SHORTEST:
            return kept
    made = secrets.token_urlsafe(_TOKEN_BYTES)
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(made)
    return made


def qr_code(url: str) -> str:
    """Return a QR code as lines of text for a terminal; empty where segno is not installed."""
    try:
        import segno
    except ImportError:
        return ""
    text = io.StringIO()
    segno.make(url, error="l").terminal(text, compact=True)
    return text.getvalue()
