"""A certificate of our own, for phones: browsers give cameras to pages over HTTPS only."""

import ipaddress
import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from nst_video.errors import MissingExtraError
from nst_video.system.paths import data_dir, write_atomically

if TYPE_CHECKING:
    from cryptography import x509

DAYS = 397
"""Longest validity that browsers accept."""

_RENEWED_DAYS = 30


def self_signed(names: frozenset[str]) -> tuple[Path, Path]:
    """Return the files of certificate and key for host names and addresses; made where needed.

    The same certificate is used again, so that browsers ask once.

    Raises:
        MissingExtraError: the package that makes certificates is not installed.
    """
    folder = data_dir() / "serve"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    if not (key.is_file() and _is_valid(certificate, names)):
        made, secret = _make(names)
        _write_secret(key, secret)
        write_atomically(certificate, lambda file: file.write(made))
    return certificate, key


def _is_valid(path: Path, names: frozenset[str]) -> bool:
    """Return whether a certificate is for these names and stays valid for a while."""
    try:
        from cryptography import x509
    except ImportError as error:
        raise MissingExtraError("A certificate", "cryptography", "web") from error
    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, x509.ExtensionNotFound):
        return False
    known = {*found.get_values_for_type(x509.DNSName)}
    known |= {str(each) for each in found.get_values_for_type(x509.IPAddress)}
    until = certificate.not_valid_after_utc
    return names <= known and datetime.now(UTC) + timedelta(days=_RENEWED_DAYS) < until


def _make(names: frozenset[str]) -> tuple[bytes, bytes]:
    """Return certificate and key, both PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    server = ExtendedKeyUsageOID.SERVER_AUTH
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nst-video")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=DAYS - 1))
        .add_extension(x509.SubjectAlternativeName(list(map(_general, names))), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([server]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return made.public_bytes(serialization.Encoding.PEM), secret


def _general(name: str) -> "x509.GeneralName":
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _write_secret(path: Path, data: bytes) -> None:
    """Write a file that only this user can read."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with suppress(FileNotFoundError):
        path.unlink()
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
