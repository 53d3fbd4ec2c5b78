"""Paint moving pictures in the style of any still picture."""

import os

from nst_video.system.opencv_xcb import load_opencv_xcb

__version__ = "0.1.0"

# Read when Keras is imported, before the user's keras.json, which may name a backend that is not
# installed. TensorFlow always is.
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

load_opencv_xcb()
