"""How far a lesson's page was said, and what is typed about it: answers, hints, goals."""

import asyncio
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from uffdviz.course.guide import Guide
from uffdviz.course.schema import Goal, Hint, Play, Predict
from uffdviz.course.shelf import CourseShelf, Entry
from uffdviz.course.trail import Trail, trail_of
from uffdviz.errors import UsageError
from uffdviz.plain.hearing import Command, Commands
from uffdviz.plain.page import answer_lines, block_lines
from uffdviz.run.session import RunSession
from uffdviz.trace.speak import counting

if TYPE_CHECKING:
    from uffdviz.plain.attempt import Attempt
    from uffdviz.plain.talk import Talk

DOES: Final = {
    "break": "goal tries it.",
    "fix": "goal chooses.",
    "prove": "goal has it proved, or contests it.",
}


class Reading:
    """The page of a run, if it has one: what was said of it, the question that is open."""

    def __init__(self, shelf: CourseShelf, session: RunSession) -> None:
        self.shelf = shelf
        self.session = session
        lesson = session.lesson
        self.guide: Guide | None = shelf.guide(lesson.path) if lesson is not None else None
        self.next: Entry | None = shelf.after(lesson.name) if lesson is not None else None
        self.read = 0
        self.hints = 0
        self.open: Predict | None = None
        self.attempts: dict[tuple[int, bool], Attempt] = {}

    @property
    def over(self) -> bool:
        """Whether there is a page, and it was played to its end."""
        lesson = self.session.lesson
        return lesson is not None and self.session.reached >= len(lesson.blocks)

    def trail(self) -> Trail:
        """How far the goals are.

        Raises: UsageError if there is no page.
        """
        if self.guide is None:
            msg = "there is no goal here: the lessons have some"
            raise UsageError(msg)
        return trail_of(self.guide.lesson, self.guide, self.next.title if self.next else "")

    def page(self) -> Iterator[str]:
        """Say the blocks of the lesson that have not been said, up to the next one that is played."""
        lesson = self.session.lesson
        reached = self.session.reached
        if lesson is None or self.read > reached:
            return
        for index, block in enumerate(lesson.blocks[self.read : reached + 1], self.read):
            if self.open is not None and not isinstance(block, Play):
                yield from answer_lines(self.open)
                self.open = None
            yield from block_lines(block)
            if isinstance(block, Predict):
                self.open = block
            if isinstance(block, Goal):
                self.hints = 0
                yield self.state_of(index, block)
        self.read = reached + 1
        if self.over:
            yield from self.end()

    def state_of(self, index: int, goal: Goal) -> str:
        """Whether a goal was reached, or what begins it."""
        trail = self.trail()
        if index not in trail.through:
            return DOES[goal.kind] + (" h gives a hint." if goal.hints else "")
        best = trail.best.get(index)
        least = f", your best: {counting(best, 'switch')}" if best is not None else ""
        return f"You are through this goal{least}."

    def end(self) -> Iterator[str]:
        """What stands below the page: what is still open, or what one can say now."""
        trail = self.trail()
        if trail.left:
            count = "1 goal is" if len(trail.left) == 1 else f"{len(trail.left)} goals are"
            yield f"The end of the page. {count} still open: goal goes there."
            return
        lesson = self.session.lesson
        self.shelf.finish(lesson.name)
        after = f"goal opens the next lesson: {trail.after}." if trail.after else LAST
        yield f"The end of the lesson. {after}"
        if lesson.front.say:
            yield "What you can say now:"
            yield from lesson.front.say

    def newest(self) -> int:
        """The first block after the last one that was played."""
        lesson, reached = self.session.lesson, self.session.reached
        blocks = lesson.blocks[:reached] if lesson is not None else ()
        played = [at for at, block in enumerate(blocks) if isinstance(block, Play)]
        return played[-1] + 1 if played else 0


LAST: Final = "That was the last lesson."


def answer(talk: "Talk", number: str) -> Iterator[str]:
    """Answer the open question."""
    reading = talk.reading
    block = reading.open
    if block is None:
        yield "There is no open question."
    elif number and not (number.isdecimal() and 1 <= int(number) <= len(block.choices)):
        yield f"There is no answer {number!r}; answers are 1 to {len(block.choices)}."
    else:
        reading.open = None
        yield from answer_lines(block, int(number or 0))


def hint(talk: "Talk", _: str) -> Iterator[str]:
    """Another hint for the goal."""
    reading, lesson = talk.reading, talk.session.lesson
    blocks = lesson.blocks[: reading.read] if lesson else ()
    goal = next((block for block in reversed(blocks) if isinstance(block, Goal)), None)
    if goal is None:
        yield "There is no goal here to give a hint for."
    elif reading.hints >= len(goal.hints):
        yield "There is no further hint."
    else:
        given = goal.hints[reading.hints]
        reading.hints += 1
        yield f"Hint: {given.text if isinstance(given, Hint) else given}"


def try_goal(talk: "Talk", _: str) -> Iterator[str]:
    """The goal of the lesson: try it; or the next lesson."""
    reading = talk.reading
    trail = reading.trail()
    here = trail.here(talk.session.reached)
    if reading.over and not trail.left:
        if reading.next is None:
            yield f"{LAST} menu goes back to the list."
        else:
            talk.opens = reading.next.name
    elif not here:
        yield "There is no goal on the page yet: b plays on."
    else:
        index = next((at for at in here if at not in trail.through), here[-1])
        yield from begin_goal(talk, index)


def begin_goal(talk: "Talk", index: int) -> Iterator[str]:
    """Begin a goal: a run of one's own, or a question."""
    from uffdviz.plain.attempt import Judging, attempt

    guide = talk.reading.guide
    assert guide is not None
    if guide.goal(index).kind == "break":
        yield from attempt(talk, index)
    else:
        talk.above = Judging(talk, index)
        yield from talk.above.begin()


def page(talk: "Talk", _: str) -> Iterator[str]:
    """The newest part of the page once more."""
    reading = talk.reading
    if talk.session.lesson is None:
        yield "There is no page here: the lessons have one."
        return
    reading.read, reading.open = reading.newest(), None
    yield from reading.page()


def reload(talk: "Talk", _: str) -> Iterator[str]:
    """Read the lesson's file again, and play on to where one was."""
    lesson = talk.session.lesson
    if lesson is None:
        yield "There is no page here to read again."
        return
    played = sum(isinstance(one, Play) for one in lesson.blocks[: talk.session.reached])
    session = talk.shelf.open_lesson(lesson.path)
    for _block in range(played):
        asyncio.run(session.next_block())
    talk.take_up(session)
    talk.reading.read = talk.reading.newest()
    yield from talk.again()


COMMANDS: Final[Commands] = {
    "a": Command(answer, "NUMBER"),
    "h": Command(hint),
    "goal": Command(try_goal),
    "page": Command(page),
    "reload": Command(reload),
}
