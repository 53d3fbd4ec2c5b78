"""Files, folders, memory and the terminal: what the operating system provides."""
