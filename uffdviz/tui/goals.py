"""What the screen asks of whoever judges a lesson's goals, and how far a learner has come."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from uffdviz.course.schema import Goal
from uffdviz.tui.tools import Tick


class Judged(Protocol):
    """What there is to say of an attempt."""

    @property
    def right(self) -> bool:
        """Whether it is what was asked for."""

    @property
    def text(self) -> str:
        """Why, in words."""


class Guide(Protocol):
    """Judges the goals of one lesson, each by its place on the page. Searches may take long."""

    def stamp(self) -> int:
        """When the page was written last; 0: there is none now."""

    def goal(self, index: int) -> Goal:
        """The goal at a place of the page."""

    def through(self) -> frozenset[int]:
        """The goals that were reached, now or earlier."""

    def tiers(self, index: int) -> int:
        """How many hints a goal has."""

    def hint(self, index: int, number: int, choices: Sequence[str] = ()) -> str:
        """The hint of that number, from 1; the last one for where `choices` have led."""

    def attempt(self, index: int, choices: Sequence[str]) -> Judged:
        """Judge a run made towards a `break`."""

    def easiest(self, index: int) -> str:
        """How easily the search reaches a `break`, in words."""

    def choose(self, index: int, number: int, tick: Tick | None = None) -> Judged:
        """Judge a choice of a `fix`, counted from 1."""

    def prove(self, index: int, tick: Tick | None = None) -> Judged:
        """Prove what a `prove` says."""

    def claim(self, index: int, choices: Sequence[str]) -> Judged:
        """Judge a run that is to show that what a `prove` says is not so."""

    def best(self, index: int) -> int | None:
        """The fewest switches with which the learner has reached a goal so far."""


@dataclass(frozen=True)
class Trail:
    """How far the goals of a page are: all places, those reached, and which lesson comes next."""

    goals: tuple[int, ...]
    through: frozenset[int]
    best: dict[int, int] = field(default_factory=dict)
    after: str = ""

    @property
    def left(self) -> tuple[int, ...]:
        """The goals that were not reached yet."""
        return tuple(index for index in self.goals if index not in self.through)

    def here(self, reached: int) -> tuple[int, ...]:
        """The goals that can be seen when the page was read up to a block."""
        return tuple(index for index in self.goals if index <= reached)

    def waiting(self, reached: int) -> bool:
        """Whether a goal that can be seen was not reached yet."""
        return any(index not in self.through for index in self.here(reached))

    def next_word(self, reached: int, blocks: int) -> str:
        """What the key for goals does now: a goal, the next lesson, or nothing."""
        if self.waiting(reached):
            return "goal"
        return "next" if reached >= blocks and self.after else ""


@dataclass(frozen=True)
class Tried:
    """A goal that this run is for: hints so far, and what there is to say of the run.

    `claim`: it is a `prove`, and the learner says that it can be broken.
    """

    goal: Goal
    hints: tuple[str, ...] = ()
    tiers: int = 0
    said: str = ""
    right: bool = False
    easiest: str = ""
    best: int | None = None
    claim: bool = False
