"""The `nst-video` command: one module a command or group, assembled in `app`."""

from nst_video.cli.app import main

__all__ = ["main"]
