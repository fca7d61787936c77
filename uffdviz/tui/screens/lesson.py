"""A lesson's page with its goals: one after the other is tried, and then the next lesson comes."""

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from uffdviz.course.schema import Play
from uffdviz.course.trail import Trail, trail_of
from uffdviz.errors import UffdvizError
from uffdviz.tui.goals import Guide
from uffdviz.tui.screens.asking import AskingScreen
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp
    from uffdviz.tui.screens.goal import Attempt

LOOK: Final = 0.5
"""Seconds between two looks at the file of the page."""


class LessonScreen(AskingScreen):
    """A page that is played and read; a goal opens as a run of its own on top of it."""

    def __init__(self, session: Session, shelf: Shelf, one_run: asyncio.Lock, guide: Guide) -> None:
        super().__init__(session, shelf, one_run)
        assert session.lesson is not None
        self.page = session.lesson
        self.guide = guide
        self.next = shelf.after(self.page.name)
        self.resting = False
        self.attempts: dict[tuple[int, bool], Attempt] = {}
        self.stamp = guide.stamp()

    async def on_mount(self) -> None:
        """Look now and then whether somebody edits the page."""
        _ = self.set_interval(LOOK, self.look_again)

    async def look_again(self) -> None:
        """Read the page again if its file has changed."""
        stamp = self.guide.stamp()
        if stamp and stamp != self.stamp and self.app.screen is self:
            self.stamp = stamp
            await self.action_reload()

    async def action_reload(self) -> None:
        """Read the page again and play on to where one was, or say what is wrong with it."""
        self.stop()
        blocks = self.page.blocks[: self.session.reached]
        try:
            session = self.shelf.open_lesson(self.page.path)
        except UffdvizError as error:
            self.say(str(error))
            return
        for block in blocks:
            if isinstance(block, Play):
                _ = await session.next_block()
        cast("UffdvizApp", self.app).replace(session)

    def trail(self) -> Trail:
        """How far the goals are."""
        return trail_of(self.page, self.guide, self.next.title if self.next else "")

    def view(self) -> View:
        """What there is to be drawn, with the state of the goals."""
        return replace(super().view(), trail=self.trail())

    def is_through(self, view: View) -> bool:
        """Whether the page was read to its end and every goal was reached."""
        return super().is_through(view) and view.trail is not None and not view.trail.left

    async def action_block(self) -> None:
        """Play the next block, or say what comes after the last one."""
        if self.ask():
            return
        if self.session.reached < len(self.page.blocks):
            await super().action_block()
        elif self.trail().left:
            self.say("the page is played to its end: enter tries its goal")
        else:
            self.say("the page is played to its end: enter goes on to the next lesson")

    async def action_goal(self) -> None:
        """Try the first goal in sight that was not reached; at the end go to the next lesson."""
        self.stop()
        view = self.view()
        trail = self.trail()
        here = trail.here(view.reached)
        if self.is_through(view):
            self.open_next()
        elif not here:
            self.say("there is no goal on the page yet: b plays on")
        else:
            index = next((i for i in here if i not in trail.through), here[-1])
            await self.try_goal(index)

    def open_next(self) -> None:
        """Go to the next lesson, if there is one."""
        if self.next is None:
            self.say("that was the last lesson: esc goes back to the course")
            return
        try:
            cast("UffdvizApp", self.app).open_next(self.next.name)
        except UffdvizError as error:
            self.say(str(error))

    async def try_goal(self, index: int) -> None:
        """Begin a goal: a run of one's own, or a question."""
        if self.guide.goal(index).kind == "break":
            await self.try_run(index)
            return
        from uffdviz.tui.screens.judge import CONTEST, JudgeScreen

        async def answered(wish: str | None) -> None:
            if wish == CONTEST:
                await self.try_run(index, claim=True)
            self.refresh_view()

        _ = self.app.push_screen(JudgeScreen(self.guide, index), answered)

    async def try_run(self, index: int, *, claim: bool = False) -> None:
        """Let the page rest, and put a run towards a goal on top of it; one that was left goes on."""
        from uffdviz.tui.screens.goal import Attempt, GoalScreen

        key = index, claim
        if key not in self.attempts:
            try:
                self.attempts[key] = Attempt(self.shelf.open_goal(self.page.path, index))
            except UffdvizError as error:
                self.say(str(error))
                return
        await self.session.close()
        self.one_run.release()
        self.alive, self.resting = False, True
        args = self.attempts[key], self.shelf, self.one_run, self.guide, index
        _ = self.app.push_screen(GoalScreen(*args, claim=claim))

    async def on_screen_resume(self) -> None:
        """Bring the page's own run back to life."""
        if not self.resting:
            return
        self.resting = False
        await self.one_run.acquire()
        self.alive = True
        await self.session.begin(asyncio.get_running_loop(), self.told)
        self.refresh_view()
