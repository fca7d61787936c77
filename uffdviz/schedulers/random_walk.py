"""Any task that can move, with equal chance."""

from random import Random

from uffdviz.schedulers.base import Run


class RandomWalk:
    """Only `Random.random()` gives the same numbers on every Python: all chance is made of it."""

    def __init__(self, seed: int) -> None:
        self._chance = Random(seed)

    def pick(self, run: Run) -> str | None:
        choices = run.choices()
        if not choices:
            return None
        return choices[int(self._chance.random() * len(choices))]
