"""A cost or a count takes several values: the runs are done beside the screen, and plotted."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen

from uffdviz.tui.beside import Beside
from uffdviz.tui.keys import QUIT, Help
from uffdviz.tui.render.line import Line, Span, columns, line, wrapped
from uffdviz.tui.render.plot import plot_lines, table_lines
from uffdviz.tui.screens.prompt import PromptScreen
from uffdviz.tui.tools import Series, Workload
from uffdviz.tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp

KEYS = " s stop   v vary something else   ↑↓ the table   esc back   {quit} quit"
HELP_KEYS = (
    ("s", "Stop, and keep what is known"),
    ("v", "Vary something else: NAME=A..B"),
    ("↑ ↓", "Scroll the table"),
    ("esc", "Back"),
)
SIGNS = (("o", "the left kernel"), ("x", "the right kernel"), ("*", "both at the same place"))
ASK = "Vary a cost or a count, NAME=A..B: such as wake_latency=5000..40000, cpus=1..8"


def ask(app: App[Any], workload: Workload) -> None:
    """Ask what to vary, and show it; what is wrong with the answer is said, and asked again."""

    def go(text: str | None) -> None:
        if text:
            _ = app.push_screen(SweepScreen(workload, workload.sweep(text)))

    _ = app.push_screen(PromptScreen(ASK, workload.sweep), go)


class SweepScreen(Screen[None]):
    """A plot, and below it the same as a table."""

    ABOUT: ClassVar[Help] = (
        "Two kernels, with one cost or count at several values: wall clock, and how they relate.",
        (("Keys", HELP_KEYS), ("Signs", SIGNS)),
    )

    CSS = """
    SweepScreen { layout: vertical; }
    SweepScreen .bar { border: none; height: 1; background: $panel; }
    SweepScreen #plot { height: 2fr; min-height: 10; }
    SweepScreen #table { height: 1fr; min-height: 4; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "app.pop_screen", "Back"),
        Binding("s", "stop", "Stop"),
        Binding("v", "vary", "Vary something else"),
    ]

    def __init__(self, workload: Workload, series: Series) -> None:
        super().__init__()
        self.workload = workload
        self.series = series
        self.note = ""
        self.asked: Beside[Mapping[str, Any]] | None = None

    def keys(self, width: int, height: int) -> list[Line]:
        """The keys of this screen."""
        keymap = cast("UffdvizApp", self.app).keys_now
        return [line(KEYS.format(quit=keymap.now(QUIT, (QUIT,)).shown)[:width])]

    def compose(self) -> ComposeResult:
        """A line above, the plot, the table, keys."""
        header, keys = Sheet(self.header), Sheet(self.keys)
        for bar in (header, keys):
            bar.add_class("bar")
            bar.can_focus = False
        yield header
        yield Sheet(self.plot, id="plot")
        yield Sheet(lambda width, _: table_lines(self.series.so_far, width), id="table")
        yield keys

    def on_mount(self) -> None:
        """Do the runs."""
        self.query_one("#plot").border_title = "Wall clock"
        self.query_one("#table").border_title = "The same in numbers"
        self.query_one("#table").focus()
        self.asked = Beside(self.series.run, self.told)

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        if self.asked is not None:
            self.asked.leave()

    def told(self, asked: Beside[Mapping[str, Any]]) -> None:
        """A run is over, or has come further."""
        if self.is_attached:
            self.again()

    def again(self) -> None:
        """Draw what is so now."""
        for sheet in self.query(Sheet):
            sheet.again()

    def header(self, width: int, height: int) -> list[Line]:
        """The title, what varies, how far it is."""
        varied = self.series.so_far["sweep"]
        values = varied["values"]
        left = line(
            Span(f" {self.workload.title}", "strong"),
            Span(f"  {varied['name']}={values[0]}..{values[-1]}", "changed"),
        )
        return [columns(left, line(f"{self.note or self.progress()} "), width)]

    def progress(self) -> str:
        """How many runs are done."""
        series, asked = self.series, self.asked
        done = f"{series.done} of {series.runs} runs"
        if asked is None or not asked.over:
            steps = f" … {asked.states:,} steps" if asked is not None else ""
            return f"{done}{steps}, s stops"
        return done if series.done == series.runs else f"stopped after {done}"

    def plot(self, width: int, height: int) -> list[Line]:
        """The plot of what is known."""
        if self.asked is not None and self.asked.error:
            return wrapped(self.asked.error, width, "bad")
        return plot_lines(self.series.so_far, width, height, cost=self.series.is_cost)

    def action_stop(self) -> None:
        """Stop; what is known stays."""
        if self.asked is not None:
            self.asked.stop()

    def action_vary(self) -> None:
        """Ask for another sweep."""
        ask(self.app, self.workload)

    def say(self, words: str) -> None:
        """Say something in the line above."""
        self.note = words
        self.again()
        self.note = ""
