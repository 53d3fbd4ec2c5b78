"""`nst-video serve`: the page in a browser."""

import webbrowser
from dataclasses import dataclass, field
from typing import Annotated

import typer

from nst_video.cli.console import end_process, result, say
from nst_video.cli.options import grouped, number
from nst_video.cli.stylizer_options import (
    ENGINE_OPTION,
    INTENSITY_OPTION,
    MODEL_OPTION,
    STYLE_OPTION,
    ModelsDirOption,
    OfflineOption,
)
from nst_video.settings import DEFAULT_STYLE, ModelOptions
from nst_video.validation import Range

PORT_RANGE = Range(0, 65535, is_whole=True)


@dataclass(frozen=True, kw_only=True)
class AddressOptions:
    """Where the page is."""

    port: Annotated[
        int, number(PORT_RANGE, "--port", help="Port; 0 takes a free one.", metavar="N")
    ] = 8800
    opens: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False


@dataclass(frozen=True, kw_only=True)
class PageOptions:
    """What the page begins with."""

    style: Annotated[list[str], STYLE_OPTION] = field(default_factory=lambda: [DEFAULT_STYLE])
    intensity: Annotated[float, INTENSITY_OPTION] = 1.0
    model: Annotated[str, MODEL_OPTION] = ModelOptions.model
    models_dir: ModelsDirOption = ModelOptions.models_dir
    offline: OfflineOption = ModelOptions.offline
    engine: Annotated[str, ENGINE_OPTION] = ModelOptions.engine


@grouped
def serve(*, address: AddressOptions, page: PageOptions) -> None:
    """Open a page: the browser's camera painted, controls for a phone, films and pictures."""
    from nst_video.web import server
    from nst_video.web.access import Access
    from nst_video.web.assembly import assemble
    from nst_video.web.look import Look

    options = ModelOptions(
        page.model, page.engine, models_dir=page.models_dir, offline=page.offline
    )
    look = Look(tuple((name, 1.0) for name in page.style), page.intensity)
    binding = server.bind(port=address.port)
    app = assemble(Access(binding.port), options, look)
    url = f"http://localhost:{binding.port}/"

    def announce() -> None:
        result(url)
        say("Press Ctrl-C to stop.")
        if address.opens:
            webbrowser.open(url)

    server.run(app, binding, on_start=announce)
    end_process(0)
