"""Use pictures of your own as styles: python examples/own_style.py photo.jpg art.jpg out.png."""

import sys

from nst_video import StyleLibrary, Stylizer, stylize_image

photo, art, target = sys.argv[1:]
stylize_image(photo, art).save(target)  # a path serves wherever a style's name does

library = StyleLibrary()
library.add(art, "my-art", overwrite=True)  # a copy, known by name from now on, to commands too
mixed = Stylizer(["my-art", "wave"], mix=[0.6, 0.4])
stylize_image(photo, mixed).save(target)
