"""What can go wrong from here: the search runs beside the screen; its findings can be stepped into."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Label, OptionList, Static
from textual.widgets.option_list import Option

from uffdviz.trace.ahead_words import Ahead, Found, finding_words, found_words, way_words
from uffdviz.tui.beside import Beside
from uffdviz.tui.screens.dialog import BOX, Dialog, key_line
from uffdviz.tui.tools import Tick, Tools

KEYS = "enter: step into it   w: show me one where …   s: stop   esc: back"
ASK = "Show me one where … for example: gc waits for mmap_lock to read"


class ExploreScreen(Dialog[Sequence[str]]):
    """Gives the choices that lead to the finding that was chosen, or nothing."""

    CSS = f"""
    ExploreScreen {{ {BOX} & > Vertical {{ width: 100; }} & #where {{ display: none; }}
        & OptionList {{ min-height: 3; }} }}
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "back", "Back"),
        Binding("s", "stop", "Stop"),
        Binding("w", "where", "Show me one where …"),
    ]

    def __init__(self, tools: Tools) -> None:
        super().__init__()
        self.tools = tools
        self.found: list[Ahead] = []
        self.search: Beside[Found] | None = None
        self.asked = ""

    def compose(self) -> ComposeResult:
        """How far the search is, what it found, a field for a landmark."""
        with Vertical() as box:
            box.border_title = "What can go wrong from here"
            yield Static(id="progress")
            yield OptionList()
            yield Input(placeholder=ASK, compact=True, id="where")
            actions = {"w": "screen.where", "s": "screen.stop", "esc": "screen.back"}
            yield Label(key_line(KEYS, **actions))

    def on_mount(self) -> None:
        """Begin to search."""
        self.begin(self.tools.ahead)

    def on_unmount(self) -> None:
        """Leave no thread behind."""
        if self.search is not None:
            self.search.leave()

    def begin(self, question: Callable[[Tick], Found], asked: str = "") -> None:
        """Search for something, after a landmark if one is `asked` for."""
        before = self.search
        if before is not None:
            on_its_way = not before.over
            before.leave()
            if on_its_way and before.answer is not None:
                self.show(before.answer)
        self.asked = asked
        self.say(self.progress(0))
        self.search = Beside(question, self.told)

    def progress(self, states: int) -> str:
        """How far a search is, and how to end it."""
        what = f"Searching for a way to “{self.asked}”" if self.asked else "Searching every order"
        return f"{what} … {states:,} states   (s stops it)"

    def say(self, words: str) -> None:
        """Say how far it is."""
        self.query_one("#progress", Static).update(Content(words))

    def told(self, search: Beside[Found]) -> None:
        """The search has come further, or to an end."""
        if not self.is_attached:
            return
        if not search.over:
            self.say(self.progress(search.states))
            return
        found = search.answer
        if found is None:
            self.say(search.error or "the search failed")
            return
        self.say(way_words(found, self.asked) if self.asked else found_words(found))
        self.show(found)

    def show(self, found: Found) -> None:
        """List what was found, the newest first."""
        self.found = [*found.ahead, *self.found]
        rows = self.query_one(OptionList)
        _ = rows.clear_options()
        for ahead in self.found:
            _ = rows.add_option(Option(Content("\n    ".join(finding_words(ahead)))))
        if self.found:
            rows.highlighted = 0
            _ = rows.focus()

    def action_stop(self) -> None:
        """Stop, and say what is known so far."""
        if self.search is not None and not self.search.over:
            self.search.stop()

    def action_where(self) -> None:
        """Ask for a landmark."""
        field = self.query_one("#where", Input)
        field.display = True
        _ = field.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Search for the landmark."""
        asked = event.value.strip()
        event.input.display = False
        if asked:
            self.begin(lambda tick: self.tools.find(asked, tick), asked)

    def action_back(self) -> None:
        """Close the field, or the screen."""
        field = self.query_one("#where", Input)
        if field.display:
            field.display = False
        else:
            _ = self.dismiss(None)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Step into the row."""
        _ = self.dismiss(tuple(self.found[event.option_index].choices))
