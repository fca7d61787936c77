"""Whoever is first in virtual time."""

from uffdviz.schedulers.base import Run
from uffdviz.trace.events import Event


class Timed:
    """The order that the costs make.

    Whether a task can move, and when, depends on its own clock and on the object of its next step:
    so after a step only those whom it touched are asked again.
    """

    def __init__(self) -> None:
        self._run: Run | None = None
        self._names: tuple[str, ...] = ()
        self._due: dict[str, int] = {}
        self._last: Event | None = None

    def pick(self, run: Run) -> str | None:
        last = run.events[-1] if run.events else None
        for name in self._touched(run, last):
            self._due.pop(name, None)
            if run.can_step(name):
                self._due[name] = run.due_at(name)
        self._run, self._last = run, last
        if not self._due or run.is_over():
            return None
        return run.first(self._due)

    def _touched(self, run: Run, last: Event | None) -> tuple[str, ...]:
        """Name the tasks that have to be asked again; all of them unless one step was taken."""
        if run is not self._run:
            self._names = run.start.task_names
            self._due = {}
            return self._names
        if last is self._last:
            return ()
        before = self._last.n if self._last is not None else 0
        if last is None or last.n != before + 1 or " " in last.choice:
            return self._names
        mover, touched = last.task, last.object
        return tuple(n for n in self._names if n == mover or run.next_object(n) == touched)
