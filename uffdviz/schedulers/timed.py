"""Whoever is due first in virtual time; of several, the first in the scenario."""

from uffdviz.schedulers.base import Run


class Timed:
    """The order that the costs make."""

    def pick(self, run: Run) -> str | None:
        return min(run.choices(), key=run.due_at, default=None)
