"""What lies on top of a screen and asks or tells something: its frame, its keys, its end."""

from typing import ClassVar, TypeVar

from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen

Answer = TypeVar("Answer")

BOX = """
    align: center middle;
    & > Vertical {
        width: 76; max-width: 95%; height: auto; max-height: 90%;
        border: solid $accent; background: $surface; padding: 0 1;
    }
    & OptionList { height: auto; max-height: 16; border: none; padding: 0; background: $surface; }
"""


def key_line(words: str, **actions: str) -> Content:
    """Keys and what they do, three spaces apart; `actions` says, by key, what a click does."""
    parts = [
        Content.from_markup(f"[@click={action}]$part[/]", part=part) if action else Content(part)
        for part in words.split("   ")
        for action in [actions.get(part.partition(":")[0], "")]
    ]
    return Content("   ").join(parts)


class Dialog(ModalScreen[Answer]):
    """Is answered once, and only while nothing else lies on top of it.

    Keys may come faster than they are dealt with: the second of two quick Enters is not for the
    screen below. The key that quits closes it, unless a field takes it for a letter.
    """

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "back", "Close", id="quit", show=False)]

    def action_back(self) -> None:
        """Close it without an answer."""
        _ = self.dismiss(None)

    def dismiss(self, result: Answer | None = None) -> AwaitComplete:
        """Go away, and give the answer."""
        on_top = self.app.screen is self  # is_current is true below another dialog too
        return super().dismiss(result) if on_top else AwaitComplete()
