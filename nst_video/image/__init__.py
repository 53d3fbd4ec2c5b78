"""Single images: files, color, resizing, optical flow, drawing."""
