"""Frames from and to video files, cameras, streams and the screen."""
