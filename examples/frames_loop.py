"""Paint frames that a program has or makes itself: python examples/frames_loop.py out.png."""

import sys

import numpy as np
from PIL import Image

from nst_video import Stylizer

stylizer = Stylizer("wave")
y, x = np.mgrid[0:180, 0:320]
painted = []
for step in range(4):
    red = 127 + 127 * np.sin((x + 20 * step) / 30)
    frame = np.stack([red, y, x / 2], axis=-1).astype(np.uint8)  # RGB, (height, width, 3)
    if step == 2:  # style and settings may change between any two frames
        stylizer.set_style(["wave", "mosaic"], mix=[0.7, 0.3])
    painted.append(stylizer(frame))
Image.fromarray(np.concatenate(painted)).save(sys.argv[1])
