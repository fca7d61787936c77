"""A lesson's goals for somebody who tries them: hints, whether it is reached, what is right, a proof."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from uffdviz.check.properties import RULES, pick
from uffdviz.course import progress
from uffdviz.course.facts import DEADLOCK
from uffdviz.course.goals import (
    Setup,
    advice,
    breaks,
    counted,
    first,
    judged,
    par,
    reaches,
    score,
)
from uffdviz.course.schema import Goal, Hint, Lesson
from uffdviz.errors import UffdvizError
from uffdviz.run.explore import Tick
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.setting import Setting
from uffdviz.trace.speak import counting

TIERS = 3


class Judged(NamedTuple):
    """What there is to say of an attempt: whether it is right, and why, in words."""

    right: bool
    text: str


class Guide:
    """Judges the goals of one lesson, each by its place among the blocks."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.setup = Setup(lesson)

    def stamp(self) -> int:
        """Say when the page was written last; it changes while somebody edits it."""
        try:
            return Path(self.lesson.path).stat().st_mtime_ns
        except OSError:
            return 0

    def goal(self, index: int) -> Goal:
        """The goal at a place of the page."""
        block = self.lesson.blocks[index]
        assert isinstance(block, Goal)
        return block

    def through(self) -> frozenset[int]:
        """The goals that the learner has reached, now or earlier."""
        return progress.through(self.lesson.name)

    def hint(self, index: int, number: int, choices: Sequence[str] = ()) -> str:
        """Give the hint of that number, from 1; nothing after the last.

        The last is computed from where `choices` have led, if the page leaves it to the search.
        """
        goal = self.goal(index)
        if number <= len(goal.hints):
            hint = goal.hints[number - 1]
            return hint.text if isinstance(hint, Hint) else hint
        if number > self.tiers(index):
            return ""
        try:
            return advice(self.setup, goal, choices)
        except (UffdvizError, StopIteration):
            return "the search does not know this run: begin again, and ask once more"

    def tiers(self, index: int) -> int:
        """How many hints a goal has, with the computed one."""
        given = len(self.goal(index).hints)
        return given if given >= TIERS else given + 1

    def attempt(self, index: int, choices: Sequence[str]) -> Judged:
        """Judge a run that a learner made towards a `break`."""
        try:
            solved = score(self.setup, self.goal(index), choices)
        except (UffdvizError, StopIteration):
            return Judged(right=False, text="the search does not know a move of this run")
        if not solved.reached:
            return Judged(right=False, text="not yet")
        steps = "1 step" if len(choices) == 1 else f"{len(choices)} steps"
        count = f"{counting(solved.switches, 'switch')} and {steps}"
        progress.keep_best(self.lesson.name, index, solved.switches)
        progress.get_through(self.lesson.name, index)
        if solved.par is None or solved.switches <= solved.par:
            return Judged(right=True, text=f"reached with {count}; nobody needs fewer switches")
        fewest = counting(solved.par, "switch")
        return Judged(right=True, text=f"reached with {count}; it can be done with {fewest}")

    def easiest(self, index: int) -> str:
        """Say how a `break` can be reached with the fewest switches, as the search counts."""
        way = par(self.setup, self.goal(index))
        if way is None:
            return ""
        return f"the search's way takes {counting(way.switches, 'switch')} and {way.steps} steps"

    def choose(self, index: int, number: int, tick: Tick | None = None) -> Judged:
        """Judge a choice of a `fix`, counted from 1, by the search."""
        goal = self.goal(index)
        return self._judged(index, judged(self.setup, goal, goal.choices[number - 1], tick))

    def prove(self, index: int, tick: Tick | None = None) -> Judged:
        """Let the search prove what a `prove` claims; a claim that it is broken needs a schedule."""
        goal = self.goal(index)
        args = goal.scenario, goal.era, goal.mutate, goal.property
        return self._judged(index, self.setup.verdict(*args, tick))

    def _judged(self, index: int, report: dict[str, Any]) -> Judged:
        if report["verdict"] == "unfinished":
            return Judged(right=False, text="the search was stopped before it had seen everything")
        if report["verdict"] != "holds":
            return Judged(right=False, text=first(report))
        progress.get_through(self.lesson.name, index)
        return Judged(right=True, text=counted(report))

    def claim(self, index: int, choices: Sequence[str]) -> Judged:
        """Judge a run that is to show that what a `prove` says is not so."""
        goal = self.goal(index)
        setting = self.setup.of(goal)
        idents = [ident for ident in pick(goal.property) if ident in RULES]
        try:
            found = [ident for ident in idents if breaks(ident, setting, choices)]
            found += [DEADLOCK] if reaches(DEADLOCK, setting, followed(setting, choices)) else []
        except (UffdvizError, StopIteration):
            return Judged(right=False, text="the search does not know a move of this run")
        if found:
            return Judged(right=True, text=f"this order breaks {', '.join(found)}")
        return Judged(right=False, text="this order breaks nothing")

    def best(self, index: int) -> int | None:
        """The fewest switches with which the learner has reached a goal so far."""
        return progress.best(self.lesson.name, index)


def followed(setting: Setting, choices: Sequence[str]) -> Interleaving:
    """Make a run again."""
    run = Interleaving(setting)
    run.follow(list(choices))
    return run
