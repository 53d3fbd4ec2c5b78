"""Media files below the level of frames: probing with PyAV, coding with the ffmpeg binary.

Submodules, lower first: `options` (imports nothing heavy, so that the command line can read its
defaults), `process`, `probe`, `timing`, `filters`, `containers`, `carry`.
"""
