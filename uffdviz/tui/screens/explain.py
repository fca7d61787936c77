"""A word in a paragraph with its source: a lock, a function, a step, a result."""

from collections.abc import Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from uffdviz.errors import UffdvizError
from uffdviz.tui.render.line import Line, Span, line, wrapped
from uffdviz.tui.screens.dialog import Dialog
from uffdviz.tui.tools import Tools
from uffdviz.tui.widgets.sheet import Sheet


class ExplainScreen(Dialog[None]):
    """Explains the words that fit where one is, or another that is typed."""

    CSS = """
    ExplainScreen { align: center middle; }
    ExplainScreen Sheet { width: 90; max-width: 100%; height: 70%; border: solid $accent; }
    ExplainScreen Input { width: 90; max-width: 100%; display: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,i", "back", "Close"),
        Binding("slash", "ask", "Another word"),
    ]

    def __init__(self, tools: Tools, words: Sequence[str]) -> None:
        super().__init__()
        self.tools = tools
        self.words = words

    def compose(self) -> ComposeResult:
        """A sheet, and a field for another word."""
        sheet = Sheet(self.lines)
        sheet.border_title = "What this is"
        sheet.border_subtitle = "/ another word   esc closes, arrows scroll"
        yield sheet
        yield Input(placeholder="a lock, an errno, a kernel function, a step such as B3")

    def lines(self, width: int, height: int) -> list[Line]:
        """Every word that is known, with its paragraph."""
        lines: list[Line] = []
        for word in self.words:
            lines += explained(self.tools, word, width, alone=len(self.words) == 1)
        return lines or [line(Span("nothing here has an explanation; / asks for another", "dim"))]

    def action_ask(self) -> None:
        """Ask for another word."""
        field = self.query_one(Input)
        field.display = True
        _ = field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Explain it."""
        if event.value.strip():
            self.words = [event.value.strip()]
        event.input.display = False
        self.query_one(Sheet).again()
        _ = self.query_one(Sheet).focus()

    def action_back(self) -> None:
        """Close the field, or the screen."""
        field = self.query_one(Input)
        if field.display:
            field.display = False
        else:
            _ = self.dismiss()


def explained(tools: Tools, word: str, width: int, *, alone: bool) -> Iterator[Line]:
    """A word's paragraphs; what is not known is said only if nothing else was asked for."""
    try:
        found = tools.explain(word)
    except UffdvizError as error:
        if alone:
            yield from wrapped(str(error), width, "bad")
        return
    for name, text, source in found[: 3 if alone else 1]:
        yield line(Span(name, "strong"))
        yield from wrapped(text, width)
        yield from wrapped(source, width, "dim")
        yield line()
