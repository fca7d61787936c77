"""What the screen asks of whoever judges a lesson's goals, and how far a learner has come."""

from collections.abc import Sequence
from dataclasses import dataclass
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
