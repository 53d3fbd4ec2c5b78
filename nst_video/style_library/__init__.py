"""Styles: packaged ones, the user's own, any image file; and their bottlenecks."""
