"""Small questions on top of a screen: a line of text, one of several rows."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList

from uffdviz.errors import UffdvizError
from uffdviz.tui.screens.dialog import BOX, Dialog, key_line


class PromptScreen(Dialog[str]):
    """Asks for a line of text; escape gives nothing.

    What `read` refuses is said where the question stood, and asked again.
    """

    CSS = f"PromptScreen {{ {BOX} & #question {{ width: 100%; height: auto; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Cancel")]

    def __init__(self, question: str, read: Callable[[str], object] = str) -> None:
        super().__init__()
        self.question = question
        self.read = read

    def compose(self) -> ComposeResult:
        """The question and a field."""
        with Vertical():
            yield Label(Content(self.question), id="question")
            yield Input(compact=True)
            yield Label(key_line("enter: go   esc: cancel", esc="screen.dismiss"))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Give the answer."""
        answer = event.value.strip()
        try:
            _ = self.read(answer) if answer else None
        except UffdvizError as error:
            self.query_one("#question", Label).update(Content(str(error)))
            event.input.value = ""
            return
        _ = self.dismiss(answer)


class ListScreen(Dialog[int]):
    """Asks for one of several rows; escape gives none."""

    CSS = f"ListScreen {{ {BOX} }}"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", "Cancel")]

    def __init__(self, question: str, rows: Sequence[str]) -> None:
        super().__init__()
        self.question = question
        self.rows = rows

    def compose(self) -> ComposeResult:
        """The question and the rows."""
        with Vertical():
            yield Label(Content(self.question))
            yield OptionList(*(Content(row) for row in self.rows))
            yield Label(key_line("enter: choose   esc: cancel", esc="screen.dismiss"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Give the number of the row."""
        _ = self.dismiss(event.option_index)
