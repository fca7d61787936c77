"""What a lecturer wants to see and the audience should not: the page, answers, what comes next."""

from collections.abc import Iterator
from typing import Final, TypedDict

from uffdviz.course.schema import Expect, Goal, Lesson, Play, Predict
from uffdviz.tui.render.goal import tried_lines
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.now import now_lines
from uffdviz.tui.render.page import block_lines
from uffdviz.tui.view import View

WIDE: Final = 100_000
"""Whoever shows the notes breaks the lines."""


class Notes(TypedDict):
    """A heading, and parts: what each is about, and its lines."""

    title: str
    parts: list[tuple[str, list[str]]]


BETWEEN: Final[Notes] = {"title": "Between two runs", "parts": []}


def notes_of(view: View) -> Notes:
    """The notes for one moment of a run."""
    past = ", in the past" if view.n < view.length else ""
    title = f"{view.title}  {view.era}  step {view.n}/{view.length}{past}"
    return {"title": title, "parts": [part for part in _parts(view) if part[1]]}


def _parts(view: View) -> Iterator[tuple[str, list[str]]]:
    said = now_lines(
        view.event,
        view.snapshot.tasks,
        view.choices,
        WIDE,
        height=100,
        upcoming=view.upcoming,
    )
    yield "Now", plain(said).splitlines()
    if view.tried is not None:
        yield "Goal", plain(tried_lines(view.tried, WIDE)[0]).splitlines()
        yield from _solution(view.tried.goal)
    elif view.lesson is not None:
        yield from _page(view.lesson, view.reached)


def _page(lesson: Lesson, reached: int) -> Iterator[tuple[str, list[str]]]:
    """What stands between the last block that was played and the next one, and that one."""
    blocks = lesson.blocks
    played = [i for i, block in enumerate(blocks[:reached]) if isinstance(block, Play)]
    for index in range(played[-1] + 1 if played else 0, min(reached + 1, len(blocks))):
        block = blocks[index]
        answers = {index: block.answer} if isinstance(block, Predict) else {}
        lines = plain(block_lines(block, index, answers, {}, WIDE, past=False)).splitlines()
        match block:
            case Predict():
                yield "Question", [*lines, f"The answer is {block.answer}."]
            case Play():
                yield "Next", lines
            case Goal():
                yield "Goal", lines
                yield from _solution(block)
            case Expect():
                pass  # it has just been seen
            case _:
                yield "Read", lines
    if reached >= len(blocks):
        yield "Next", ["The end of the lesson."]


def _solution(goal: Goal) -> Iterator[tuple[str, list[str]]]:
    if goal.solution.strip():
        yield "One way", goal.solution.strip().splitlines()
    if goal.answer:
        yield "The answer", [f"{goal.answer} {goal.choices[goal.answer - 1].text}"]
