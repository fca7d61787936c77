"""How far a lesson's page was said, and what is typed about it: answers and hints."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

from uffdviz.course.schema import Goal, Hint, Play, Predict
from uffdviz.course.shelf import CourseShelf
from uffdviz.plain.hearing import Command, Commands
from uffdviz.plain.page import answer_lines, block_lines
from uffdviz.run.session import RunSession

if TYPE_CHECKING:
    from uffdviz.plain.talk import Talk


class Reading:
    """The page of a run, if it has one: what was said of it, the question that is open."""

    def __init__(self, shelf: CourseShelf, session: RunSession) -> None:
        self.shelf = shelf
        self.session = session
        self.read = 0
        self.hints = 0
        self.open: Predict | None = None

    def page(self) -> Iterator[str]:
        """Say the blocks of the lesson that have not been said, up to the next one that is played."""
        lesson = self.session.lesson
        reached = self.session.reached
        if lesson is None or self.read > reached:
            return
        blocks = lesson.blocks
        for block in blocks[self.read : reached + 1]:
            if self.open is not None and not isinstance(block, Play):
                yield from answer_lines(self.open)
                self.open = None
            yield from block_lines(block)
            if isinstance(block, Predict):
                self.open = block
            if isinstance(block, Goal):
                self.hints = 0
        self.read = reached + 1
        if reached >= len(blocks):
            self.shelf.finish(lesson.name)
            yield "The end of the lesson. What you can say now:"
            yield from lesson.front.say


def answer(talk: "Talk", number: str) -> Iterator[str]:
    """Answer the open question."""
    reading = talk.reading
    block, reading.open = reading.open, None
    if block is None:
        yield "There is no open question."
    else:
        yield from answer_lines(block, int(number) if number.isdecimal() else 0)


def hint(talk: "Talk", _: str) -> Iterator[str]:
    """Another hint for the last goal."""
    reading, lesson = talk.reading, talk.session.lesson
    blocks = lesson.blocks[: reading.read] if lesson else ()
    goal = next((block for block in reversed(blocks) if isinstance(block, Goal)), None)
    if goal is None or reading.hints >= len(goal.hints):
        yield "There is no further hint."
        return
    given = goal.hints[reading.hints]
    reading.hints += 1
    yield f"Hint: {given.text if isinstance(given, Hint) else given}"


COMMANDS: Final[Commands] = {
    "a": Command(answer, "NUMBER"),
    "h": Command(hint),
}
