"""The run screen: a session drawn in panels, and one task's name back to it."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from textual import on
from textual.binding import Binding, BindingType

from uffdviz.errors import UffdvizError
from uffdviz.trace.places import Wanted, changes_task, has_to_wait, nearest, takes_lock
from uffdviz.trace.schedule import read_step
from uffdviz.tui.keys import RUN
from uffdviz.tui.remember import PACES, remember, remembered
from uffdviz.tui.render.page import next_predict
from uffdviz.tui.render.timeline import most_zoom
from uffdviz.tui.screens.arranged import LECTURING, Arranged
from uffdviz.tui.screens.layout import layout_for
from uffdviz.tui.widgets import panels
from uffdviz.tui.widgets.deck import clicked
from uffdviz.tui.widgets.panel import Panel


class RunScreen(Arranged):
    """Everything about one run. It draws what events say and gives choices to the session."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key.keys, key.action, key.what, id=key.name, show=False)
            for key in RUN
            if key.name != "task"
        ),
        *(Binding(str(d), f"task({d})", f"Step task {d}", show=False) for d in range(1, 10)),
    ]

    async def on_mount(self) -> None:
        """Bring the run to life and draw the first view."""
        await self.one_run.acquire()
        self.alive = True
        await self.session.begin(asyncio.get_running_loop(), self.told)
        self.front = "narration" if self.has_page else "timeline"
        self.set_class(bool(remembered().get("lecture")), "lecture")
        self.put(layout_for(*self.app.size))
        self.query_one("#narration" if self.has_page and not self.lecturing else "#tasks").focus()
        self.note = LECTURING if self.lecturing else self.note
        self.refresh_view()

    async def on_unmount(self) -> None:
        """Leave no run behind."""
        self.stop()
        await self.session.close()
        if self.alive:
            self.one_run.release()

    # stepping

    async def take(self, choice: str) -> None:
        """Take a step, and show what it did."""
        self.looked_at = ""
        try:
            await self.session.step(choice)
        except UffdvizError as error:
            self.note = str(error)
        self.refresh_view()

    async def action_task(self, number: int) -> None:
        """Step a task by its number, or say why it cannot be stepped."""
        self.stop()
        tasks = self.session.tasks
        if number > len(tasks):
            self.say(f"there is no task {number}")
            return
        await self.step_task(tasks[number - 1])

    async def action_task_named(self, name: str) -> None:
        """Step a task by its name."""
        self.stop()
        await self.step_task(name)

    async def step_task(self, name: str) -> None:
        """Step a task, or say why it cannot be stepped and show where it stands."""
        if name in self.session.choices():
            await self.take(name)
            return
        task = self.session.snapshot(self.session.n).tasks[name]
        why = f"waits for {task.lock} to {task.mode}" if task.lock else f"is {task.state}"
        self.looked_at = name
        self.say(f"{name} cannot take a step: it {why}")

    async def action_step(self) -> None:
        """One step on: what came next before, what the lesson says, or who is due first."""
        self.stop()
        if not self.ask():
            await self.advance()

    async def advance(self) -> bool:
        """Go one step on. Returns: whether there was one."""
        if self.session.n < self.session.length:
            await self.seek(self.session.n + 1)
            return True
        choice = self.session.upcoming()
        if choice:
            await self.take(choice)
        else:
            self.refresh_view()
        return bool(choice)

    async def action_back(self) -> None:
        """One step back."""
        await self.seek(self.session.n - 1)

    async def seek(self, n: int) -> None:
        """Go to another place in what has happened."""
        self.looked_at = ""
        await self.session.seek(max(0, min(n, self.session.length)))
        self.refresh_view()

    async def action_block(self) -> None:
        """Play on to the end of the next block; a question before it is asked first."""
        self.stop()
        if self.ask():
            return
        self.looked_at = ""
        self.say(await self.session.next_block())

    async def action_block_before(self) -> None:
        """Back to the end of the block before, or to the beginning."""
        await self.back_to([0, *self.session.bounds])

    async def back_to(self, places: Sequence[int]) -> None:
        """Back to the last of some places that lies behind."""
        self.stop()
        behind = [place for place in places if place < self.session.n]
        if behind:
            await self.seek(behind[-1])
        else:
            self.say("there is none further back")

    async def action_wait(self, by: int) -> None:
        """To where a task has to wait; from the end of what has happened the run goes on to it."""
        if by < 0:
            await self.find(by, has_to_wait(self.session.events))
            return
        self.stop()
        self.looked_at = ""
        found = await self.session.next_wait()
        self.say("" if found else "nobody has to wait any more: E goes back to where one had to")

    def ask(self) -> bool:
        """Ask the question that stands before the next block, if there is one."""
        lesson = self.session.lesson
        if lesson is None:
            return False
        found = next_predict(lesson, self.session.reached, self.answers)
        if found is None:
            return False
        index, block = found
        from uffdviz.tui.screens.predict import PredictScreen

        def answered(choice: int | None) -> None:
            self.answers[index] = choice or 0
            self.refresh_view()

        _ = self.app.push_screen(PredictScreen(block), answered)
        return True

    async def action_seek_begin(self) -> None:
        """To the beginning."""
        self.stop()
        await self.seek(0)

    async def action_seek_end(self) -> None:
        """To the end of what has happened."""
        self.stop()
        await self.seek(self.session.length)

    async def action_lock(self, by: int) -> None:
        """To the next or previous lock event."""
        await self.find(by, takes_lock(self.session.events))

    async def action_turn(self, by: int) -> None:
        """To the next or previous change of task."""
        await self.find(by, changes_task(self.session.events))

    async def find(self, by: int, wanted: Wanted) -> None:
        """Go to the nearest event, one way or the other, that is wanted."""
        self.stop()
        at = nearest(wanted, self.session.n, self.session.length, by)
        if at is not None:
            await self.seek(at)
        else:
            self.say("there is none further " + ("on" if by > 0 else "back"))

    # playing

    def action_play(self) -> None:
        """Play, or pause."""
        if self.playing:
            self.stop()
        elif not self.ask():
            self.start()
        self.refresh_view()

    def start(self) -> None:
        """Play on: through the past by a timer, from then on the run itself keeps the pace."""
        self.playing = True
        if not self.session.play(PACES[self.pace]):
            self.timer = self.set_interval(PACES[self.pace], self.tick)

    def stop(self) -> None:
        """Pause."""
        self.playing = False
        self.session.pause()
        if self.timer is not None:
            self.timer.stop()
            self.timer = None

    def told(self) -> None:
        """The run has taken a step by itself; a question or the end stops it."""
        if self.ask() or not self.session.upcoming():
            self.stop()
        self.looked_at = ""
        self.refresh_view()

    async def tick(self) -> None:
        """One step through the past."""
        if self.timer is None:
            return
        if self.session.n < self.session.length:
            await self.advance()
        if self.session.n == self.session.length:
            self.stop()
            self.action_play()

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self.pace = max(0, min(self.pace + by, len(PACES) - 1))
        remember("speed", value=PACES[self.pace])
        if self.playing:
            self.stop()
            self.action_play()
        else:
            self.say(f"a step every {PACES[self.pace]:g} s when playing (space)")

    # the rest

    def action_look(self, by: int) -> None:
        """Show the source of the next task."""
        tasks = self.session.tasks
        self.looked_at = tasks[(list(tasks).index(self.task_in_view()) + by) % len(tasks)]
        self.refresh_view()

    def action_zoom(self, by: int) -> None:
        """Show a shorter or longer stretch of time."""
        zoom = max(0, min(self.zoom + by, most_zoom(self.lanes)))
        if zoom == self.zoom:
            self.say("the timeline shows all of it" if by < 0 else "the timeline comes no nearer")
            return
        self.zoom = zoom
        self.refresh_view()

    def action_hint(self) -> None:
        """Another hint for the goal that is being read."""
        lesson = self.session.lesson
        if lesson is not None and self.lecturing:
            self.say("a lecture shows no hints: they are among its notes, and l ends it")
            return
        for index in range(
            min(self.session.reached, len(lesson.blocks) - 1) if lesson else -1, -1, -1
        ):
            block = lesson.blocks[index] if lesson else None
            if block is not None and hasattr(block, "hints"):
                self.hints[index] = min(self.hints.get(index, 0) + 1, len(block.hints) + 1)
                self.refresh_view()
                return
        self.say("there is no goal here to give a hint for")

    async def action_goal(self) -> None:
        """Try the goal of the lesson."""
        self.say("there is no goal here: the lessons have some")

    async def action_reload(self) -> None:
        """Read the page again."""
        self.say("there is no page here to read again")

    async def action_restart(self) -> None:
        """Begin again."""
        self.stop()
        self.answers.clear()
        await self.session.restart()
        self.refresh_view()

    def action_save(self) -> None:
        """Save a recording and say where."""
        self.say(f"Recording saved as {self.session.save()}")

    def action_token(self) -> None:
        """Copy the run as a token."""
        token = self.session.token()
        self.app.copy_to_clipboard(token)
        self.say(f"Copied the token {token[:60]}{'…' if len(token) > 60 else ''}")

    def action_goto(self) -> None:
        """Ask for the number of a step and go there."""
        from uffdviz.tui.screens.prompt import PromptScreen

        async def go(answer: str | None) -> None:
            if answer:
                self.stop()
                await self.seek(int(answer))

        def read(answer: str) -> object:
            return read_step(answer, self.session.length)

        _ = self.app.push_screen(PromptScreen(f"Go to step (0–{self.session.length})", read), go)

    def action_branches(self) -> None:
        """Choose among the runs that were left."""
        if not self.session.branches:
            self.say("no other run yet: go back (←), then step another task")
            return
        from uffdviz.tui.screens.tree import TreeScreen

        self.stop()

        async def go(index: int | None) -> None:
            if index is not None and index >= 0:
                await self.session.switch(index)
            self.refresh_view()

        _ = self.app.push_screen(TreeScreen(self.session), go)

    @on(Panel.Chosen)
    async def chosen(self, message: Panel.Chosen) -> None:
        """Do what was clicked."""
        verb, _, what = message.target.partition(" ")
        if verb == "task":
            self.stop()
            await self.step_task(what)
        elif message.target.startswith("key:"):
            action = next((k.action for k in RUN if k.name == message.target[4:]), "")
            await self.run_action(action or "app.command_palette")
        elif verb == "tab":
            self.bring(what)

    @on(panels.Timeline.Sought)
    async def sought(self, message: panels.Timeline.Sought) -> None:
        """Go to the moment that was clicked."""
        self.stop()
        await self.seek(message.n)

    @on(Panel.TitleClicked)
    async def title_clicked(self, message: Panel.TitleClicked) -> None:
        """Bring the panel to the front whose name was clicked, or do what the sign means."""
        panel = self.query_one(f"#{message.panel}", Panel)
        names, lit = self.names_of(panel)
        signs = self.signs(panel) if panel is self.focused else ""
        what = clicked(names, lit, signs, message.x)
        if what in {"enlarge", "hide"}:
            await self.run_action(what)
        elif what:
            self.bring(what)
