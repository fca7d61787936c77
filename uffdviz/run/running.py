"""One task at run time: its coroutine, and the step that it wants to take next."""

from collections.abc import Callable, Coroutine
from typing import Any

from uffdviz.errors import ModelError
from uffdviz.kernel.labels import Spots, place
from uffdviz.kernel.steps import Ask, Mark, Step, Work
from uffdviz.kernel.table import Table
from uffdviz.trace.events import Fact

Life = Callable[[Any], Coroutine[Ask, Any, None]]
"""What a task does, with the table of functions that it was written for."""
FINISHED = Mark(Fact("Finished"))
ASKS = frozenset({Step, Work, Mark})


class Running:
    """One task at run time: its coroutine, and the step that it wants to take next."""

    __slots__ = ("ask", "coro", "done", "kernel", "name", "place", "refused", "silent", "spots")

    def __init__(self, name: str, kernel: Table, life: Life) -> None:
        self.name = name
        self.kernel = kernel
        self.coro = life(kernel)
        self.ask: Ask | None = None
        self.done = False
        self.refused: Any = None
        self.silent = False
        self.place = ("", "")
        self.spots: Spots = ()
        self.resume(None)

    def resume(self, answer: Any) -> None:
        """Give the answer to the last step and learn the next; the last of all is `FINISHED`.

        Raises: ModelError if what is awaited is no step.
        """
        self.refused = None
        if self.done:
            self.ask = None
            return
        finished = isinstance(self.ask, Mark) and self.ask.fact.kind == "Finished"
        try:
            self.ask = self.coro.send(answer)
        except StopIteration:
            self.ask, self.done = None if finished else FINISHED, True
        else:
            if type(self.ask) not in ASKS:
                (function, _), _ = place(self.coro)
                msg = f"{self.name} awaits something in {function}() that is no step: {self.ask!r}"
                raise ModelError(msg)

    def locate(self) -> tuple[str, str]:
        """Find where the task stands. Returns: the function, and the label of the step in it."""
        self.place, self.spots = (("", ""), ()) if self.done else place(self.coro)
        return self.place
