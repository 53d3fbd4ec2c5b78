"""Reading frames from files, cameras, streams and the screen; writing them to files.

`sources` and `sinks` are the tables; `video_file_source` decodes and `video_file_sink` encodes.
"""
