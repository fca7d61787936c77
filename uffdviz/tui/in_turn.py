"""Keys that come faster than they are dealt with: each waits until the one before is through.

A key goes to the widget in focus, from there up to the screen and back to the application. A key
that came meanwhile would set out from a dialog that the one before is about to close, or overtake
it: two quick keys, and the second is lost or ends what lies below.
"""

import asyncio
from collections import deque

from textual.app import App
from textual.events import Event, Key
from textual.message import Message
from textual.widget import Widget

from uffdviz.tui.keymap import ALWAYS


class Through(Message, bubble=True):
    """Follows a key on its way: where it has come, the key has been."""

    def __init__(self, key: Key) -> None:
        super().__init__()
        self.key = key


class InTurn(App[None]):
    """Deals with one key at a time."""

    def __init__(self) -> None:
        super().__init__()
        self.held: deque[Key] = deque()
        self.under_way: Key | None = None
        self.setting_out: Widget | None = None
        self.meant = False

    async def on_event(self, event: Event) -> None:
        """Hold a key back while another one is on its way; the key that always quits overtakes."""
        if not isinstance(event, Key):
            await super().on_event(event)
        elif event.is_forwarded:
            self.meant = False
            await super().on_event(event)
            if not self.meant:
                self.unknown(event.key)
            if event is self.under_way:
                await self.next_key()
        elif event.key == ALWAYS:
            await super().on_event(event)
        else:
            self.held.append(event)
            if self.under_way is None or self.setting_out is None or self.is_lost(self.setting_out):
                await self.next_key()

    def unknown(self, key: str) -> None:
        """Say that a key that came back has no meaning where one is."""

    def is_lost(self, widget: Widget) -> bool:
        """Whether a widget has gone, and the key with it."""
        return not widget.is_attached or widget.screen not in self.screen_stack

    async def next_key(self) -> None:
        """Deal with the keys that were held, until one of them has set out."""
        self.under_way = None
        while self.held and self.under_way is None:
            key = self.held.popleft()
            await self.until_there()
            widget = self.focused or self.screen
            await super().on_event(key)
            if key.is_forwarded and widget.post_message(Through(key)):
                self.under_way, self.setting_out = key, widget

    async def until_there(self) -> None:
        """Wait for the screen that an earlier key has opened."""
        while self.screen.is_attached and not self.screen.is_mounted:  # noqa: ASYNC110  no public event
            await asyncio.sleep(0)

    async def on_through(self, message: Through) -> None:
        """A key that somebody has kept for himself will not come back."""
        if message.key is self.under_way:
            await self.next_key()
