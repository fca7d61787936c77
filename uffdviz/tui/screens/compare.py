"""The same choices under two eras, on one clock and with one keyboard."""

from collections.abc import Sequence
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.tui.beside import Beside
from uffdviz.tui.render.compare import difference_lines, parted_words, side_lines
from uffdviz.tui.render.line import Line, Span, columns, line, wrapped
from uffdviz.tui.render.timeline import nanoseconds
from uffdviz.tui.screens.board import PACES
from uffdviz.tui.tools import Race, Tools
from uffdviz.tui.widgets.sheet import Sheet

KEYS = " space play   → on   ← back   d where they part   Home End   + - speed   esc back   q quit"
START = -1
"""Before everything: the first events may be over at no time at all."""
FRAMES = 200
"""Playing takes at most so many pictures; a long run jumps over moments."""


class CompareScreen(Screen[None]):
    """Two runs side by side; a moment of virtual time is shown on both."""

    CSS = """
    CompareScreen { layout: vertical; }
    CompareScreen .bar { border: none; height: 1; background: $panel; }
    CompareScreen Horizontal { height: 3fr; }
    CompareScreen Horizontal Sheet { width: 1fr; height: 100%; }
    CompareScreen #difference { height: 2fr; }
    CompareScreen #parted { height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,c", "app.pop_screen", "Back"),
        Binding("right,n", "on", "On"),
        Binding("left,p", "back", "Back"),
        Binding("home", "begin", "To the beginning"),
        Binding("end", "end", "To the end"),
        Binding("d", "part", "Where they part"),
        Binding("space", "play", "Play"),
        Binding("plus,equals_sign", "pace(1)", "Faster"),
        Binding("minus", "pace(-1)", "Slower"),
    ]

    def __init__(self, tools: Tools, title: str, era: str, choices: Sequence[str]) -> None:
        super().__init__()
        self.name_of_run = title
        self.time = START
        self.pace = 2
        self.timer: Timer | None = None
        self.asked: Beside[Race] | None = None
        self.race: Race | None = None
        self.ask = partial(tools.race, era, choices)

    def compose(self) -> ComposeResult:
        """A line above, both sides, where they part, the difference, keys."""
        header, keys = Sheet(self.header), Sheet(lambda width, _: [line(KEYS[:width])])
        for bar in (header, keys):
            bar.add_class("bar")
            bar.can_focus = False
        yield header
        with Horizontal():
            yield Sheet(lambda width, _: self.side(0, width), id="left")
            yield Sheet(lambda width, _: self.side(1, width), id="right")
        yield Sheet(self.parted, id="parted")
        yield Sheet(self.difference, id="difference")
        yield keys

    def on_mount(self) -> None:
        """Run both."""
        self.query_one("#difference", Sheet).border_title = "Totals, one taken from the other"
        self.query_one("#parted", Sheet).border_title = "First difference"
        self.asked = Beside(self.ask, self.told)

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        if self.asked is not None:
            self.asked.leave()

    def told(self, asked: Beside[Race]) -> None:
        """Both runs are there, or have come further."""
        if self.is_attached and asked.over:
            self.race = asked.answer
            self.again()

    def again(self) -> None:
        """Draw what is so now."""
        for sheet in self.query(Sheet):
            sheet.again()

    # what is drawn

    def header(self, width: int, height: int) -> list[Line]:
        """The title and the moment."""
        state = f"▷ every {PACES[self.pace]:g} s  " if self.timer is not None else ""
        left = line(Span(f" {self.name_of_run}", "strong"), "  compare")
        return [columns(left, line(f"{state}{nanoseconds(max(0, self.time))} "), width)]

    def side(self, index: int, width: int) -> list[Line]:
        """One era."""
        if self.race is None:
            why = self.asked.error if self.asked is not None else ""
            return wrapped(why or "Running both …", width, "bad" if why else "dim")
        side = self.race.right if index else self.race.left
        return side_lines(side, self.race, self.time, width)

    def parted(self, width: int, height: int) -> list[Line]:
        """Where they part, in words."""
        return wrapped(parted_words(self.race), width) if self.race is not None else []

    def difference(self, width: int, height: int) -> list[Line]:
        """The totals."""
        return difference_lines(self.race, self.time, width) if self.race is not None else []

    # moving

    def go(self, time: int) -> None:
        """Show another moment."""
        self.time = time
        self.again()

    def action_on(self) -> None:
        """To the next event on either side."""
        if self.race is not None:
            self.go(self.race.next(self.time))

    def action_back(self) -> None:
        """To the event before."""
        if self.race is not None:
            self.go(self.race.before(self.time))

    def action_begin(self) -> None:
        """To the beginning."""
        self.go(START)

    def action_end(self) -> None:
        """To the end of the longer run."""
        if self.race is not None:
            self.go(max(self.race.left.end, self.race.right.end))

    def action_part(self) -> None:
        """To the first event that differs, on whichever side it comes first."""
        if self.race is not None and self.race.parted:
            sides = (self.race.left, self.race.right)
            at = self.race.parted - 1
            times = [side.events[at].end for side in sides if at < len(side.events)]
            self.go(max(times))

    def action_play(self) -> None:
        """Play, or pause."""
        if self.timer is not None:
            self.timer.stop()
            self.timer = None
        elif self.race is not None:
            self.timer = self.set_interval(PACES[self.pace], self.tick)
        self.again()

    def tick(self) -> None:
        """One moment on, or a jump in a long run; at the end it stops."""
        race = self.race
        if race is None:
            return
        longest = max(race.left.end, race.right.end)
        if self.time >= longest:
            self.action_play()
            return
        jump = longest // FRAMES if len(race.left.events) > FRAMES else 0
        self.go(min(longest, max(race.next(self.time), self.time + jump)))

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self.pace = max(0, min(self.pace + by, len(PACES) - 1))
        if self.timer is not None:
            self.action_play()
            self.action_play()
