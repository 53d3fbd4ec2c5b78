"""The output `http:` of `nst-video live`: the whole page where the extra `web` is installed."""

from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from nst_video.cli.console import say
from nst_video.errors import UsageError
from nst_video.settings import ModelOptions

if TYPE_CHECKING:
    from nst_video.web.live_page import LivePage

HTTP = "http:"
LAN = "lan"


def split_pages(
    wanted: Sequence[str], options: ModelOptions, *, quiet: bool
) -> "tuple[list[str], list[LivePage]]":
    """Return the outputs that are no pages, and the pages.

    Args:
        wanted: the outputs, as typed.
        options: the network that paints pictures and films of pages.
        quiet: do not say that a page is only a picture.

    Raises:
        NstVideoError: a port cannot be used.
    """
    specs = [each for each in wanted if each.startswith(HTTP)]
    if not specs:
        return list(wanted), []
    if find_spec("uvicorn") is None or find_spec("starlette") is None:
        if any(LAN in each for each in specs):
            raise UsageError("http:lan needs uvicorn: run `pip install 'nst-video[web]'`.")
        if not quiet:
            say("The page shows the picture only; `pip install 'nst-video[web]'` adds controls.")
        return list(wanted), []
    pages = [_open(each, options) for each in specs]
    return [each for each in wanted if each not in specs], pages


def _open(spec: str, options: ModelOptions) -> "LivePage":
    """Return the page for "http:", "http:PORT", "http:lan" or "http:lan:PORT"."""
    from nst_video.web.live_page import PORT, LivePage

    name, _, rest = spec.removeprefix(HTTP).partition(":")
    is_lan = name == LAN
    port = rest if is_lan else name
    if (rest and not is_lan) or (port and not (port.isdecimal() and int(port) < 1 << 16)):
        raise UsageError(
            f"A page is http:, http:{PORT}, http:lan or http:lan:{PORT}, not {spec!r}."
        )
    return LivePage(int(port or PORT), options, is_lan=is_lan)
