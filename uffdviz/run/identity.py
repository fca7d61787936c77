"""Which suspended coroutines are the same: equal identities have the same future.

A coroutine is where it waits and what it can still see: per coroutine of the `cr_await` chain the
code, the position in it, the names of the bound locals and the values it holds, those on its value
stack included. `gc.get_referents` tells them; it skips unbound locals, hence the names.
It leans on CPython. Whatever is held that this file does not know makes it give up (`None`), and
the caller then tells coroutines apart by their whole past, which is always right.
"""

import gc
from enum import Enum
from functools import partial
from types import (
    BuiltinFunctionType,
    CellType,
    CodeType,
    CoroutineType,
    FrameType,
    FunctionType,
    GeneratorType,
    MethodType,
    ModuleType,
)
from typing import Any, Final

from uffdviz.kernel.objects import AnonVma, FolioRef, Mm, Task, Uffd, Vma
from uffdviz.kernel.observe import OBSERVED
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Obj, Step, Work
from uffdviz.kernel.table import Table
from uffdviz.light import msgspec

KNOWN: Final = (
    *(str, int, float, bytes, type(None), range, Enum, msgspec.Struct),
    *(Obj, Vma, Mm, Uffd, AnonVma, FolioRef, Task, Stage),
    *(type, CodeType, ModuleType, FunctionType, BuiltinFunctionType, partial),
)
"""Values that say themselves what they are, and things of which there is one per setting."""
OF_SCENARIOS: Final = frozenset({"uffdviz.run.calls", "uffdviz.run.lives"})
"""Where such things of scenarios are made; a user's own model does not need these modules."""
ITERATORS: Final = (type(iter(())), type(iter(range(0))), type(iter("")), enumerate, zip, reversed)


class UnknownValueError(Exception):
    """A coroutine holds a value of which nothing is known."""


def identity(coro: Any, fresh: int) -> tuple[Any, ...] | None:
    """Say what a suspended coroutine is, or None if it holds something unknown."""
    parts: list[Any] = [fresh]
    try:
        while coro is not None:
            parts.append(_suspended(coro))
            coro = coro.cr_await if isinstance(coro, CoroutineType) else coro.gi_yieldfrom
    except UnknownValueError:
        return None
    return tuple(parts)


def _suspended(coro: Any) -> tuple[Any, ...]:
    """Say where one coroutine waits and what it holds."""
    is_coroutine = isinstance(coro, CoroutineType)
    code = coro.cr_code if is_coroutine else coro.gi_code
    frame = coro.cr_frame if is_coroutine else coro.gi_frame
    if code is OBSERVED:
        return (code,)
    names = frame.f_locals
    held = tuple(
        _value(v)
        for v in gc.get_referents(coro)
        if v is not names and not isinstance(v, FrameType | CoroutineType | GeneratorType)
    )
    return code, frame.f_lasti, tuple(names), held


def _value(value: Any) -> Any:
    """Say what a held value is, so that equal answers mean interchangeable values."""
    if isinstance(value, bool):
        return bool, int(value)
    if isinstance(value, KNOWN):
        return value
    if isinstance(value, tuple):
        return tuple(map(_value, value))
    return _unusual(value)


def _unusual(value: Any) -> Any:
    match value:
        case Table():
            return Table
        case Step() | Work():
            return tuple(_value(getattr(value, name)) for name in type(value).__slots__)
        case MethodType():
            return value.__func__, _value(value.__self__)
        case CellType():
            return _cell(value)
        case _ if type(value).__module__ in OF_SCENARIOS:
            return value
        case _ if isinstance(value, ITERATORS):
            return _value(value.__reduce__())
        case _:
            raise UnknownValueError


def _cell(cell: CellType) -> Any:
    """Say what a closure holds; a cell may still be empty."""
    try:
        return CellType, _value(cell.cell_contents)
    except ValueError:
        return CellType
