"""A table of functions as one task sees it: what a runner needs to know of a kernel.

The kernel's own table is `kernel/kernel.py`. Whoever brings a small model of their own over the
same steps needs no more than this one.
"""

from typing import Any, ClassVar

from uffdviz.kernel.objects import Task
from uffdviz.kernel.observe import observe
from uffdviz.kernel.stage import Stage


class Table:
    """One task's view of the functions that it may call.

    `calls` collects what was entered and left since last asked. `fresh` counts the names that the
    task gave to new things; with the coroutine it is the whole private state of a task. `doing` is
    the scenario's call that is being made: a note for runners, which follows from the coroutine.
    """

    era: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()

    def __init__(self, stage: Stage, current: Task) -> None:
        self.stage = stage
        self.current = current
        self.calls: list[tuple[str, ...]] = []
        self.fresh = 0
        self.doing: Any = None

    def __init_subclass__(cls) -> None:
        """Observe every function that this table names, except the lock verbs."""
        observe(cls)
