"""Two eras race through a workload on one virtual clock; one comes as close as to a single wait."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.errors import UffdvizError
from uffdviz.trace.profile import Pair, Wait
from uffdviz.trace.profile_words import finish_words, moment
from uffdviz.tui.beside import Beside
from uffdviz.tui.keys import HELP, QUIT, RACE, RACE_MOUSE, Help
from uffdviz.tui.render.keys import key_bar
from uffdviz.tui.render.line import Line, Span, columns, line, wrapped
from uffdviz.tui.render.race import STACK, TRACE, Look, side_lines, total_lines, wait_lines
from uffdviz.tui.tools import Workload
from uffdviz.tui.widgets.panel import Panel
from uffdviz.tui.widgets.picture import Picture
from uffdviz.tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp

PACES = (0.5, 0.2, 0.1, 0.05, 0.025)
"""Seconds a column."""
SIGNS_SAID = (
    *((sign, words) for _, sign, _, words in STACK),
    (TRACE, "some wait for a lock, but too little for a line of the picture"),
    ("├┅┤", "the wait that [ and ] have found"),
)
CLOSEST = 64
"""Nanoseconds that a window has at least."""
Again = Callable[[Sequence[str]], Workload]
"""Gives the same workload under other eras."""


ALSO: Final = (HELP, QUIT)


class RaceScreen(Screen[None]):
    """What is shown: a moment `time` of a window that begins at `first`, both on the same clock."""

    ABOUT: ClassVar[Help] = (
        "The same calls under two kernels, on one virtual clock: what their tasks do with their time.",
        (
            ("Keys", tuple((key.shown, key.what) for key in RACE)),
            ("Mouse", RACE_MOUSE),
            ("Signs, from the bottom up", SIGNS_SAID),
        ),
    )

    CSS = """
    RaceScreen { layout: vertical; }
    RaceScreen .bar { border: none; height: 1; background: $panel; }
    RaceScreen Horizontal { height: 1fr; min-height: 8; }
    RaceScreen Picture { width: 1fr; height: 100%; }
    RaceScreen #totals { height: 10; }
    RaceScreen.tall #totals { height: 15; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(key.keys, key.action, key.what, id=key.name) for key in RACE
    ]

    def __init__(
        self, workload: Workload, eras: Sequence[str] = (), again: Again | None = None
    ) -> None:
        super().__init__()
        self.workload = workload
        self.eras = eras
        self.other = again
        self.time = 0
        self.first = 0
        self.zoom = 0
        self.pace = 2
        self.note = ""
        self.follows = True
        self.in_words = False
        self.chosen: tuple[int, Wait] | None = None
        self.timer: Timer | None = None
        self.racing: Beside[Pair] | None = None
        self.closer: Beside[Pair | None] | None = None
        self.wanted = (0, 0)
        self.fine: tuple[int, int, Pair] | None = None

    def compose(self) -> ComposeResult:
        """A line above, both sides, the totals or a wait, keys."""
        header, keys = Sheet(self.header), Sheet(self.keys)
        for bar in (header, keys):
            bar.add_class("bar")
            bar.can_focus = False
        yield header
        with Horizontal():
            yield Picture(lambda width, height: self.side(0, width, height), id="left")
            yield Picture(lambda width, height: self.side(1, width, height), id="right")
        yield Sheet(self.below, id="totals")
        yield keys

    def on_mount(self) -> None:
        """Let them run."""
        self.query_one("#left").focus()
        self.racing = Beside(self.workload.race, self.told)

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        for asked in (self.racing, self.closer):
            if asked is not None:
                asked.leave()

    def on_resize(self, event: events.Resize) -> None:
        """More totals where there is room."""
        self.set_class(event.size.height >= 34, "tall")

    # what is known

    @property
    def pair(self) -> Pair | None:
        """The whole race, as far as it is known."""
        return self.workload.so_far

    @property
    def is_known(self) -> bool:
        """Whether nothing more will come."""
        return self.racing is not None and self.racing.over

    @property
    def length(self) -> int:
        """How long the window is."""
        whole = self.pair.end if self.pair is not None else 1
        return max(whole >> self.zoom, min(CLOSEST, whole), 1)

    def look(self) -> Look:
        """Where one looks."""
        whole = max(self.pair.end if self.pair is not None else 1, 1)
        first = min(max(0, self.first), whole - self.length)
        return Look(self.time, first, first + self.length, self.chosen, ahead=self.zoom > 0)

    def best(self) -> Pair | None:
        """The finest that is known of the window."""
        look = self.look()
        if self.zoom and self.fine is not None:
            start, end, pair = self.fine
            if start <= look.start and look.end <= end:
                return pair
        return self.pair

    def told(self, racing: Beside[Pair]) -> None:
        """The race has come further, or to its end."""
        if not self.is_attached:
            return
        if self.follows and self.pair is not None:
            self.time = self.pair.end
        self.again()

    def told_closer(self, closer: Beside[Pair | None]) -> None:
        """The window is known, or it has come further."""
        if not self.is_attached or closer is not self.closer:
            return
        if closer.over and closer.answer is not None:
            self.fine = (*self.wanted, closer.answer)
        self.again()

    def come_closer(self) -> None:
        """Run again for finer slices, if those that are known are wider than a column."""
        best, look, width = self.best(), self.look(), self.width_of_side()
        if best is None or not self.is_known or not self.zoom:
            return
        if best.left.width * width <= self.length or best.left.width == 1:
            return
        start, end = self.wanted
        if self.closer is not None and not self.closer.over:
            if start <= look.start and look.end <= end and end - start <= 8 * self.length:
                return
            self.closer.leave()
        start, end = max(0, look.start - self.length), look.end + self.length
        self.wanted = (start, end)
        self.closer = Beside(lambda tick: self.workload.window(start, end, tick), self.told_closer)

    def width_of_side(self) -> int:
        """How many columns a side has."""
        return max(8, self.query_one("#left").scrollable_content_region.width)

    # what is drawn

    def again(self) -> None:
        """Draw what is so now."""
        pair = self.pair
        if pair is not None:
            for name, side in zip(("left", "right"), pair, strict=True):
                over = "finished" if side.over and self.time >= side.end else ""
                self.query_one(f"#{name}").border_title = f"{side.era} {over}".rstrip()
            below = self.query_one("#totals", Sheet)
            title = "One wait" if self.in_words and self.chosen else finish_words(pair, self.time)
            below.border_title = title
            below.subtitle(self.note)
        self.note = ""
        for sheet in self.query(Sheet):
            sheet.again()

    def header(self, width: int, height: int) -> list[Line]:
        """The title, what is being computed, the moment."""
        left = line(Span(f" {self.workload.title}", "strong"), "  race")
        step = self.length // self.width_of_side()
        playing = "▷ " if self.timer is not None else ""
        zoom = f"{1 << self.zoom}× " if self.zoom else ""
        right = f"{self.progress()}{zoom}{playing}{moment(self.time, step)} "
        return [columns(left, line(right), width)]

    def progress(self) -> str:
        """How far what is being computed is."""
        for words, asked in (("racing", self.racing), ("closer", self.closer)):
            if asked is not None and not asked.over:
                return f"{words} … {asked.states:,} steps, s stops  "
        return ""

    def keys(self, width: int, height: int) -> list[Line]:
        """The keys, as many as there is room for."""
        keymap = cast("UffdvizApp", self.app).keys_now
        own = [keymap.now(key, RACE) for key in RACE]
        return [key_bar((*own, *(keymap.now(key, ALSO) for key in ALSO)), width)]

    def side(self, index: int, width: int, height: int) -> list[Line]:
        """One era."""
        pair = self.best()
        if pair is None:
            why = self.racing.error if self.racing is not None else ""
            return wrapped(why or "They are off …", width, "bad" if why else "dim")
        return side_lines(pair[index], index, self.look(), width, height)

    def below(self, width: int, height: int) -> list[Line]:
        """The totals, or one wait in words."""
        pair, best = self.pair, self.best()
        if pair is None or best is None:
            return []
        if self.in_words and self.chosen is not None:
            return wait_lines(best, self.chosen, width)
        return total_lines(pair, self.time, width)

    # moving

    def go(self, time: int) -> None:
        """Show another moment, and the part of the race where it is."""
        whole = self.pair.end if self.pair is not None else 0
        self.follows = False
        self.time = min(max(0, time), whole)
        look = self.look()
        if not look.start <= self.time <= look.end:
            self.first = self.time - self.length // 2
        else:
            self.first = look.start
        self.come_closer()
        self.again()

    def action_on(self, by: int) -> None:
        """A column on or back."""
        look, width = self.look(), self.width_of_side()
        at = look.column(self.time, width)
        step = max(1, self.length // width)
        border = look.border(at + by, width)
        self.go(border if border != self.time else self.time + by * step)

    def action_begin(self) -> None:
        """To the beginning."""
        self.go(0)

    def action_end(self) -> None:
        """To the end of the longer run, as far as it is known."""
        if self.pair is not None:
            self.go(self.pair.end)

    def action_play(self) -> None:
        """Play, or pause; at the end, from the beginning."""
        if self.timer is not None:
            self.timer.stop()
            self.timer = None
        elif self.pair is not None:
            if self.time >= self.pair.end:
                self.go(0)
            self.timer = self.set_interval(PACES[self.pace], self.tick)
        self.again()

    def tick(self) -> None:
        """A column on; at the end it stops."""
        if self.timer is not None and self.pair is not None:
            self.action_on(1)
            if self.time >= self.pair.end:
                self.action_play()

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self.pace = max(0, min(self.pace + by, len(PACES) - 1))
        if self.timer is not None:
            self.action_play()
            self.action_play()
        else:
            self.say(f"a column every {PACES[self.pace]:g} s when playing (space)")

    def action_zoom(self, by: int) -> None:
        """Come closer to the cursor, or go back."""
        if self.pair is None:
            return
        zoom = max(0, self.zoom + by)
        if by > 0 and self.pair.end >> zoom < CLOSEST:
            self.say("this is as close as one can come")
            return
        self.zoom = zoom
        self.first = self.time - self.length // 2
        self.go(self.time)

    def action_wait(self, by: int) -> None:
        """To the next or previous wait that is known by itself."""
        best = self.best()
        waits = list(best.waits()) if best is not None else []
        at = next((i for i, one in enumerate(waits) if one == self.chosen), -1)
        if at < 0:
            later = [i for i, (_, wait) in enumerate(waits) if wait.start >= self.time]
            at = (later[0] if later else len(waits)) - (by > 0)
        at += by
        if not 0 <= at < len(waits):
            self.say("no wait for a lock is known further " + ("on" if by > 0 else "back"))
            return
        self.chosen = waits[at]
        self.go(self.chosen[1].start)

    def action_words(self) -> None:
        """The wait that was chosen in words, or the totals again."""
        best = self.best()
        waits = list(best.waits()) if best is not None else []
        if self.chosen is None and waits:
            self.chosen = max(waits, key=lambda one: one[1].end - one[1].start)
            self.go(self.chosen[1].start)
        if self.chosen is None:
            self.say("no wait for a lock is known")
            return
        self.in_words = not self.in_words
        self.again()

    def say(self, words: str) -> None:
        """Say something below, until the next thing happens."""
        self.note = words
        self.again()

    # the rest

    def action_stop(self) -> None:
        """Stop computing; what is known stays."""
        for asked in (self.racing, self.closer):
            if asked is not None and not asked.over:
                asked.stop()

    def action_era(self) -> None:
        """Another kernel on the right."""
        from uffdviz.tui.screens.prompt import ListScreen

        again = self.other
        if again is None:
            self.say("the run chose its kernel: esc goes back to it, c chooses another one")
            return
        left = self.workload.eras[0]
        eras = [era for era in self.eras if era not in self.workload.eras]

        def go(index: int | None) -> None:
            if index is None:
                return
            try:
                workload = again((left, eras[index]))
            except UffdvizError as error:
                self.say(str(error))
                return
            _ = self.app.switch_screen(RaceScreen(workload, self.eras, again))

        _ = self.app.push_screen(ListScreen(f"{left} against which kernel?", eras), go)

    def action_vary(self) -> None:
        """Ask what to vary."""
        from uffdviz.tui.screens.sweep import ask

        ask(self.app, self.workload)

    @on(Panel.Chosen)
    async def picked(self, message: Panel.Chosen) -> None:
        """Do what was clicked."""
        verb, _, what = message.target.partition(" ")
        if verb == "column":
            self.go(self.look().border(int(what) + 1, self.width_of_side()))
        elif verb == "wheel":
            self.action_on(int(what))
        elif verb.startswith("key:"):
            action = next((key.action for key in (*RACE, *ALSO) if key.name == verb[4:]), "")
            await self.run_action(action)
