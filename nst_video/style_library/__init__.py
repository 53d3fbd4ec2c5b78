"""Styles: the packaged ones, the user's own, any picture by path; and their bottlenecks."""
