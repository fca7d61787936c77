"""What every lock is: a frozen value, with pure functions from (state, task) to a new state."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from uffdviz.light import msgspec
from uffdviz.trace.events import Fact, Mode

MISUSED: Final = Fact("LockMisused")
"""A release by a task that does not hold the lock: a mistake of the operation, not of the run."""

Fn = TypeVar("Fn", bound=Callable[..., Any])


class Waiter(msgspec.Struct, frozen=True):
    """A task in the queue of a lock, and what it wants."""

    task: str
    mode: Mode = "write"


def primitive(fn: Fn) -> Fn:
    """Mark a lock verb: entering and leaving it is not worth an entry in the call stack."""
    fn.primitive = True  # type: ignore[attr-defined]
    return fn


def without_one(tasks: tuple[str, ...], task: str) -> tuple[str, ...]:
    """Drop one occurrence of `task`: a reader that holds a lock twice keeps the other hold."""
    at = tasks.index(task)
    return (*tasks[:at], *tasks[at + 1 :])
