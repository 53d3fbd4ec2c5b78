"""Live sources: cameras, network streams, the screen, folders of images.

Each is a `FrameSource` (see `video.sources`): an iterable context manager that yields RGB frames
as they arrive. `info` is known once the context is entered.
"""
