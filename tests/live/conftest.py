"""Live sessions leave no thread behind."""

from collections.abc import Iterator

import pytest
from live_tools import no_threads_left


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    """Fail a test that leaves threads running."""
    with no_threads_left():
        yield
