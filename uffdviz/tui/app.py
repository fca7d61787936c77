"""The application: screens, themes, keys that a person has remapped, and a clean end."""

import asyncio
import signal
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import SystemCommand
from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widgets import Input, OptionList
from textual.worker import Worker

from uffdviz.tui.in_turn import InTurn
from uffdviz.tui.keymap import read_keymap, sign
from uffdviz.tui.keys import HELP, HOME, RACE, RUN, Key
from uffdviz.tui.lectern import Lectern
from uffdviz.tui.remember import OFF, ON, remember, remembered, trouble
from uffdviz.tui.screens.layout import PANELS
from uffdviz.tui.session import Session, Shelf
from uffdviz.tui.themes import THEMES

if TYPE_CHECKING:
    from textual.actions import ActionParseResult

    from uffdviz.tui.screens.goal import Attempt
    from uffdviz.tui.screens.run import RunScreen

SIGNALS = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT)


@dataclass
class Left:
    """A run that may be left and gone on with, what was said on its page, and runs towards its goals."""

    session: Session
    attempts: "dict[tuple[int, bool], Attempt]" = field(default_factory=dict)
    answers: dict[int, int] = field(default_factory=dict)
    hints: dict[int, int] = field(default_factory=dict)


def lesson_key(name: str) -> str:
    """Under which key the run of a lesson is kept."""
    return f"lesson {name}"


class Palette(CommandPalette):
    """The command palette. Textual lets it look for commands after it was closed, and that fails."""

    def run_worker(self, *args: Any, **options: Any) -> Worker[Any]:
        """Start to look for commands; a failure is no reason to end the program."""
        return super().run_worker(*args, **{**options, "exit_on_error": False})


class UffdvizApp(InTurn):
    """Shows the start screen, or at once a session."""

    TITLE = "uffdviz"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+q", "quit", "Quit", show=False, priority=True),  # always, whatever has a key
        Binding("q", "quit", "Quit", id="quit", show=False),
        Binding("question_mark,f1", "help", "Help", id="help", show=False),
    ]
    CSS = "Toast { max-width: 70; } CommandPalette { & > Vertical { max-width: 100; } }"

    def __init__(self, shelf: Shelf, session: Session | None = None, theme: str = "dark") -> None:
        super().__init__()
        self.shelf = shelf
        self.first = session
        self.left: dict[str, Left] = {}
        self.lectern = Lectern()
        self.keys_now = read_keymap()
        self.one_run = asyncio.Lock()  # a thread has room for one guest at a time
        for one in THEMES:
            self.register_theme(one)
        kept = remembered()
        self.theme = "no-colour" if self.no_color else kept.get("theme", theme)
        if kept.get("motion") == OFF:
            self.animation_level = "none"

    def get_default_screen(self) -> Screen[None]:
        """The start screen is below all others, so that there is a way back to it."""
        from uffdviz.tui.screens.home import HomeScreen

        return HomeScreen(self.shelf)

    def on_mount(self) -> None:
        """Listen for the end; open what was asked for."""
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            try:
                loop.add_signal_handler(number, self.end, number)
            except (NotImplementedError, RuntimeError, ValueError):
                break  # not in the main thread, or not on this system
        self.screen_change_signal.subscribe(self, lambda _: self.still_fields())
        self.call_after_refresh(self.remap)
        self.call_after_refresh(self.complain)
        if self.first is not None:
            self.open(self.first)

    def complain(self) -> None:
        """Say what is wrong with the file of what is remembered, if something is."""
        if words := trouble():
            self.notify(words, title="cannot use all that was remembered", severity="warning")

    def remap(self) -> None:
        """Take over the keys of `keys.toml` in the folder for preferences: `step = "l"`."""
        for words in self.keys_now.trouble:
            self.notify(words, title="cannot use all the keys", severity="warning")
        self.set_keymap({name: ",".join(keys) for name, keys in self.keys_now.chosen.items()})

    def on_unmount(self) -> None:
        """Give the signals back, and end a lecture."""
        self.lectern.close()
        loop = asyncio.get_running_loop()
        for number in SIGNALS:
            try:
                loop.remove_signal_handler(number)
            except (NotImplementedError, RuntimeError, ValueError):
                break

    def end(self, number: int) -> None:
        """Quit because of a signal, with the status that a shell gives it."""
        self.exit(return_code=128 + number)

    def open(self, session: Session, key: str = "") -> None:
        """Show a session, and keep it under a key for as long as the program runs."""
        if not key and session.lesson is not None:
            key = lesson_key(session.lesson.name)
        left = Left(session)
        if key:
            self.left[key] = left
        self.show(left)

    def show(self, left: "Left", note: str = "") -> None:
        """Show a session with what was said to it."""
        from uffdviz.tui.screens.asking import AskingScreen
        from uffdviz.tui.screens.lesson import LessonScreen

        session = left.session
        lesson = session.lesson
        guide = self.shelf.guide(lesson.path) if lesson is not None else None
        screen = (
            AskingScreen(session, self.shelf, self.one_run)
            if guide is None
            else LessonScreen(session, self.shelf, self.one_run, guide)
        )
        screen.answers, screen.hints, screen.note = left.answers, left.hints, note
        if isinstance(screen, LessonScreen):
            screen.attempts = left.attempts
        _ = self.push_screen(screen)

    def go_on(self, key: str) -> bool:
        """Show a session again that was left. Returns: whether there is one."""
        from uffdviz.tui.screens.goal import AGAIN

        if left := self.left.get(key):
            self.show(left, AGAIN if left.session.n else "")
        return left is not None

    def replace(self, session: Session) -> None:
        """Show a session in place of the one that is shown."""
        _ = self.pop_screen()
        self.open(session)

    def open_next(self, name: str) -> None:
        """Go from a lesson that is done to the next one."""
        key = lesson_key(name)
        session = None if key in self.left else self.shelf.open_lesson(name)
        _ = self.pop_screen()
        if session is None:
            _ = self.go_on(key)
        else:
            self.open(session, key)

    async def run_action(
        self,
        action: "str | ActionParseResult",
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Do what a key is for, once the screen that an earlier key has opened is there.

        Keys that come together (a fast hand, a script) are taken one after the other.
        Returns: whether something was done.
        """
        self.meant = True
        await self.until_there()
        if "page_" in str(action) and not all(map(has_pages, self.screen.query(OptionList))):
            return True
        return await super().run_action(action, default_namespace, namespaces)

    def unknown(self, key: str) -> None:
        """Say that a key does nothing, unless a question is open: that says which keys it takes."""
        say = getattr(self.screen, "say", None)
        if say is not None and not self.screen.is_modal:
            helps = self.keys_now.now(HELP, (HELP,)).shown
            say(f"{sign(key)} does nothing here: {helps} says which keys do something")

    def action_command_palette(self) -> None:
        """Show every command there is."""
        if not isinstance(self.screen, CommandPalette):
            _ = self.push_screen(Palette())  # no id: the one before may be on its way out

    def action_home(self) -> None:
        """Back to the start screen."""
        if len(self.screen_stack) > 1:
            _ = self.pop_screen()

    def action_help(self) -> None:
        """Show what every key does on the screen that is shown."""
        from uffdviz.tui.screens.help import RUNNING, HelpScreen

        about = getattr(self.screen, "ABOUT", RUNNING)
        _ = self.push_screen(HelpScreen(self.keys_now.said(about)))

    def action_dress(self, theme: str) -> None:
        """Change how everything looks, also the next time."""
        self.theme = theme
        remember("theme", value=theme)

    def action_motion(self) -> None:
        """Let things move, or not, also the next time: scrolling in jumps, no blinking, no spinner."""
        moving = self.animation_level == "none"
        self.animation_level = "full" if moving else "none"
        remember("motion", value=ON if moving else OFF)
        self.still_fields()
        self.notify(f"motion is {ON if moving else OFF}")

    def still_fields(self) -> None:
        """A cursor blinks only where things may move."""
        blink = self.animation_level != "none"

        def still() -> None:
            for one in self.screen.query(Input):
                one.cursor_blink = blink

        self.call_after_refresh(still)

    def _command(self, screen: Screen[Any], action: str) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            await screen.run_action(action)

        return run

    def table(self, screen: Screen[Any]) -> tuple[Key, ...]:
        """The keys of a screen."""
        from uffdviz.tui.screens.home import HomeScreen
        from uffdviz.tui.screens.race import RaceScreen
        from uffdviz.tui.screens.run import RunScreen

        tables = ((RunScreen, RUN), (HomeScreen, HOME), (RaceScreen, RACE))
        keys = next((keys for kind, keys in tables if isinstance(screen, kind)), ())
        return tuple(self.keys_now.now(key, keys) for key in keys)

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """Every command there is, by the words of the key table."""
        from uffdviz.tui.screens.run import RunScreen

        if isinstance(screen, CommandPalette):
            return
        for key in self.table(screen):
            if key.name not in {"task", "quit", "help", "motion"}:
                words = f"{key.what}  ({key.shown})"
                yield SystemCommand(words, key.short or key.name, self._command(screen, key.action))
        if isinstance(screen, RunScreen):
            yield from self._run_commands(screen)
        for theme in THEMES:
            command = self._command(screen, f"app.dress({theme.name!r})")
            yield SystemCommand(f"Theme: {theme.name}", "how it looks", command)
        motion = ON if self.animation_level == "none" else OFF
        yield SystemCommand(f"Motion {motion}", "smooth scrolling, blinking", self.action_motion)
        yield SystemCommand("Help", "what every key does (?)", self.action_help)
        yield SystemCommand("Quit", "leave uffdviz (ctrl+q)", self.action_quit)

    def _run_commands(self, screen: "RunScreen") -> Iterable[SystemCommand]:
        for number, name in enumerate(screen.session.tasks, 1):
            command = self._command(screen, f"task_named({name!r})")
            yield SystemCommand(f"Step {name}", f"task {number}", command)
        for panel in PANELS:
            command = self._command(screen, f"bring({panel!r})")
            yield SystemCommand(f"Show {panel}", "to the front, or into focus", command)
        for panel in sorted({*PANELS} - screen.hidden - {"now"}):
            command = self._command(screen, f"hide({panel!r})")
            yield SystemCommand(f"Hide {panel}", "until it is shown again (U)", command)


def has_pages(rows: OptionList) -> bool:
    """Whether a list has room for a row; its pages are known from now on, drawn or not.

    Textual counts them when it draws, and fails if somebody turns a page before.
    """
    rows.scroll_to_highlight()
    return bool(rows.scrollable_content_region)


def run(shelf: Shelf, session: Session | None = None) -> int:
    """Run the application. Returns: the exit status."""
    app = UffdvizApp(shelf, session)
    app.run()
    return app.return_code or 0
