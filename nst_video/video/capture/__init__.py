"""Live sources: cameras, network streams, the screen, pictures shown one after the other.

Each is a `FrameSource` (see `video.sources`): an iterable context manager that delivers RGB
frames as they come. `info` is filled in on entering the context, when the device has answered.
"""
