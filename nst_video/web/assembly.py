"""Puts the parts of the server together."""

from pathlib import Path

from starlette.types import ASGIApp

from nst_video.settings import ModelOptions
from nst_video.stylizer import Stylizer
from nst_video.web.access import Access
from nst_video.web.app import Parts, build_app
from nst_video.web.camera_socket import Sockets
from nst_video.web.catalog import StyleCatalog
from nst_video.web.film_painter import WatchedPainter
from nst_video.web.film_store import FilmStore
from nst_video.web.films import Films
from nst_video.web.films_api import FilmApi
from nst_video.web.limits import Limits
from nst_video.web.live_api import LiveApi
from nst_video.web.look import Look
from nst_video.web.picture_queue import PictureQueue
from nst_video.web.refinement import Refiner
from nst_video.web.regions import check, regions_of
from nst_video.web.shared_engine import SharedEngine
from nst_video.web.styles_api import StyleApi


def assemble(
    access: Access,
    options: ModelOptions | None = None,
    look: Look | None = None,
    *,
    catalog: StyleCatalog | None = None,
    limits: Limits | None = None,
    films_dir: Path | None = None,
    store: Path | None = None,
    live: LiveApi | None = None,
) -> ASGIApp:
    """Return the application.

    Args:
        access: who may use it.
        options: the network, and what computes it.
        look: that pages begin with.
        catalog: the styles.
        limits: of what is accepted.
        films_dir: whose films may be chosen, None for none.
        store: folder of uploaded films, by default one of the user's.
        live: the live session that is shown, None without.

    Raises:
        StyleError: the look has an unknown style.
    """
    options, look, limits = options or ModelOptions(), look or Look(), limits or Limits()
    catalog = catalog or StyleCatalog()
    check(look, catalog)
    engine = SharedEngine(catalog, options, look)
    pictures = PictureQueue(limits)
    styles = StyleApi(engine, pictures, PictureQueue(limits), Refiner(options, engine.note_refined))

    def open_painter(look: Look) -> WatchedPainter:
        """Return a painter as the command line has it, with the exact engine."""
        made = Stylizer(
            catalog.select(look.names),
            look.settings(),
            options,
            mix=look.mix,
            library=catalog.library,
            regions=regions_of(look, catalog),
        )
        return WatchedPainter(made)

    films = FilmApi(
        engine, pictures, Films(FilmStore(store), open_painter, goes_on=live is None), films_dir
    )
    return build_app(Parts(engine, Sockets(engine), styles, films, access, limits, live))
