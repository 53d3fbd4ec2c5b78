"""Compiled loops: kept on disk where that is possible."""

import numpy as np
import pytest
from numba.core.caching import FunctionCache
from numpy.typing import NDArray

from nst_video.system.compiled import compiled


def double(values: NDArray[np.float32]) -> None:
    for i in range(len(values)):
        values[i] *= 2


@pytest.mark.parametrize("full", [False, True])
def test_a_full_disk_costs_only_the_kept_machine_code(
    monkeypatch: pytest.MonkeyPatch, full: bool
) -> None:
    saved: list[object] = []

    def save(cache: FunctionCache, sig: object, data: object) -> None:
        if full:
            raise OSError(28, "No space left on device")
        saved.append(sig)

    monkeypatch.setattr(FunctionCache, "save_overload", save)
    values = np.arange(3, dtype=np.float32)
    compiled(double)(values)
    np.testing.assert_array_equal(values, [0, 2, 4])
    assert len(saved) == (not full)
