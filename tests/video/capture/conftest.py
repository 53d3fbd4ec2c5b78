"""Captures leave no thread behind."""

from collections.abc import Iterator

import pytest
from live_tools import no_threads_left


@pytest.fixture(autouse=True)
def _leaves_nothing_behind() -> Iterator[None]:
    with no_threads_left():
        yield
