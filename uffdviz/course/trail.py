"""How far a learner has come with the goals of a page."""

from dataclasses import dataclass, field
from typing import Protocol

from uffdviz.course.schema import Goal, Lesson


class Judge(Protocol):
    """Knows which goals of a page were reached."""

    def through(self) -> frozenset[int]:
        """The goals that were reached, now or earlier."""

    def best(self, index: int) -> int | None:
        """The fewest switches with which a goal was reached so far."""


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


def trail_of(page: Lesson, judge: Judge, after: str) -> Trail:
    """How far the goals of a page are; `after` is the title of the next lesson."""
    goals = tuple(i for i, block in enumerate(page.blocks) if isinstance(block, Goal))
    best = {i: kept for i in goals if (kept := judge.best(i)) is not None}
    return Trail(goals, judge.through(), best, after)
