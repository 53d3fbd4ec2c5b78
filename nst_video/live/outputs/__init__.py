"""Where a live session shows or sends its frames: window, recording, virtual camera, HTTP."""
