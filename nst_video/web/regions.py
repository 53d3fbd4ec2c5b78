"""The mask of a look: what a stylizer is told of it."""

from nst_video.settings import BACKGROUND_WORDS, Regions, parse_color
from nst_video.web.catalog import StyleCatalog, is_upload
from nst_video.web.look import MASKS, Look

NO_MASK, PERSON, BACKGROUND = MASKS


def is_plain(rest: str) -> bool:
    """Return whether what is outside of a mask needs no style: the input, blur, or a color."""
    return rest in BACKGROUND_WORDS or parse_color(rest) is not None


def regions_of(look: Look, catalog: StyleCatalog) -> Regions | None:
    """Return the regions of a look, None where the styles are everywhere.

    Raises:
        StyleError: the rest is in an unknown style.
    """
    if look.mask == NO_MASK:
        return None
    rest = look.rest
    if not is_plain(rest):
        style = catalog.find(rest)
        rest = str(style.path) if is_upload(style) else style.name
    return Regions(rest=rest, softness=look.mask_softness, invert=look.mask == BACKGROUND)


def check(look: Look, catalog: StyleCatalog) -> None:
    """Check the names of styles in a look.

    Raises:
        StyleError: one of them is unknown.
    """
    catalog.select(look.names)
    regions_of(look, catalog)
