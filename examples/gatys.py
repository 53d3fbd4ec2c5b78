"""Paint a photo by Gatys' optimization: python examples/gatys.py in.jpg out.png wave 300."""

import sys

from nst_video import PaintSettings, paint_image

source, target, style, steps = sys.argv[1:]
settings = PaintSettings(content_weight=0.1, steps=int(steps))
painted = paint_image(source, style, settings, work_size=360)
painted.save(target)
