"""The same choices under two eras, with one keyboard: a digit steps a task on both sides."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import Screen
from textual.timer import Timer

from uffdviz.trace.beside_words import Race, left_words, obstacle, parted_words
from uffdviz.tui.beside import Beside
from uffdviz.tui.keys import HELP, QUIT, Help, Key
from uffdviz.tui.remember import PACES
from uffdviz.tui.render.compare import difference_lines, side_lines
from uffdviz.tui.render.keys import key_bar
from uffdviz.tui.render.line import Line, Span, columns, line, wrapped
from uffdviz.tui.render.timeline import nanoseconds
from uffdviz.tui.tools import Tools
from uffdviz.tui.widgets.panel import Panel
from uffdviz.tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp

COMPARE: Final = (
    Key("task", "1,2,3,4,5,6,7,8,9", "1-9", "task", "task", "One step of that task on both sides"),
    Key("on", "right,n", "→", "on", "on", "On to the next moment; n does the same"),
    Key("back", "left,p", "←", "back", "back", "Back to the moment before; p does the same"),
    Key("play", "space", "space", "play", "play", "Play by itself, or pause"),
    Key("part", "d", "d", "part", "part", "To the first event that differs"),
    Key("begin", "home", "Home", "begin", "", "To the beginning"),
    Key("end", "end", "End", "end", "", "To the end of the longer run"),
    Key("faster", "plus,equals_sign", "+", "pace(1)", "", "Play faster"),
    Key("slower", "minus", "-", "pace(-1)", "", "Play slower"),
    Key("leave", "escape,c", "esc", "app.pop_screen", "leave", "Back to the run"),
)
ALSO: Final = (HELP, QUIT)
MOUSE: Final = (
    ("click a task", "One step of that task on both sides"),
    ("click a key below", "The same as pressing it"),
    ("wheel", "Scroll the panel under the pointer"),
)
FRAMES = 200
"""Playing takes at most so many pictures; a long run jumps over moments."""


class CompareScreen(Screen[None]):
    """Two runs side by side by one schedule, then by one clock; a moment is shown on both."""

    ABOUT: ClassVar[Help] = (
        "One schedule for two kernels: a digit lets that task take a step on both sides.",
        (("Keys", tuple((key.shown, key.what) for key in (*COMPARE, *ALSO))), ("Mouse", MOUSE)),
    )

    CSS = """
    CompareScreen { layout: vertical; }
    CompareScreen .bar { border: none; height: 1; background: $panel; }
    CompareScreen Horizontal { height: 3fr; }
    CompareScreen Horizontal Sheet { width: 1fr; height: 100%; }
    CompareScreen #difference { height: 2fr; }
    CompareScreen #parted { height: 5; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(k.keys, k.action, k.what) for k in COMPARE if k.name != "task"),
        *(Binding(str(d), f"task({d})", f"Step task {d}") for d in range(1, 10)),
    ]

    def __init__(
        self, tools: Tools, title: str, era: str, choices: Sequence[str], tasks: Sequence[str]
    ) -> None:
        super().__init__()
        self.tasks = tasks
        self.name_of_run = title
        self.tools = tools
        self.era = era
        self.wanted = tuple(choices)
        self.moment = 0
        self.pace = 2
        self.note = ""
        self.timer: Timer | None = None
        self.asked: Beside[Race] | None = None
        self.race: Race | None = None

    def compose(self) -> ComposeResult:
        """A line above, both sides, where they part, the difference, keys."""
        header, keys = Sheet(self.header), Sheet(self.keys)
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
        self.ask()

    def ask(self) -> None:
        """Run the schedule on both sides."""
        if self.asked is not None:
            self.asked.leave()
        self.asked = Beside(partial(self.tools.race, self.era, self.wanted), self.told)

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        if self.asked is not None:
            self.asked.leave()

    def told(self, asked: Beside[Race]) -> None:
        """Both runs are there, or have come further."""
        if self.is_attached and asked.over:
            self.race = asked.answer
            self.moment = self.race.steps if self.race is not None else 0
            self.again()

    def again(self) -> None:
        """Draw what is so now."""
        for sheet in self.query(Sheet):
            sheet.again()
        self.note = ""

    # what is drawn

    def header(self, width: int, height: int) -> list[Line]:
        """The title and the moment."""
        state = f"▷ every {PACES[self.pace]:g} s  " if self.timer is not None else ""
        left = line(Span(f" {self.name_of_run}", "strong"), "  compare")
        if self.race is None:
            return [left]
        steps = min(self.moment, self.race.steps)
        place = f"schedule {steps}/{self.race.steps}  " if self.race.steps else ""
        time = nanoseconds(max(0, self.race.time(self.moment)))
        return [columns(left, line(f"{state}{place}{time} "), width)]

    def keys(self, width: int, height: int) -> list[Line]:
        """The keys, as many as there is room for; a click presses one."""
        keymap = cast("UffdvizApp", self.app).keys_now
        return [key_bar((*COMPARE, *(keymap.now(key, ALSO) for key in ALSO)), width)]

    def side(self, index: int, width: int) -> list[Line]:
        """One era."""
        if self.race is None:
            why = self.asked.error if self.asked is not None else ""
            return wrapped(why or "Running both …", width, "bad" if why else "dim")
        side = self.race.right if index else self.race.left
        return side_lines(side, self.race, self.moment, width)

    def parted(self, width: int, height: int) -> list[Line]:
        """Where they part, in words."""
        lines = wrapped(f"! {self.note}", width, "changed", "  ") if self.note else []
        if self.race is None:
            return lines
        for words in left_words(self.race):
            lines += wrapped(f"≠ {words}", width, "changed", "  ")
        return lines + wrapped(parted_words(self.race), width)

    def difference(self, width: int, height: int) -> list[Line]:
        """The totals."""
        return difference_lines(self.race, self.moment, width) if self.race is not None else []

    # choosing

    def action_task(self, number: int) -> None:
        """One step of a task on both sides, by its number."""
        if number <= len(self.tasks):
            self.step(self.tasks[number - 1])
        else:
            self.say(f"there is no task {number}")

    def step(self, task: str) -> None:
        """Go on with the schedule that is shown; a side that cannot leaves it, which is said."""
        if self.timer is not None:
            self.action_play()
        if self.asked is not None and not self.asked.over:
            self.wanted = (*self.wanted, task)
            self.ask()
            return
        race = self.race
        if race is None:
            return
        sides = zip((race.left, race.right), race.places(self.moment), strict=True)
        why = {
            side.era: obstacle(side, n, task)
            for side, n in sides
            if not side.left or self.moment <= side.followed
        }
        if not why:
            self.say("both sides have left the schedule: ← goes back to where they followed it")
            return
        if all(why.values()):
            self.say(f"{task} cannot take a step: {'; '.join(f'{e}: {w}' for e, w in why.items())}")
            return
        self.note = "".join(f"{task} cannot go on in {e}: {w}" for e, w in why.items() if w)
        self.wanted = (*race.shared(self.moment), task)
        self.ask()

    @on(Panel.Chosen)
    async def chosen(self, message: Panel.Chosen) -> None:
        """Do what was clicked."""
        if message.target.startswith("key:"):
            keys = {key.name: key.action for key in (*COMPARE, *ALSO)}
            await self.run_action(keys[message.target[4:]])
        elif message.target.startswith("task "):
            self.step(message.target[5:])

    def say(self, words: str) -> None:
        """Say something above where they part, until the next thing happens."""
        self.note = words
        self.again()

    # moving

    def go(self, moment: int) -> None:
        """Show another moment."""
        if self.race is not None:
            self.moment = max(0, min(moment, self.race.last))
            self.again()

    def action_on(self) -> None:
        """To the next choice, then to the next event on either side."""
        self.go(self.moment + 1)

    def action_back(self) -> None:
        """To the moment before."""
        self.go(self.moment - 1)

    def action_begin(self) -> None:
        """To the beginning."""
        self.go(0)

    def action_end(self) -> None:
        """To the end of the longer run."""
        if self.race is not None:
            self.go(self.race.last)

    def action_part(self) -> None:
        """To the first event that differs, once it is seen on both sides."""
        if self.race is not None and self.race.parted:
            self.go(self.race.parting())

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
        if self.race is None or self.moment >= self.race.last:
            self.action_play()
            return
        self.go(self.moment + 1 + self.race.last // FRAMES)

    def action_pace(self, by: int) -> None:
        """Play faster or slower."""
        self.pace = max(0, min(self.pace + by, len(PACES) - 1))
        if self.timer is not None:
            self.action_play()
            self.action_play()
