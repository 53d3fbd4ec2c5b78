"""Make the picture of the presets for the documentation: one scene, painted with each of them.

Usage: `python tools/preset_pictures.py docs/_static/presets.jpg`. It takes minutes. `classic` is
left out: it needs VGG-19.
"""

import sys
from pathlib import Path

from nst_video.frames import size_of
from nst_video.image import synthetic
from nst_video.image.contact_sheet import SheetEntry, contact_sheet
from nst_video.image.files import save_picture
from nst_video.image.resize import resize_area
from nst_video.networks.vgg import load_loss_network
from nst_video.optimization.gatys import GatysOptimizer, StylePicture
from nst_video.optimization.image import optimize_image
from nst_video.optimization.settings import find_preset
from nst_video.style_library.library import StyleLibrary

PRESETS = ("balanced", "faithful", "painterly", "fast")
STYLE = "starfield"
SIZE, PHASE = (512, 384), 0.35
"""(width, height) of the scene, and the moment that it shows."""

COLUMNS = 3


def main(target: Path) -> None:
    """Paint, and write the sheet at half its size."""
    scene = synthetic.draw(SIZE, PHASE)
    style = StyleLibrary().get(STYLE).load()
    network = load_loss_network()
    entries = [SheetEntry("scene and style", scene, style)]
    for name in PRESETS:
        optimizer = GatysOptimizer(network, [StylePicture(style)], find_preset(name))
        painting = optimize_image(scene, optimizer)
        entries.append(SheetEntry(name, painting.frame, style))
    sheet = contact_sheet(entries, COLUMNS)
    width, height = size_of(sheet)
    save_picture(target, resize_area(sheet, (width // 2, height // 2)), overwrite=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
