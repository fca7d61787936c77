"""Each task in turn, one step at a time."""

from uffdviz.schedulers.base import Run


class RoundRobin:
    """Goes on behind the task that moved last."""

    def pick(self, run: Run) -> str | None:
        choices = run.choices()
        if not choices:
            return None
        tasks = run.start.task_names
        last = tasks.index(run.events[-1].task) if run.events else -1
        return min(choices, key=lambda name: (tasks.index(name) - last - 1) % len(tasks))
