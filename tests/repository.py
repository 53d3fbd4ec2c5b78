"""Where the tests lie in the repository."""

from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
