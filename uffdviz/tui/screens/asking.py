"""The run screen with its questions: oracle, search, another era, words."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from textual import on
from textual.timer import Timer

from uffdviz.errors import UffdvizError
from uffdviz.trace.ahead_words import fate_words
from uffdviz.trace.places import has_words
from uffdviz.trace.things import things
from uffdviz.tui.beside import Beside
from uffdviz.tui.screens.run import RunScreen
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.tools import Oracle
from uffdviz.tui.view import View
from uffdviz.tui.widgets.panel import Panel

READ_EVERY = 0.03
READ_MOST = 500
NOTHING = "there is nothing to ask about this run"
SCHEDULE = "A schedule, as: gc until holds mmap_lock; app x2; everyone until done"


class AskingScreen(RunScreen):
    """A run, and everything that can be asked about it."""

    def __init__(self, session: Session, shelf: Shelf, one_run: asyncio.Lock) -> None:
        super().__init__(session, shelf, one_run)
        self.tools = shelf.tools(session)
        self.asking = False
        self.oracle: Beside[Oracle] | None = None
        self.searched = ""
        self.reader: Timer | None = None

    async def on_mount(self) -> None:
        """Replay a long recording while it is looked at; the base class does the rest."""
        if self.session.behind:
            self.reader = self.set_interval(READ_EVERY, self.read_on)

    def read_on(self) -> None:
        """Replay a few events more."""
        try:
            self.session.read_on(READ_MOST)
        except UffdvizError as error:
            self.note = str(error)
        if not self.session.behind and self.reader is not None:
            self.reader.stop()
        if self.alive and self.is_attached:
            self.refresh_view()

    async def on_unmount(self) -> None:
        """Leave no thread behind; the rest is told to the base class by itself."""
        if self.oracle is not None:
            self.oracle.leave()

    # the oracle

    def action_oracle(self) -> None:
        """Ask the oracle at every step, or stop asking."""
        if self.tools is None:
            self.say(NOTHING)
            return
        self.asking = not self.asking
        if self.asking and self.oracle is None:
            self.oracle = Beside(self.tools.oracle, self.oracle_told)
        self.refresh_view()

    def oracle_told(self, oracle: Beside[Oracle]) -> None:
        """The oracle has come further, or is there."""
        if self.is_attached:
            self.refresh_view()

    def view(self) -> View:
        """What there is to be drawn, with what the oracle says."""
        view = super().view()
        if self.session.behind:
            whole = view.length + self.session.behind
            return replace(view, oracle=f"read {view.length:,} of {whole:,}")
        if not self.asking or self.oracle is None:
            return view
        oracle = self.oracle.answer
        if oracle is None or not oracle.ready:
            return replace(view, oracle=self.oracle_state())
        events = self.session.events
        lost = oracle.point_of_no_return(events)
        word = f"oracle ● ▲ lost at step {lost}" if lost is not None else "oracle ●"
        words = fate_words(oracle.now(events, view.n))
        return replace(
            view,
            fates=oracle.of_moves(events, view.n, view.choices),
            oracle=word,
            lost=lost,
            note=view.note or words,
        )

    def oracle_state(self) -> str:
        """What the oracle does while it has no answers."""
        assert self.oracle is not None
        if not self.oracle.over:
            return f"oracle … {self.oracle.states:,} states"
        if self.oracle.error:
            return f"oracle – {self.oracle.error}"
        return "oracle – too many states"

    # the search

    def action_explore(self) -> None:
        """Search from here, beside the screen."""
        if self.tools is None:
            self.say(NOTHING)
            return
        from uffdviz.tui.screens.explore import ExploreScreen

        self.stop()
        _ = self.app.push_screen(ExploreScreen(self.tools), self.step_into)

    async def step_into(self, choices: Sequence[str] | None) -> None:
        """Take the choices that lead to a finding; they can be stepped back through."""
        here = self.session.n
        taken = 0
        try:
            for choice in choices or ():
                await self.session.step(choice)
                taken += 1
        except UffdvizError as error:
            self.note = str(error)
        if choices:
            self.note = self.note or f"{taken} steps on, from step {here}: ← goes back through them"
        self.looked_at = ""
        self.refresh_view()

    def action_schedule(self) -> None:
        """Ask for a schedule in words, and play it."""
        if self.tools is None:
            self.say(NOTHING)
            return
        from uffdviz.tui.screens.prompt import PromptScreen

        self.stop()
        _ = self.app.push_screen(PromptScreen(SCHEDULE), self.play_words)

    async def play_words(self, words: str | None) -> None:
        """Play a schedule that was written, or say what is wrong with it."""
        if not words or self.tools is None:
            return
        try:
            choices = self.tools.schedule(words)
        except UffdvizError as error:
            self.say(str(error))
            return
        await self.step_into(choices)

    # another era

    def action_compare(self) -> None:
        """Choose another era and look at both: event by event, or as a race if that is too long."""
        if self.tools is None:
            self.say(NOTHING)
            return
        from uffdviz.tui.screens.compare import CompareScreen
        from uffdviz.tui.screens.prompt import ListScreen
        from uffdviz.tui.screens.race import RaceScreen

        tools = self.tools
        eras = [era for era in self.shelf.eras() if era != self.session.era]
        choices = [event.choice for event in self.session.events[: self.session.n]]
        self.stop()

        def go(index: int | None) -> None:
            if index is None:
                return
            workload = tools.workload(eras[index])
            if workload is None:
                about = self.session.title, eras[index], choices, self.session.tasks
                _ = self.app.push_screen(CompareScreen(tools, *about))
            else:
                _ = self.app.push_screen(RaceScreen(workload))

        question = f"{self.session.era} beside which kernel?"
        _ = self.app.push_screen(ListScreen(question, eras), go)

    # words

    def action_explain(self) -> None:
        """Explain what the last step was about."""
        if self.tools is None:
            self.say(NOTHING)
            return
        from uffdviz.tui.screens.explain import ExplainScreen

        _ = self.app.push_screen(ExplainScreen(self.tools, self.words_here()))

    @on(Panel.Asked)
    def asked(self, message: Panel.Asked) -> None:
        """Explain the word that was clicked."""
        if self.tools is None:
            self.say(NOTHING)
            return
        from uffdviz.tui.screens.explain import ExplainScreen

        _ = self.app.push_screen(ExplainScreen(self.tools, [message.word]))

    def words_here(self) -> list[str]:
        """What could be explained now."""
        session, n = self.session, self.session.n
        event = session.events[n - 1] if n else None
        return things(event, session.snapshot(n).tasks[self.task_in_view()], session.era)

    def action_search(self) -> None:
        """Search in the sentences of what happened."""
        from uffdviz.tui.screens.prompt import PromptScreen

        async def go(words: str | None) -> None:
            if words:
                self.searched = words
                await self.action_search_on()

        _ = self.app.push_screen(PromptScreen("Search in what happened"), go)

    async def action_search_on(self) -> None:
        """Go to the next event that has the words; after the last comes the first."""
        self.stop()
        words = self.searched
        found = has_words(self.session.events, words, self.session.n) if words else None
        if found is not None:
            await self.seek(found)
        else:
            self.say(f"nothing that happened has {words!r} in it" if words else "/ searches")
