"""The board as a person has arranged it: panels in front, enlarged, hidden; and for an audience."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from textual.events import DescendantBlur, DescendantFocus, Resize

from uffdviz.tui.lectern import Lectern
from uffdviz.tui.remember import PACES, remember, remembered, remembered_in
from uffdviz.tui.render.notes import BETWEEN, notes_of
from uffdviz.tui.screens.board import Board
from uffdviz.tui.screens.layout import (
    DECK,
    FRONT,
    LAYOUTS,
    LECTURE,
    LOW,
    SMALL,
    THIN,
    Band,
    Layout,
    layout_for,
    lines_for,
    seats,
)
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.view import View
from uffdviz.tui.widgets.deck import deck_title, in_sight
from uffdviz.tui.widgets.panel import Panel

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp

ALONE: Final = "{} stays: it is the only one that is left in its place"
LECTURING: Final = (
    "a lecture is on: l ends it; 'uffdviz notes' in another terminal shows what is not seen here"
)
BACK: Final = "{} is hidden: U shows every panel again"


class Arranged(Board):
    """Seats the panels by the size of the terminal, and as they were the last time."""

    def __init__(self, session: Session, shelf: Shelf, one_run: asyncio.Lock) -> None:
        super().__init__(session, shelf, one_run)
        self.layout_now: Layout = SMALL
        self.front = "narration"
        self.fronts: dict[str, str] = {}
        self.lines = 2
        self.pace = PACES.index(remembered().get("speed", PACES[self.pace]))

    def on_resize(self, event: Resize) -> None:
        """Choose the layout for the new size; nothing else changes."""
        wanted = layout_for(event.size.width, event.size.height)
        lines = lines_for(event.size.height)
        if wanted != self.layout_now:
            if self.alive:
                self.fronts[self.layout_now.name] = self.front
            self.put(wanted)
        elif lines != self.lines:
            self.seat()
        else:
            self.name_panels()

    @property
    def has_page(self) -> bool:
        """Whether there is something to read about this run."""
        return self.session.lesson is not None

    @property
    def lecturing(self) -> bool:
        """Whether few panels are shown, for an audience."""
        return self.has_class("lecture")

    @property
    def lecture_bands(self) -> tuple[Band, ...]:
        """What an audience sees."""
        return LECTURE

    @property
    def deck(self) -> tuple[str, ...]:
        """The panels of the deck that are not hidden; those that an audience always sees are in none."""
        always = self.hidden | {"tasks", "locks"} if self.lecturing else self.hidden
        return tuple(name for name in self.layout_now.deck if name not in always)

    # seating

    def put(self, layout: Layout) -> None:
        """Put the panels where a layout has them, as they were the last time."""
        self.layout_now = layout
        for one in LAYOUTS:
            self.set_class(one is layout, one.name)
        kept = remembered_in(layout.name)
        self.hidden = self.without_page(kept.get("hidden", ()))
        front = self.fronts.get(layout.name) or kept.get("front", "" if self.is_low else self.front)
        self.front = self.front if self.has_page else front
        self.seat()
        enlarged = "" if self.has_page else kept.get("enlarged", "")
        if enlarged and enlarged not in self.hidden and not self.lecturing:
            self.enlarge(enlarged)

    def without_page(self, hidden: list[str] | tuple[str, ...]) -> frozenset[str]:
        """What stays hidden when a run begins: not the page of a lesson, and not a whole deck."""
        page = {"narration"} if self.has_page else set()
        names = frozenset(hidden) - page
        return names - set(self.layout_now.deck[:1]) if names.issuperset(DECK) else names

    def seat(self) -> None:
        """Give every panel its room."""
        if self.front not in self.deck:
            self.front = self.first_front()
        deck = {*self.layout_now.deck} - ({"tasks", "locks"} if self.lecturing else set())
        lanes = min(len(self.session.tasks) + 3, 10)
        bands, hidden = self.layout_now.bands, self.hidden
        self.lines = lines_for(self.app.size.height)
        if self.lecturing:
            bands = (*self.lecture_bands[:-1], bands[-1]) if self.is_low else self.lecture_bands
            hidden = frozenset()
        seated = seats(bands, hidden, lanes, self.lines)
        self.query_one("#board").styles.grid_rows = seated.rows
        for panel in self.query(Panel):
            name = FRONT if panel.id in deck else panel.id
            span = seated.spans.get(name or "")
            if panel.id in {"header", "keys"}:
                continue
            panel.display = span is not None and (name != FRONT or panel.id == self.front)
            if span is not None:
                panel.styles.column_span, panel.styles.row_span = span
        self.name_panels()
        if self.maximized is not None and not self.maximized.display:
            self.enlarge(self.front)

    @property
    def is_low(self) -> bool:
        """Whether Now is a line or two without a border."""
        return self.layout_now in {LOW, THIN}

    def first_front(self) -> str:
        """Which panel of a deck is in front by itself: the page, or what tells most."""
        if self.has_page and "narration" in self.deck:
            return "narration"
        return self.deck[0] if self.has_page or self.is_low else self.deck[-1]

    def name_panels(self) -> None:
        """Write the names into the borders, with the signs for the mouse on the one in focus."""
        for panel in self.query(Panel):
            names, lit = self.names_of(panel)
            signs = "" if panel is not self.focused else self.signs(panel)
            panel.border_title = deck_title(names, lit, signs) if panel.title else None

    def names_of(self, panel: Panel) -> tuple[Sequence[str], str]:
        """What stands in the border of a panel: its name, or those of its deck and which is lit."""
        if panel.id != self.front or panel.id not in self.deck:
            return (panel.title.lower(),), ""
        columns = 1 if self.layout_now in {SMALL, THIN} else 2
        room = self.app.size.width // columns - 6
        return in_sight(self.deck, self.front, room), self.front

    def signs(self, panel: Panel) -> str:
        """What can be clicked on the border of a panel."""
        size = "[-]" if self.maximized is panel else "[+]"
        return size if panel.id == "now" or self.lecturing else f"{size}[×]"

    def on_descendant_focus(self, event: DescendantFocus) -> None:
        """Put the signs where the focus is."""
        self.name_panels()

    def on_descendant_blur(self, event: DescendantBlur) -> None:
        """Take them away where it was."""
        self.name_panels()

    # to the front

    def action_panel(self, by: int) -> None:
        """Bring the next panel of the deck to the front."""
        self.bring(self.deck[(self.deck.index(self.front) + by) % len(self.deck)])

    def action_bring(self, name: str) -> None:
        """Bring a panel to the front by its name, and into focus."""
        self.bring(name)
        self.query_one(f"#{name}").focus()

    def bring(self, name: str) -> None:
        """Bring a panel to the front, or into focus where it is always seen.

        A hidden one is shown again; the lecture is over if the panel has no place there.
        """
        if name in DECK and self.lecturing:
            self.action_lecture()
        if name in self.hidden:
            self.hide(self.hidden - {name})
        if name in self.layout_now.deck:
            had_focus = self.focused is not None and self.focused.id == self.front
            self.front = name
            self.seat()
            if had_focus:
                self.query_one(f"#{name}").focus()
            if not self.has_page:
                remember(self.layout_now.name, "front", value=name)
        else:
            self.query_one(f"#{name}").focus()
        if self.maximized is not None:
            self.enlarge(name)

    # enlarged

    def enlarge(self, name: str) -> None:
        """Let a panel fill the screen."""
        self.maximize(self.query_one(f"#{name}"), container=False)
        self.name_panels()

    def action_enlarge(self) -> None:
        """Let the focused panel fill the screen, or put it back."""
        name = ""
        if self.maximized is not None:
            self.minimize()
            self.name_panels()
        else:
            name = self.panel_in_focus()
            self.enlarge(name)
        if not self.has_page:
            remember(self.layout_now.name, "enlarged", value=name)

    def panel_in_focus(self) -> str:
        """The panel that a key is meant for."""
        lit = self.focused
        if isinstance(lit, Panel) and lit.display and lit.id:
            return lit.id
        if self.lecturing:
            return "tasks"
        return self.front

    # hidden

    def action_hide(self, name: str = "") -> None:
        """Hide a panel, or the one in focus."""
        name = name or self.panel_in_focus()
        left = [one for one in self.deck if one != name]
        if self.lecturing:
            self.say("a lecture shows three panels as they are: l ends it")
        elif name == "now":
            self.say("Now stays: it says what happens")
        elif name in self.deck and not left:
            self.say(ALONE.format(name.title()))
        else:
            self.minimize()
            if name == self.front and name in self.deck:
                self.front = left[0]
            self.hide(self.hidden | {name})
            self.query_one(f"#{self.front}").focus()
            self.say(BACK.format(name.title()))

    def action_unhide(self) -> None:
        """Show every panel again."""
        words = "every panel is shown again" if self.hidden else "no panel is hidden"
        self.hide(frozenset())
        self.say(words)

    def hide(self, names: frozenset[str]) -> None:
        """Hide these panels and no others, the next time too."""
        self.hidden = names
        self.seat()
        remember(self.layout_now.name, "hidden", value=sorted(names))
        for panel in self.query(Panel):
            panel.on_show()

    # for an audience

    def action_lecture(self) -> None:
        """Show only Tasks, Locks and Now, or everything again."""
        self.minimize()
        self.lecture(on=not self.lecturing)
        remember("lecture", value=self.lecturing)
        if self.lecturing:
            self.say(LECTURING)
        else:
            self.lectern.close()
            self.refresh_view()

    @property
    def lectern(self) -> Lectern:
        """Where the notes of a lecture can be heard."""
        return cast("UffdvizApp", self.app).lectern

    def draw(self, view: View) -> None:
        """Draw, and tell a lecture's notes to those who listen."""
        if self.lecturing:
            why = self.lectern.tell(notes_of(view))
            view = replace(view, lecture=True, note=view.note or why)
        super().draw(view)

    async def on_unmount(self) -> None:
        """Those who listen wait for the next run, if there is none yet."""
        others = (one for one in self.app.screen_stack if one is not self)
        if self.lectern.is_open and not any(isinstance(one, Arranged) for one in others):
            _ = self.lectern.tell(BETWEEN)

    def lecture(self, *, on: bool) -> None:
        """Begin or end to show little."""
        self.set_class(on, "lecture")
        self.seat()
        for panel in self.query(Panel):
            panel.on_show()
