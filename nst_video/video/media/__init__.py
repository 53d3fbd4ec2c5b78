"""Media files: probing with PyAV, decoding and encoding with the ffmpeg binary.

`codec_options` imports nothing heavy, so that the command line can read its defaults. `probe` reads
headers, `timing` and `timeline` find the times of frames, `filters` are ffmpeg's filter chains,
`containers` is the table of output formats, `stream_copy` plans the copying of sound, subtitles and
metadata.
"""
