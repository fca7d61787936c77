"""A lesson's goals for somebody who tries them: hints, whether it is reached, what is right, a proof."""

from collections.abc import Sequence
from typing import NamedTuple

from uffdviz.course import progress
from uffdviz.course.goals import Setup, advice, counted, counting, first, judged, score
from uffdviz.course.schema import Goal, Hint, Lesson
from uffdviz.errors import UffdvizError

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

    def goal(self, index: int) -> Goal:
        """The goal at a place of the page."""
        block = self.lesson.blocks[index]
        assert isinstance(block, Goal)
        return block

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
        solved = score(self.setup, self.goal(index), choices)
        count = counting(solved.switches, "switch")
        if not solved.reached:
            return Judged(right=False, text="not yet")
        progress.keep_best(self.lesson.name, index, solved.switches)
        if solved.par is None or solved.switches <= solved.par:
            return Judged(right=True, text=f"reached with {count}; nobody needs fewer")
        fewest = counting(solved.par, "switch")
        return Judged(right=True, text=f"reached with {count}; it can be done with {fewest}")

    def choose(self, index: int, number: int) -> Judged:
        """Judge a choice of a `fix`, counted from 1, by the search."""
        goal = self.goal(index)
        report = judged(self.setup, goal, goal.choices[number - 1])
        if report["verdict"] == "holds":
            return Judged(right=True, text=counted(report))
        return Judged(right=False, text=first(report))

    def prove(self, index: int) -> Judged:
        """Let the search prove what a `prove` claims; a claim that it is broken needs a schedule."""
        goal = self.goal(index)
        report = self.setup.verdict(goal.scenario, goal.era, goal.mutate, goal.property)
        if report["verdict"] == "holds":
            return Judged(right=True, text=counted(report))
        return Judged(right=False, text=first(report))

    def best(self, index: int) -> int | None:
        """The fewest switches with which the learner has reached a goal so far."""
        return progress.best(self.lesson.name, index)
