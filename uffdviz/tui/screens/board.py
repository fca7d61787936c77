"""The board of panels: what they show of a session."""

import asyncio
from typing import TYPE_CHECKING, cast

from textual.app import ComposeResult
from textual.containers import Grid
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.tui.remember import PACES
from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View
from uffdviz.tui.widgets import panels
from uffdviz.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp


class Board(Screen[None]):
    """Shows a session in panels. Where they stand, and what is done with it, is a subclass's."""

    CSS_PATH = "run.tcss"

    def __init__(self, session: Session, shelf: Shelf, one_run: asyncio.Lock) -> None:
        super().__init__()
        self.one_run = one_run
        self.session = session
        self.shelf = shelf
        self.finished = False
        self.hidden: frozenset[str] = frozenset()
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
            yield panels.Graph(id="graph")
            yield panels.Timeline(id="timeline")
            yield panels.Now(id="now")
        yield panels.Keys(id="keys")

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
            listing=lambda task: session.listing(task, n),
            lesson=session.lesson,
            reached=session.reached,
            answers=self.answers,
            hints=self.hints,
            zoom=self.zoom,
            note=self.note,
            branches=len(session.branches),
            hidden=len(self.hidden),
            keymap=cast("UffdvizApp", self.app).keys_now,
        )

    def refresh_view(self) -> None:
        """Draw what is so now."""
        view = self.view()
        lesson = view.lesson
        if lesson is not None and not self.finished and self.is_through(view):
            self.finished = True
            self.shelf.finish(lesson.name)
        self.draw(view)
        self.note = ""

    def draw(self, view: View) -> None:
        """Let every panel show it."""
        for panel in self.query(Panel):
            panel.show(view)

    def is_through(self, view: View) -> bool:
        """Whether the lesson was read to its end, and all that it asks for was done."""
        return view.lesson is not None and view.reached >= len(view.lesson.blocks)

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
