"""The board of panels: which stand where, and what they show of a session."""

import asyncio

from textual.app import ComposeResult
from textual.containers import Grid
from textual.content import Content
from textual.events import Resize
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.screens.layout import DECK, LAYOUTS, SMALL, Layout, layout_for
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View
from uffdviz.tui.widgets import panels
from uffdviz.tui.widgets.deck import deck_title
from uffdviz.tui.widgets.panel import Panel

PACES = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05)


class Board(Screen[None]):
    """Shows a session in panels that fit the terminal. What is done with it is a subclass's."""

    CSS_PATH = "run.tcss"

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
            yield panels.Graph(id="graph")
            yield panels.Timeline(id="timeline")
            yield panels.Now(id="now")
        yield panels.Keys(id="keys")

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
        if self.maximized is not None and not self.maximized.display:
            self.maximize(self.query_one(f"#{self.front}"), container=False)

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
        if self.maximized is not None:
            self.maximize(self.query_one(f"#{name}"), container=False)

    def action_bring(self, name: str) -> None:
        """Bring a panel to the front by its name."""
        self.bring(name)

    def action_enlarge(self) -> None:
        """Let the focused panel fill the screen, or put it back."""
        if self.maximized is not None:
            self.minimize()
        else:
            lit = self.focused if self.focused is not None and self.focused.display else None
            self.maximize(lit or self.query_one(f"#{self.front}"), container=False)

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
        if lesson is not None and not self.finished and self.is_through(view):
            self.finished = True
            self.shelf.finish(lesson.name)
        for panel in self.query(Panel):
            panel.show(view)
        self.note = ""

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
