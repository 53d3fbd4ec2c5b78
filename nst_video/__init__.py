"""Paint moving pictures in the style of any still picture."""

from nst_video.xcb import load_opencv_xcb

__version__ = "0.1.0"

load_opencv_xcb()
