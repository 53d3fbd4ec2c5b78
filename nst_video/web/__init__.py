"""The page of `nst-video serve`: cameras of browsers, films and pictures over HTTP.

`protocol`, `look`, `access` and `places` are pure; `studio` holds the engine that all share;
`camera_session` paints the frames of one browser; `app` connects them with Starlette.
"""
