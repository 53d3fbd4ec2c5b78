"""The page of `nst-video serve`: cameras of browsers, films and pictures over HTTP.

`protocol`, `look`, `access` and `session_queue` are pure; `shared_engine` is what all share;
`camera_session` paints the frames of one browser; `app` connects them with Starlette.
"""
