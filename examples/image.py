"""Paint a photo: python examples/image.py photo.jpg painted.png wave."""

import sys

from nst_video import stylize_image

source, target, style = sys.argv[1:]
painted = stylize_image(source, style, intensity=0.8)  # a PIL image; notebooks display it
painted.save(target)
