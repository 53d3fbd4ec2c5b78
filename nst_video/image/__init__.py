"""Single pictures: files, color, size, optical flow, and what is drawn on them."""
