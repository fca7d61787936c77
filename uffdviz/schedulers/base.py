"""What a scheduler is: it sees a run and says who moves next."""

from collections.abc import Mapping
from typing import Protocol

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Snapshot


class Run(Protocol):
    """What a scheduler may know of a run."""

    start: Snapshot
    events: list[Event]

    def choices(self) -> list[str]:
        """The tasks that can take a step now, in scenario order."""

    def can_step(self, name: str) -> bool:
        """Whether the task's next step can be taken now."""

    def next_object(self, name: str) -> str:
        """The object of the task's next step; empty if it touches none."""

    def is_over(self) -> bool:
        """Whether no task is left that has to come to an end."""

    def due_at(self, name: str) -> int:
        """When the task's next step would start, in virtual nanoseconds, processors aside."""

    def first(self, ready: Mapping[str, int]) -> str | None:
        """Give the first move in virtual time, of tasks that could start at the times of `ready`."""


class Scheduler(Protocol):
    """Says who moves next."""

    def pick(self, run: Run) -> str | None:
        """Give a choice for the next step; None: nobody can move, or there is nothing left to say."""
