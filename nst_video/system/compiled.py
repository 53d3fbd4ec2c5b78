"""Loops over pixels that are compiled to machine code."""

import threading
from collections.abc import Callable
from functools import update_wrapper
from typing import Any, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

_LOCK = threading.Lock()


def compiled(function: Function) -> Function:
    """Return a function of arrays and numbers, compiled by Numba when it is called first.

    It lets other Python threads run meanwhile. The machine code is kept on disk, beside the module
    or in the user's cache folder, and used again while the module does not change; so a function
    may call only compiled functions of its own module. Indices must not be negative.
    """
    return cast(Function, _Compiled(function))


class _Compiled:
    """A function that imports Numba when it is called first."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._function = function
        self._dispatcher: Callable[..., Any] | None = None
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:  # noqa: ANN401
        return (self._dispatcher or self._prepare())(*arguments)

    def _prepare(self) -> Callable[..., Any]:
        """Return the function for Numba, and hand it the functions of its module that it calls.

        Numba looks them up by name, and has to find its own.
        """
        from nst_video.system.machine_code import make_dispatcher

        names = self._function.__globals__
        with _LOCK:
            if self._dispatcher is None:
                own = {
                    name: value
                    for name, value in names.items()
                    if isinstance(value, _Compiled) and value._function.__globals__ is names
                }
                made = {name: make_dispatcher(value._function) for name, value in own.items()}
                names.update(made)  # all at once: another thread may compile one of them now
                for name, value in own.items():
                    value._dispatcher = made[name]
                self._dispatcher = self._dispatcher or make_dispatcher(self._function)
            return self._dispatcher
