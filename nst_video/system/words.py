"""Parts of sentences, such as a count with its noun."""


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, such as "1 node" or "3 nodes"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
