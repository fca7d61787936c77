"""Somebody who plays lessons: presses keys, pastes schedules, and reads the screen."""

import asyncio
from collections.abc import Awaitable, Callable

from textual.events import Paste

from tests.tui.real import wait_for
from tests.tui.screen import Shown, Size
from uffdviz.course.goals import par
from uffdviz.course.guide import Guide
from uffdviz.course.schema import Goal, Lesson, Predict
from uffdviz.course.shelf import CourseShelf, find_lesson
from uffdviz.run.interleaving import Interleaving
from uffdviz.tui.app import UffdvizApp

ROUNDS = 60
"""More keys than any page needs from one question or goal to the next."""
BY_HAND = 12
"""Runs that are longer are played as a schedule in words."""
GOAL, BLOCK, QUESTION = "enter goal", "b block", "Before you go on"


class Learner:
    """Plays one lesson from the start screen on; `guess` turns a right answer into another one."""

    def __init__(self, shown: Shown, name: str) -> None:
        self.shown = shown
        self.lesson: Lesson = find_lesson(name)
        self.guide = Guide(self.lesson)
        blocks = self.lesson.blocks
        self.questions = [block for block in blocks if isinstance(block, Predict)]
        self.goals = [(at, block) for at, block in enumerate(blocks) if isinstance(block, Goal)]

    async def paste(self, words: str) -> None:
        """Put words into the field that is open."""
        field = self.shown.app.screen.focused
        assert field is not None
        field.post_message(Paste(words))
        await self.shown.settle()

    async def open(self) -> None:
        """Find the lesson on the start screen and open it."""
        await wait_for(self.shown, "1 Faults")
        await self.shown.press("slash")
        await self.paste(self.lesson.title)
        await self.shown.press("enter")
        await self.shown.press("enter")
        await wait_for(self.shown, f"{self.lesson.title}  {self.lesson.front.era}"[:60])

    async def read(self, *, until: str) -> str:
        """Play block after block, answering questions, until some words are on the screen."""
        for _ in range(ROUNDS):
            text = self.shown.text
            if until in text and QUESTION not in text:
                return text
            if QUESTION in text:
                await self.shown.press(str(self.questions.pop(0).answer))
            else:
                assert BLOCK in text, text
                await self.shown.press("b")
        raise AssertionError(self.shown.text)

    async def solve(self) -> None:
        """Solve the goal that is next."""
        at, goal = self.goals.pop(0)
        await self.shown.press("enter")
        if goal.kind == "break":
            await self.schedule(goal)
            await wait_for(self.shown, "✓ reached with")
            await wait_for(self.shown, "search's way takes")
        else:
            await self.shown.press(str(goal.answer or 1))
            await wait_for(self.shown, "✓ Proved" if goal.kind == "prove" else "is right: every")
        await self.shown.press("enter")
        assert at in self.guide.through()

    async def schedule(self, goal: Goal) -> None:
        """Play the solution of a goal, by hand if it is short."""
        run = Interleaving(self.guide.setup.of(goal))
        words = goal.solution.strip().replace("\n", "; ")
        if not words:
            way = par(self.guide.setup, goal)
            assert way is not None
            words = "; ".join(way.schedule)
        run.play(words)
        if len(run.choices) <= BY_HAND:
            tasks = [*run.machine.tasks]
            await self.shown.press(*(str(tasks.index(choice) + 1) for choice in run.choices))
        else:
            await self.shown.press("k")
            await self.paste(words)
            await self.shown.press("enter")

    async def finish(self) -> str:
        """Play the whole page. Returns: the screen at its end."""
        while self.goals:
            await self.read(until=GOAL)
            await self.solve()
        return await self.read(until="Done. ")


def learn(name: str, size: Size, act: Callable[[Learner], Awaitable[None]]) -> None:
    """Start the application and let somebody learn."""
    app = UffdvizApp(CourseShelf())

    async def main() -> None:
        async with app.run_test(size=size) as pilot:
            shown = Shown(app, pilot)
            await shown.settle()
            await act(Learner(shown, name))

    asyncio.run(main())
