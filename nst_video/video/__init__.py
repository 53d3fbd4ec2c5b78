"""Reading frames from files, cameras, streams and the screen; writing them to files."""
