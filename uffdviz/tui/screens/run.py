"""The run screen: a session drawn in panels, and one task's name back to it."""

import asyncio
from collections.abc import Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.errors import UffdvizError
from uffdviz.tui.keys import RUN
from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.render.page import next_predict
from uffdviz.tui.screens.layout import DECK, LAYOUTS, SMALL, Layout, layout_for
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View
from uffdviz.tui.widgets import panels
from uffdviz.tui.widgets.deck import deck_title, tab_at
from uffdviz.tui.widgets.panel import Panel

PACES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05)
LOCK_FACTS = frozenset(
    {
        "LockAcquired",
        "LockContended",
        "LockRefused",
        "LockReleased",
        "LockDowngraded",
        "LockGaveUp",
    }
)


class RunScreen(Screen[None]):
    """Everything about one run. It draws what events say and gives choices to the session."""

    CSS_PATH = "run.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(key.keys, key.action, key.what, id=key.name, show=False)
            for key in RUN
            if key.name != "task"
        ),
        *(Binding(str(d), f"task({d})", f"Step task {d}", show=False) for d in range(1, 10)),
    ]

    def __init__(self, session: Session, shelf: Shelf, one_run: asyncio.Lock) -> None:
        super().__init__()
        self.one_run = one_run
        self.session = session
        self.shelf = shelf
        self.finished = False
        self.layout_now: Layout = SMALL
        self.front = "narration"
        self.looked_at = ""
        self.zoom = 0
        self.note = ""
        self.pace = 2
        self.answers: dict[int, int] = {}
        self.hints: dict[int, int] = {}
        self.timer: Timer | None = None
        self.playing = False
        self.alive = False
        self.lanes = Lanes(session.tasks)

    def compose(self) -> ComposeResult:
        """All panels; which of them can be seen is a matter of size."""
        yield panels.Header(id="header")
        with Grid(id="board"):
            yield panels.Tasks(id="tasks")
            yield panels.Locks(id="locks")
            yield panels.Source(id="source")
            yield panels.Memory(id="memory")
            yield panels.Narration(id="narration")
            yield panels.Totals(id="totals")
            yield panels.Timeline(id="timeline")
            yield panels.Now(id="now")
        yield panels.Keys(id="keys")

    async def on_mount(self) -> None:
        """Bring the run to life and draw the first view."""
        await self.one_run.acquire()
        self.alive = True
        await self.session.begin(asyncio.get_running_loop(), self.told)
        if self.session.lesson is None:
            self.front = "timeline"
        self.put(layout_for(*self.app.size))
        self.query_one("#narration" if self.session.lesson else "#tasks").focus()
        self.refresh_view()

    async def on_unmount(self) -> None:
        """Leave no run behind."""
        self.stop()
        await self.session.close()
        if self.alive:
            self.one_run.release()

    def on_resize(self, event: Resize) -> None:
        """Choose the layout for the new size; nothing else changes."""
        wanted = layout_for(event.size.width, event.size.height)
        if wanted != self.layout_now:
            self.put(wanted)

    # layout

    def put(self, layout: Layout) -> None:
        """Put the panels where a layout has them."""
        self.layout_now = layout
        for one in LAYOUTS:
            self.set_class(one is layout, one.name)
        lanes = min(len(self.session.tasks) + 3, 10)
        rows = {"small": "10 1fr 5", "medium": "3fr 4fr {} 5", "large": "6fr 3fr 7fr {} 5"}
        self.query_one("#board").styles.grid_rows = rows[layout.name].format(lanes)
        if self.front not in layout.deck:
            self.front = layout.deck[0] if self.session.lesson else layout.deck[-1]
        self.show_deck()

    def show_deck(self) -> None:
        """Show the front panel of the deck, with the names of the others in its border."""
        deck = self.layout_now.deck
        for panel in self.query(Panel):
            if panel.id in DECK:
                panel.display = panel.id not in deck or panel.id == self.front
            if panel.id == self.front:
                panel.border_title = deck_title(deck, self.front)
            else:
                panel.border_title = Content(panel.title)

    def action_panel(self, by: int) -> None:
        """Bring the next panel of the deck to the front."""
        deck = self.layout_now.deck
        self.bring(deck[(deck.index(self.front) + by) % len(deck)])

    def bring(self, name: str) -> None:
        """Bring a panel to the front, or into focus where it is always seen."""
        if name in self.layout_now.deck:
            had_focus = self.focused is not None and self.focused.id == self.front
            self.front = name
            self.show_deck()
            if had_focus:
                self.query_one(f"#{name}").focus()
        else:
            self.query_one(f"#{name}").focus()

    def action_bring(self, name: str) -> None:
        """Bring a panel to the front by its name."""
        self.bring(name)

    def action_enlarge(self) -> None:
        """Let the focused panel fill the screen, or put it back."""
        if self.maximized is not None:
            self.minimize()
        else:
            self.maximize(self.focused or self.query_one(f"#{self.front}"), container=False)

    # drawing

    def view(self) -> View:
        """What there is to be drawn now."""
        session = self.session
        n = session.n
        known = len(self.lanes.events)
        if known > session.length or (
            known and session.events[known - 1] is not self.lanes.events[-1]
        ):
            self.lanes, known = Lanes(session.tasks), 0
        self.lanes.extend(session.events[known:])
        return View(
            title=session.title,
            era=session.era,
            n=n,
            length=session.length,
            playing=self.playing,
            pace=PACES[self.pace],
            snapshot=session.snapshot(n),
            event=session.events[n - 1] if n else None,
            choices=session.choices(),
            upcoming=session.upcoming(),
            looked_at=self.task_in_view(),
            lanes=self.lanes,
            totals=lambda: session.totals(n),
            source=session.source,
            lesson=session.lesson,
            reached=session.reached,
            answers=self.answers,
            hints=self.hints,
            zoom=self.zoom,
            note=self.note,
            branches=len(session.branches),
        )

    def refresh_view(self) -> None:
        """Draw what is so now."""
        view = self.view()
        lesson = view.lesson
        if lesson is not None and view.reached >= len(lesson.blocks) and not self.finished:
            self.finished = True
            self.shelf.finish(lesson.name)
        for panel in self.query(Panel):
            panel.show(view)
        self.note = ""

    def task_in_view(self) -> str:
        """The task whose source is shown: the one asked for, else the one that moved last."""
        if self.looked_at:
            return self.looked_at
        n = self.session.n
        return self.session.events[n - 1].task if n else self.session.tasks[0]

    def say(self, words: str) -> None:
        """Say something in the Now panel, until the next thing happens."""
        self.note = words
        self.refresh_view()

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
        await self.find(by, lambda at: self.session.events[at].fact in LOCK_FACTS)

    async def action_turn(self, by: int) -> None:
        """To the next or previous change of task."""
        events = self.session.events
        await self.find(by, lambda at: at > 0 and events[at].task != events[at - 1].task)

    async def find(self, by: int, wanted: Callable[[int], bool]) -> None:
        """Go to the nearest event, one way or the other, that is wanted."""
        self.stop()
        at = self.session.n - 1 + by
        while 0 <= at < self.session.length:
            if wanted(at):
                await self.seek(at + 1)
                return
            at += by
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
        self.zoom = max(0, min(self.zoom + by, 16))
        self.refresh_view()

    def action_hint(self) -> None:
        """Another hint for the goal that is being read."""
        lesson = self.session.lesson
        for index in range(
            min(self.session.reached, len(lesson.blocks) - 1) if lesson else -1, -1, -1
        ):
            block = lesson.blocks[index] if lesson else None
            if block is not None and hasattr(block, "hints"):
                self.hints[index] = min(self.hints.get(index, 0) + 1, len(block.hints) + 1)
                self.refresh_view()
                return
        self.say("there is no goal here to give a hint for")

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
            if answer and answer.isdecimal():
                self.stop()
                await self.seek(int(answer))

        _ = self.app.push_screen(PromptScreen(f"Go to step (0–{self.session.length})"), go)

    def action_branches(self) -> None:
        """Choose among the runs that were left."""
        branches = self.session.branches
        if not branches:
            self.say("no other run yet: go back (←), then step another task")
            return
        from uffdviz.tui.screens.prompt import ListScreen

        async def go(index: int | None) -> None:
            if index is not None:
                await self.session.switch(index)
                self.refresh_view()

        rows = [f"{words}, {steps} steps" for words, steps in branches]
        _ = self.app.push_screen(ListScreen("Runs that you left", rows), go)

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
    def title_clicked(self, message: Panel.TitleClicked) -> None:
        """Bring the panel to the front whose name was clicked."""
        if message.panel == self.front and (
            name := tab_at(self.layout_now.deck, self.front, message.x)
        ):
            self.bring(name)
