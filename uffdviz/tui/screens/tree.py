"""The tree of runs: where one is, and the runs that were left by choosing otherwise."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList
from textual.widgets.option_list import Option

from uffdviz.tui.screens.dialog import BOX, Dialog, key_line
from uffdviz.tui.session import Session

KEYS = "enter: go there   n: name it   esc: stay   (there, s saves it and y copies its token)"


class TreeScreen(Dialog[int]):
    """Gives the number of the run that was chosen; the present one is -1."""

    CSS = f"""
    TreeScreen {{ {BOX} & > Vertical {{ width: 100; }} & Input {{ display: none; }} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Stay"),
        Binding("n", "name", "Name it"),
    ]

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def compose(self) -> ComposeResult:
        """The tree, and a field for a name."""
        with Vertical() as box:
            box.border_title = "Runs"
            yield OptionList()
            yield Input(placeholder="a name for this run", compact=True)
            yield Label(key_line(KEYS, n="screen.name", esc="screen.back"))

    def on_mount(self) -> None:
        """Show where one is."""
        rows = self.session.tree()
        self.show(next(i for i, (index, *_) in enumerate(rows) if index < 0))

    def show(self, lit: int) -> None:
        """List all runs."""
        rows = self.query_one(OptionList)
        _ = rows.clear_options()
        for index, depth, words in self.session.tree():
            mark = "●" if index < 0 else "○"
            lead = "  " * (depth - 1) + "└ " if depth else ""
            _ = rows.add_option(Option(Content(f"{lead}{mark} {words}")))
        rows.highlighted = lit
        _ = rows.focus()

    def action_name(self) -> None:
        """Ask for a name."""
        field = self.query_one(Input)
        field.value = ""
        field.display = True
        _ = field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Call the lit run so."""
        event.input.display = False
        lit = self.query_one(OptionList).highlighted or 0
        self.session.call(self.session.tree()[lit][0], event.value.strip())
        self.show(lit)

    def action_back(self) -> None:
        """Close the field, or the screen."""
        field = self.query_one(Input)
        if field.display:
            field.display = False
        else:
            _ = self.dismiss(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to the run."""
        _ = self.dismiss(self.session.tree()[event.option_index][0])
