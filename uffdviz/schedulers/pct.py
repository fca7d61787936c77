"""Probabilistic concurrency testing: random priorities, and a few random places to lower one.

Burckhardt, Kothari, Musuvathi, Nagarakatte (ASPLOS 2010): a bug of depth d is met with a chance of
at least 1 / (tasks * steps^(d-1)). The task of the highest priority that can move moves.
"""

from random import Random

from uffdviz.schedulers.base import Run


class Pct:
    """Finds bugs of up to `depth` ordering constraints in runs of about `steps` steps."""

    def __init__(self, seed: int, depth: int = 3, steps: int = 200) -> None:
        self._chance = Random(seed)
        self._drops = {1 + int(self._chance.random() * steps): d for d in range(1, depth)}
        self._priority: dict[str, float] = {}
        self._depth = depth

    def pick(self, run: Run) -> str | None:
        for name in run.start.task_names:
            if name not in self._priority:
                self._priority[name] = self._depth + self._chance.random()
        choices = run.choices()
        if not choices:
            return None
        best = max(choices, key=self._priority.__getitem__)
        lowered = self._drops.get(len(run.events) + 1)
        if lowered is not None:
            self._priority[best] = -lowered
            best = max(choices, key=self._priority.__getitem__)
        return best
