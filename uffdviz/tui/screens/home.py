"""The start screen: the course by chapter, the sandbox, recordings."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final, cast

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.screen import Screen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from uffdviz.errors import UffdvizError
from uffdviz.tui.keys import HELP, HOME, PALETTE, QUIT, Help, Key
from uffdviz.tui.render.keys import key_bar
from uffdviz.tui.render.line import Line
from uffdviz.tui.session import Entry, Session, Shelf
from uffdviz.tui.tools import Workload
from uffdviz.tui.widgets.panel import Panel
from uffdviz.tui.widgets.sheet import Sheet

if TYPE_CHECKING:
    from uffdviz.tui.app import UffdvizApp

WELCOME = """You are the scheduler of Linux userfaultfd.

Each task makes system calls; you say which of them takes the next step, see who holds and who \
queues on every lock, go back, and try the other order.

Begin with the first lesson, or take a scenario of the sandbox and do with it what you like."""
CHOOSE: Final = Key("choose", "", "↑↓", "", "choose", "Choose a lesson, a scenario or a recording")
OPEN: Final = Key("open", "", "enter", "open_lit", "open", "Open it")
ERA: Final = Key("era", "", "e", "era", "kernel", "Open a scenario under another kernel")
SEARCH: Final = Key("find", "", "/", "search", "search", "Search in titles")
TOKEN: Final = Key("paste", "", "t", "token", "token", "Open a token that somebody has passed on")
KEYS: Final = (CHOOSE, OPEN, ERA, *HOME, SEARCH, HELP, PALETTE, QUIT, TOKEN)
"""The line below."""

HELP_KEYS = (
    *((key.shown, key.what) for key in (CHOOSE, OPEN, ERA, *HOME, SEARCH, TOKEN)),
    (HELP.shown, HELP.what),
    ("^p", "All commands, and how everything looks"),
    (QUIT.shown, QUIT.what),
)
HELP_MOUSE = (
    ("click a row", "Open it"),
    ("click a key below", "The same as pressing it"),
    ("wheel", "Scroll the list"),
)


class HomeScreen(Screen[None]):
    """A list, and beside it what the lit row is about."""

    ABOUT: ClassVar[Help] = (
        "The course, every scenario to play with, and the runs that you saved.",
        (("Keys", HELP_KEYS), ("Mouse", HELP_MOUSE)),
    )

    DEFAULT_CSS = """
    #home-title { width: 100%; height: 1; background: $panel; text-style: bold; }
    #home-keys { width: 100%; height: 1; background: $panel; border: none; }
    #choice { width: 3fr; height: 100%; border: solid $panel-lighten-2; background: $background;
              text-wrap: nowrap; text-overflow: ellipsis; }
    #choice:focus { border: solid $accent; }
    #about { width: 2fr; height: 100%; border: solid $panel-lighten-2; padding: 0 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "era", "Open under another kernel", show=False),
        Binding("slash", "search", "Search", show=False),
        Binding("t", "token", "Open a token", show=False),
        *(Binding(key.keys, key.action, key.what, id=key.name, show=False) for key in HOME),
    ]

    def __init__(self, shelf: Shelf) -> None:
        super().__init__()
        self.shelf = shelf
        self.entries: dict[str, Entry] = {}

    def compose(self) -> ComposeResult:
        """Title, list, text, keys."""
        yield Static(
            Content(" uffdviz   schedule the kernel locking of userfaultfd yourself"),
            id="home-title",
        )
        with Horizontal():
            yield OptionList(id="choice")
            yield Static(Content(WELCOME), id="about")
        keys = Sheet(self.keys, id="home-keys")
        keys.can_focus = False
        yield keys

    def keys(self, width: int, height: int) -> list[Line]:
        """The keys of this screen, as they are now, as many as there is room for; a click presses one."""
        keymap = cast("UffdvizApp", self.app).keys_now
        screen = (*HOME, HELP, QUIT)
        return [key_bar([keymap.now(key, screen) for key in KEYS], width)]

    @on(Panel.Chosen)
    async def chosen(self, message: Panel.Chosen) -> None:
        """Do what the key is for that was clicked."""
        action = {key.name: key.action for key in KEYS}[message.target.removeprefix("key:")]
        await self.run_action(f"app.{action}" if action == PALETTE.action else action)

    def say(self, words: str) -> None:
        """Say something in place of what was said before."""
        self.app.clear_notifications()
        self.notify(words)

    def action_open_lit(self) -> None:
        """Open the row that is lit."""
        self.query_one(OptionList).action_select()

    def on_mount(self) -> None:
        """Paint first, read the course then."""
        self.query_one(OptionList).border_title = "Course and sandbox"
        self.call_after_refresh(self.fill)

    def on_screen_resume(self) -> None:
        """Recordings may have come, lessons may be done."""
        if self.entries:
            self.fill()

    def fill(self) -> None:
        """Read what there is."""
        choice = self.query_one(OptionList)
        lit = choice.highlighted
        choice.clear_options()
        self.entries.clear()
        choice.add_options(self._options())
        rows = choice.option_count
        choice.highlighted = (
            lit
            if lit is not None and lit < rows
            else next(
                (row for row in range(rows) if not choice.get_option_at_index(row).disabled), None
            )
        )
        choice.focus()

    def _options(self) -> Iterator[Option]:
        chapter = ""
        for entry in self._read("lesson", self.shelf.lessons):
            if entry.chapter != chapter:
                chapter = entry.chapter
                yield Option(Content.styled(chapter, "bold"), disabled=True)
            yield self._option("lesson", entry)
        yield Option(
            Content.styled("Sandbox: every scenario, without a lesson", "bold"), disabled=True
        )
        for entry in self._read("scenario", self.shelf.scenarios):
            yield self._option("scenario", entry)
        recordings = self._read("recording", self.shelf.recordings)
        if recordings:
            yield Option(Content.styled("Recordings", "bold"), disabled=True)
        for entry in recordings:
            yield self._option("recording", entry)

    def _read(self, kind: str, read: object) -> Sequence[Entry]:
        try:
            return cast("Sequence[Entry]", read())  # type: ignore[operator]
        except UffdvizError as error:
            self.notify(str(error), title=f"cannot read every {kind}", severity="error")
            return ()

    def _option(self, kind: str, entry: Entry) -> Option:
        key = f"{kind} {entry.name}"
        self.entries[key] = entry
        mark = "✓" if entry.done else " "
        words = f"{entry.name:<28} {entry.title}" if kind == "scenario" else entry.title
        return Option(Content(f" {mark} {words}"), id=key)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Say what the lit row is about."""
        entry = self.entries.get(event.option.id or "")
        if entry is not None:
            text = f"{entry.title}\n\n{entry.about}".strip()
            self.query_one("#about", Static).update(Content(f"{text}\n\n\n{WELCOME}"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the chosen row."""
        kind, _, name = (event.option.id or "").partition(" ")
        self.open(kind, name)

    def open(self, kind: str, name: str, era: str = "") -> None:
        """Open a lesson, a scenario or a recording, or say why it cannot be opened.

        One that was left goes on where it was.
        """
        app = cast("UffdvizApp", self.app)
        key = f"{kind} {name} {era}".strip()
        if app.go_on(key):
            return
        try:
            session: Session
            match kind:
                case "lesson":
                    session = self.shelf.open_lesson(name)
                case "scenario":
                    session = self.shelf.open_scenario(name, era)
                case _:
                    session = self.shelf.open_recording(name)
        except UffdvizError as error:
            self.notify(str(error), title="cannot open it", severity="error")
            return
        app.open(session, key)

    def action_era(self) -> None:
        """Open the lit scenario under a kernel that is asked for."""
        from uffdviz.tui.screens.prompt import ListScreen

        kind, name = self.lit()
        if kind != "scenario":
            self.notify("a lesson or a recording has its own kernel; choose a scenario")
            return
        eras = list(self.shelf.eras())

        def go(index: int | None) -> None:
            if index is not None:
                self.open(kind, name, eras[index])

        _ = self.app.push_screen(ListScreen(f"{name} under which kernel?", eras), go)

    def lit(self) -> tuple[str, str]:
        """What kind of row is lit, and by which name it is opened."""
        option = self.query_one(OptionList).highlighted_option
        kind, _, name = ((option.id if option else "") or "").partition(" ")
        return kind, name

    def workload(self) -> Workload | None:
        """The lit scenario under two kernels, or nothing, and why is said."""
        kind, name = self.lit()
        if kind != "scenario":
            self.notify("only a scenario can be raced or varied; choose one of the sandbox")
            return None
        try:
            return self.shelf.workload(name)
        except UffdvizError as error:
            self.notify(str(error), title="cannot race", severity="error")
            return None

    def action_race(self) -> None:
        """Let two kernels race through the lit scenario."""
        from uffdviz.tui.screens.race import RaceScreen

        _, name = self.lit()
        workload = self.workload()
        if workload is not None:
            again = partial(self.shelf.workload, name)
            _ = self.app.push_screen(RaceScreen(workload, self.shelf.eras(), again))

    def action_vary(self) -> None:
        """Vary a cost or a count of the lit scenario."""
        from uffdviz.tui.screens.sweep import ask

        workload = self.workload()
        if workload is not None:
            ask(self.app, workload)

    def action_token(self) -> None:
        """Open a run that somebody passed on as a token."""
        from uffdviz.tui.screens.prompt import PromptScreen

        def go(token: str | None) -> None:
            if token:
                self.open("recording", token)

        _ = self.app.push_screen(PromptScreen("Paste the token of a run (uv1. …)"), go)

    def next_called(self, words: str) -> str:
        """The next row from the lit one on that has some words; one of just that name comes first."""
        kind, name = self.lit()
        keys = list(self.entries)
        lit = f"{kind} {name}"
        at = keys.index(lit) + 1 if lit in keys else 0
        order = [*keys[at:], *keys[:at]]
        called = [key for key in order if key.partition(" ")[2] == words and key != lit]
        has = [k for k in order if words.lower() in f"{self.entries[k].title} {k}".lower()]
        return next(iter([*called, *has]), "")

    def action_search(self) -> None:
        """Go to the next row that contains some words."""
        from uffdviz.tui.screens.prompt import PromptScreen

        def go(words: str | None) -> None:
            if not words:
                return
            found = self.next_called(words)
            if found:
                choice = self.query_one(OptionList)
                choice.highlighted = choice.get_option_index(found)
            else:
                self.notify(f"nothing here is called {words!r}")

        _ = self.app.push_screen(PromptScreen("Search in titles"), go)
