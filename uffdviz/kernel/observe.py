"""Noting on a task's kernel which functions are entered and left, and with what."""

from collections.abc import Callable
from types import FunctionType
from typing import TYPE_CHECKING, Any, Final

from uffdviz.kernel.errno import errno_name
from uffdviz.kernel.labels import kernel_name
from uffdviz.kernel.memory import plain
from uffdviz.kernel.objects import Vma

if TYPE_CHECKING:
    from uffdviz.kernel.table import Table


def observed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Note on the task's kernel when `fn` is entered, and when it is left with what."""
    name = kernel_name(fn.__name__)

    async def observed_call(k: "Table", *args: Any, **options: Any) -> Any:
        k.calls.append(("enter", name))
        result = await fn(k, *args, **options)
        k.calls.append(("leave", name, said(result)))
        return result

    observed_call.__wrapped__ = fn  # type: ignore[attr-defined]  # the source panel shows `fn`
    return observed_call


async def _nothing(k: "Table") -> None:
    return


COROUTINE: Final = 0x80
"""`inspect.CO_COROUTINE`; importing `inspect` takes longer than a small search."""
OBSERVED: Final = observed(_nothing).__code__
"""The code of every function that is observed: it keeps nothing of its own."""


def said(result: Any) -> str:
    """Say what a function returned, as a landmark would."""
    if result is None:
        return "NULL"
    if isinstance(result, Vma):
        return result.name
    if isinstance(result, int) and not isinstance(result, bool) and result < 0:
        return errno_name(result)
    return plain(result) if not hasattr(result, "name") else str(result.name)


def observe(cls: type) -> None:
    """Wrap the kernel functions that `cls` itself names, so that calls and returns are noted."""
    for name, fn in list(vars(cls).items()):
        if is_async(fn) and not hasattr(fn, "primitive"):
            setattr(cls, name, observed(fn))


def is_async(fn: Any) -> bool:
    """Whether something is a function that is written `async def`."""
    return isinstance(fn, FunctionType) and bool(fn.__code__.co_flags & COROUTINE)
