"""Numba's compiler; imported when a compiled loop is called first, as that takes half a second."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import llvmlite.binding
import numba
from numba.core.caching import FunctionCache

# Loops over more than a few arrays are vectorized, too: LLVM has to compare their addresses.
llvmlite.binding.set_option("nst_video", "--runtime-memory-check-threshold=128")

_FLOAT_FLAGS = {"nnan", "ninf", "nsz"}
"""What the compiler may assume of floating-point numbers: none is NaN or infinite, and -0 is 0.

It may not reorder sums: compiled into its caller or loaded from disk, a function would give other
frames, and a film that is resumed would not be the film that was interrupted. Costs 5 to 10 %.
"""


def make_dispatcher(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return what compiles a function for the types that it is called with, and calls that."""
    dispatcher = numba.njit(nogil=True, fastmath=_FLOAT_FLAGS, error_model="numpy")(function)
    with suppress(RuntimeError):  # there is no folder that can be written
        dispatcher._cache = _OptionalCache(function)
    made: Callable[..., Any] = dispatcher
    return made


class _OptionalCache(FunctionCache):  # type: ignore[misc]  # Numba has no types
    """Keeps machine code on disk if it can: a full disk costs time, and no more."""

    def save_overload(self, sig: object, data: object) -> None:
        with suppress(OSError):
            super().save_overload(sig, data)
