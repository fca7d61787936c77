"""Runs by chance, for what is too large to see whole: nothing is proven, but much is found."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, Literal

from uffdviz.run.explore import Limits
from uffdviz.run.machine import Machine
from uffdviz.run.rows import Row
from uffdviz.run.shortest import Broken, Ended, Goal, Move
from uffdviz.run.shrink import shrink
from uffdviz.run.space import Space
from uffdviz.run.verdict import (
    Finding,
    Verdict,
    breaks_in_the_end,
    finding_of,
    standing,
    stands_for,
)
from uffdviz.schedulers.base import Scheduler
from uffdviz.schedulers.pct import Pct
from uffdviz.schedulers.random_walk import RandomWalk

Kind = Literal["random", "pct"]
RUNS: Final = 1000
LONGEST: Final = 100_000
DEPTH: Final = 3
OFTEN: Final = 100
"""Steps between two looks at the limits."""


class Walk:
    """One run over the tables of a space, as a scheduler sees it."""

    def __init__(self, space: Space) -> None:
        self.space = space
        self.state = space.start
        self.path: list[Move] = []
        self.start: Any = self
        self.task_names = tuple(actor.task for actor in space.tasks)
        self._moves: dict[str, tuple[Row, int]] = {}

    @property
    def events(self) -> Any:
        """What was done so far: schedulers count it."""
        return self.path

    @property
    def unfinished(self) -> list[str]:
        """The tasks that are not done."""
        return list(self.space.unfinished(self.state))

    def choices(self) -> list[str]:
        """The tasks that can move."""
        self._moves = {move[0].actor.choice: move for move in self.space.moves(self.state)}
        return [name for name in self.task_names if name in self._moves]

    def step(self, choice: str) -> Goal | None:
        """Let a task move. Returns: what broke, if anything did."""
        row, after = self._moves[choice]
        self.path.append((row, self.state))
        bad = row.bad.get(self.state & row.mask)
        self.state = after
        return Broken(bad[0][0]) if bad else None

    def ending(self) -> tuple[str, Goal] | None:
        """What the end of the run is, if it is a finding."""
        space, state = self.space, self.state
        if space.is_stuck(state):
            ident = standing(space, state)
            return ident, Ended(partial(stands_for, space, ident))
        for rule in space.properties:
            if breaks_in_the_end(space, rule, state):
                return rule.ident, Ended(partial(breaks_in_the_end, space, rule))
        return None


def judge_by_chance(  # noqa: PLR0913, PLR0917
    space: Space,
    machine: Callable[[], Machine],
    limits: Limits,
    kind: Kind,
    seed: int,
    runs: int = RUNS,
) -> tuple[Verdict, str]:
    """Make runs by chance. Returns: the verdict, which is never 'holds', and what it is worth."""
    findings: dict[str, Finding] = {}
    steps = longest = made = 0
    for number in range(runs):
        goes_on = partial(may_go_on, limits, steps)
        if not goes_on(0):
            break
        walk = Walk(space)
        for ident, goal in one_run(walk, scheduler(kind, seed + number, longest or 200), goes_on):
            if ident not in findings:
                so_far = partial(may_go_on, limits, steps + len(walk.path), 0)
                path = shrink(space, goal, walk.path, so_far)
                findings[ident] = finding_of(space, machine, ident, goal, path)
        made += goes_on(len(walk.path))
        steps += len(walk.path)
        longest = max(longest, len(walk.path))
    verdict = Verdict(steps, steps, finished=False, findings=list(findings.values()))
    return verdict, worth(kind, made, len(space.tasks), longest)


def scheduler(kind: Kind, seed: int, steps: int) -> Scheduler:
    """Make the scheduler of one run."""
    return Pct(seed, DEPTH, steps) if kind == "pct" else RandomWalk(seed)


def may_go_on(limits: Limits, before: int, steps: int) -> bool:
    """Whether the limits let a run go on that has taken so many steps, after so many of others."""
    steps += before
    return steps < limits.max_states and (limits.tick is None or limits.tick(steps, steps))


def one_run(
    walk: Walk, chooser: Scheduler, goes_on: Callable[[int], bool]
) -> Iterator[tuple[str, Goal]]:
    """Go until nobody moves, or it takes too long. Gives what breaks, at the step that breaks it."""
    run: Any = walk  # schedulers by chance ask for no more than a walk has
    for taken in range(LONGEST):
        if not taken % OFTEN and not goes_on(taken):
            return
        choice = chooser.pick(run)
        if choice is None:
            end = walk.ending()
            if end is not None:
                yield end
            return
        broken = walk.step(choice)
        if isinstance(broken, Broken):
            yield broken.ident, broken


def worth(kind: Kind, runs: int, tasks: int, steps: int) -> str:
    """Say how likely a finding would have been met."""
    if kind == "random":
        return f"{runs} runs by chance: no bound on what they miss"
    once = 1 / (tasks * max(steps, 1) ** (DEPTH - 1))
    bound = 1 - (1 - once) ** runs
    what = f"a finding that needs {DEPTH} steps in order"
    return f"{runs} runs by PCT: {what} is met with a probability of at least {bound:.2%}"
