"""Paint moving pictures in the style of any still picture."""

__version__ = "0.1.0"
