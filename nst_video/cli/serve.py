"""`nst-video serve`: the page in a browser."""

import webbrowser
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst_video.cli.console import end_process, result, say, stderr
from nst_video.cli.options import grouped, number
from nst_video.cli.stylizer_options import (
    ENGINE_OPTION,
    INTENSITY_OPTION,
    MODEL_OPTION,
    STYLE_OPTION,
    ModelsDirOption,
    OfflineOption,
)
from nst_video.errors import UsageError
from nst_video.settings import DEFAULT_STYLE, ModelOptions, StylizeSettings
from nst_video.validation import Range

if TYPE_CHECKING:
    from nst_video.web.access import Access
    from nst_video.web.server import Certificate

PORT_RANGE = Range(0, 65535, is_whole=True)

_ADDRESS_PANEL = "Address"


@dataclass(frozen=True, kw_only=True)
class AddressOptions:
    """Where the page is."""

    host: Annotated[
        str | None,
        typer.Option(
            "--host",
            metavar="ADDRESS",
            help="Address to listen on; by default 127.0.0.1, for this machine alone. Any other "
            "address needs the token that is printed.",
            rich_help_panel=_ADDRESS_PANEL,
        ),
    ] = None
    port: Annotated[
        int,
        number(
            PORT_RANGE,
            "--port",
            help="Port; 0 takes a free one.",
            metavar="N",
            panel=_ADDRESS_PANEL,
        ),
    ] = 8800
    lan: Annotated[
        bool,
        typer.Option(
            "--lan",
            help="For phones and other machines of this network: listens on all addresses, with "
            "HTTPS and a certificate of its own, and shows address and QR code.",
            rich_help_panel=_ADDRESS_PANEL,
        ),
    ] = False
    cert: Annotated[
        Path | None,
        typer.Option(
            "--cert", metavar="FILE", help="Certificate, PEM.", rich_help_panel=_ADDRESS_PANEL
        ),
    ] = None
    key: Annotated[
        Path | None,
        typer.Option("--key", metavar="FILE", help="Its key, PEM.", rich_help_panel=_ADDRESS_PANEL),
    ] = None
    self_signed: Annotated[
        bool,
        typer.Option(
            "--self-signed",
            help="Make a certificate, which browsers ask about once.",
            rich_help_panel=_ADDRESS_PANEL,
        ),
    ] = False
    opens: Annotated[
        bool,
        typer.Option(
            "--open", help="Open the page in the browser.", rich_help_panel=_ADDRESS_PANEL
        ),
    ] = False

    def certificate(self, host: str) -> "Certificate | None":
        """Return the certificate to use on `host`, None for HTTP.

        Raises:
            UsageError: options that do not go together.
        """
        from nst_video.web import addresses, certificates

        if (self.cert is None) != (self.key is None):
            raise UsageError("--cert and --key belong together: give both or none.")
        if self.cert is not None and self.key is not None:
            if self.self_signed:
                raise UsageError("--cert and --self-signed exclude each other.")
            return self.cert, self.key
        if self.self_signed or self.lan:
            return certificates.self_signed(addresses.host_names(host))
        return None


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What the page begins with."""

    style: Annotated[list[str], STYLE_OPTION] = field(default_factory=lambda: [DEFAULT_STYLE])
    intensity: Annotated[float, INTENSITY_OPTION] = StylizeSettings.intensity
    films: Annotated[
        Path | None,
        typer.Option(
            "--films",
            metavar="DIR",
            help="Folder whose videos everyone who uses the page may choose; none by default.",
        ),
    ] = None
    model: Annotated[str, MODEL_OPTION] = ModelOptions.model
    models_dir: ModelsDirOption = ModelOptions.models_dir
    offline: OfflineOption = ModelOptions.offline
    engine: Annotated[str, ENGINE_OPTION] = ModelOptions.engine


@grouped
def serve(*, address: AddressOptions, page: PageOptions) -> None:
    """Open a page: the browser's camera painted, controls for a phone, videos and pictures."""
    from nst_video.web import addresses, server
    from nst_video.web.access import Access
    from nst_video.web.assembly import assemble
    from nst_video.web.catalog import StyleCatalog
    from nst_video.web.look import Look

    host = address.host or (addresses.EVERY_HOST if address.lan else server.HOST)
    certificate = address.certificate(host)
    options = ModelOptions(
        page.model, page.engine, models_dir=page.models_dir, offline=page.offline
    )
    if page.films is not None and not page.films.is_dir():
        raise UsageError(f"--films {page.films} is not a folder.")
    catalog = StyleCatalog()
    styles = tuple((catalog.adopt(name).name, 1.0) for name in page.style)
    look = Look(styles, page.intensity)
    binding = server.bind(host, address.port)
    access = Access(
        binding.port,
        None if addresses.is_loopback(host) else addresses.token(),
        addresses.host_names(host),
        is_https=certificate is not None,
    )
    app = assemble(access, options, look, catalog=catalog, films_dir=page.films)
    server.run(
        app,
        binding,
        on_start=lambda: _announce(host, access, opens=address.opens),
        certificate=certificate,
    )
    end_process(0)


def _announce(host: str, access: "Access", *, opens: bool) -> None:
    """Print where the page is; elsewhere than on loopback with the token, and as a QR code."""
    from nst_video.web import addresses

    scheme = "https" if access.is_https else "http"
    mark = "" if access.token is None else f"?token={access.token}"
    here = f"{scheme}://localhost:{access.port}/{mark}"
    result(here)
    if access.token is not None:
        name = addresses.lan_address() if host in (addresses.EVERY_HOST, "::") else host
        if name is not None:
            there = f"{scheme}://{f'[{name}]' if ':' in name else name}:{access.port}/{mark}"
            result(there)
            stderr().print(addresses.qr_code(there), markup=False)
        if access.is_https:
            say("Browsers ask about the certificate once, as it is not signed by an authority.")
        else:
            say("Browsers give the camera to HTTPS only: use --lan, or --cert and --key.")
    say("Press Ctrl-C to stop.")
    if opens:
        webbrowser.open(here)
