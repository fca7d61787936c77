"""A question of a lesson, asked before its answer can be seen."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Label, OptionList, Static

from uffdviz.course.schema import Predict
from uffdviz.tui.screens.dialog import BOX, Dialog, key_line


class PredictScreen(Dialog[int]):
    """Gives the number of the choice from 1, or nothing if it was skipped."""

    CSS = f"PredictScreen {{ {BOX} & Static {{ margin-bottom: 1; }} }}"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Skip"),
        *(Binding(str(d), f"choose({d})", show=False) for d in range(1, 10)),
    ]

    def __init__(self, block: Predict) -> None:
        super().__init__()
        self.block = block

    def compose(self) -> ComposeResult:
        """The question and its choices."""
        with Vertical() as box:
            box.border_title = "Before you go on"
            yield Static(Content(self.block.ask))
            rows = enumerate(self.block.choices, 1)
            yield OptionList(*(Content(f"{number}  {words}") for number, words in rows))
            yield Label(key_line("1-9 or enter: answer   esc: skip", esc="screen.dismiss"))

    def action_choose(self, number: int) -> None:
        """Answer by number."""
        if number <= len(self.block.choices):
            _ = self.dismiss(number)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Answer with the row that is lit."""
        _ = self.dismiss(event.option_index + 1)
