"""When Python's garbage collector has nothing to find: events and states have no cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Make what is needed to the end; to look through it meanwhile takes a third of the time."""
    collects = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collects:
            gc.enable()


def look_no_more() -> None:
    """Leave out whatever there is now when the collector looks again; a screen waits for it else."""
    gc.freeze()
