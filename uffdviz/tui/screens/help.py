"""What every key does, and what the signs on the screen mean."""

from typing import ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from uffdviz.tui.keys import MOUSE, PALETTE, RUN, Help
from uffdviz.tui.render.line import Line, Span, line, wrapped
from uffdviz.tui.screens.dialog import Dialog
from uffdviz.tui.widgets.panel import Panel

SIGNS = (
    ("● ready", "can take a step now"),
    ("■ BLOCKED", "waits for a lock; the line says which, behind whom, and its place in the queue"),
    ("z asleep", "sleeps until another task wakes it (for userfaultfd, until a fault is resolved)"),
    ("✓ done", "has made all its calls"),
    ("R gc  W app", "gc holds the lock for reading; app holds it for writing"),
    ("queue gc(r), ui(w)", "who waits, first come first: gc to read, then ui to write"),
    ("seq 5 ≠ 6", "the mapping's own number and mm_lock_seq; equal means locked for writing"),
    ("*", "what the last step touched or changed"),
    ("▸1", "the line that task 1 runs next"),
    ("■ □ · 0 s x w", "pages: present, write-protected, none, zero, swapped, poisoned, wp marker"),
)


RUNNING: Final[Help] = (
    "You are the scheduler: say which task takes the next step.",
    (
        ("Keys", tuple((key.shown, key.what) for key in (*RUN, PALETTE))),
        ("Mouse", MOUSE),
        ("Signs", SIGNS),
    ),
)


class HelpText(Panel):
    """The text of the help."""

    def __init__(self, said: Help) -> None:
        super().__init__()
        self.said = said

    def on_resize(self) -> None:
        """Draw for the width."""
        self.lines = help_lines(self.scrollable_content_region.width, self.said)
        self.virtual_size = self.size.with_height(len(self.lines))
        self.refresh()


class HelpScreen(Dialog[None]):
    """Help on top of whatever is shown, and about that."""

    CSS = """
    HelpScreen { align: center middle; }
    HelpText { width: 90; max-width: 100%; height: 90%; border: solid $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,f1", "back", "Close")]

    def __init__(self, said: Help = RUNNING) -> None:
        super().__init__()
        self.said = said

    def compose(self) -> ComposeResult:
        """One panel."""
        text = HelpText(self.said)
        text.border_title = "Help"
        text.border_subtitle = "esc closes, arrows scroll"
        yield text


def help_lines(width: int, said: Help = RUNNING) -> list[Line]:
    """A sentence, then keys, mouse and signs."""
    about, tables = said
    lines = wrapped(about, width, "strong")
    for title, table in tables:
        lines += [line(), line(Span(title, "changed"))]
        room = max(len(left) for left, _ in table) + 2
        for left, right in table:
            first, *rest = wrapped(right, width - room - 1)
            lines.append(line(Span(f" {left:<{room}}", "key"), *first))
            lines += [line(Span(" " * (room + 1)), *one) for one in rest]
    return lines
