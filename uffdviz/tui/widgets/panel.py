"""A panel: lines that are painted one by one, only where they changed."""

import re
from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.actions import SkipAction
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from uffdviz.tui.render.line import ROLES, Line
from uffdviz.tui.view import View

WORD = re.compile(r"-?[A-Za-z0-9_]+")
RIGHT = 3


class Panel(ScrollView, can_focus=True):
    """Shows a view. A subclass says which lines; this paints them and knows what was clicked."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {f"panel--{role}" for role in ROLES}
    DEFAULT_CSS = """
    Panel {
        border: solid $panel-lighten-2; border-title-color: $text; border-title-style: bold;
        border-subtitle-color: $text-muted; border-subtitle-style: none;
        background: $background; color: $foreground; scrollbar-size-vertical: 1;
        overflow-x: hidden; overflow-y: auto; scrollbar-gutter: stable;
        &:focus { border: solid $accent; }
        & > .panel--dim { color: $text-muted; }
        & > .panel--strong { text-style: bold; }
        & > .panel--ready { color: $text-success; }
        & > .panel--blocked { color: $text-error; text-style: bold; }
        & > .panel--asleep { color: $text-secondary; }
        & > .panel--done { color: $text-muted; }
        & > .panel--read { color: $text-success; }
        & > .panel--write { color: $text-warning; text-style: bold; }
        & > .panel--current { text-style: bold; color: $text; background: $primary 35%; }
        & > .panel--changed { color: $text-accent; text-style: bold; }
        & > .panel--bad { color: $text-error; text-style: bold; }
        & > .panel--good { color: $text-success; }
        & > .panel--key { color: $text-accent; text-style: bold; }
        & > .panel--code { color: $foreground; }
    }
    """
    title: ClassVar[str] = ""
    keeps_bar: ClassVar[bool] = False
    """Whether a scrollbar that was needed stays, because it would come and go at every step."""

    class Chosen(Message):
        """Something on a panel was clicked; `target` says what it means."""

        def __init__(self, target: str) -> None:
            super().__init__()
            self.target = target

    class TitleClicked(Message):
        """The border above a panel was clicked, `x` columns into its title."""

        def __init__(self, panel: str, x: int) -> None:
            super().__init__()
            self.panel = panel
            self.x = x

    class Asked(Message):
        """A word was clicked with the right button."""

        def __init__(self, word: str) -> None:
            super().__init__()
            self.word = word

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.view: View | None = None
        self.lines: Sequence[Line] = ()
        self._styles: dict[str, Style] = {}
        self._base: Style | None = None
        self._drawn_at = (0, 0)
        self._stale = True
        self._subtitle = ""

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The lines for a view in a panel of this size."""
        raise NotImplementedError

    def show(self, view: View) -> None:
        """Show another view; a hidden panel waits until it can be seen."""
        self.view = view
        self._stale = True
        if self.display and self.is_attached:
            self.redraw()

    def redraw(self) -> None:
        """Make the lines anew and repaint those that differ."""
        size = self.scrollable_content_region.size
        if self.view is None or not size.width:
            return
        self.paint(self.draw(self.view, size.width, size.height), size)

    def paint(self, lines: Sequence[Line], size: Size) -> None:
        """Show lines in a panel of this size."""
        kept = self.keeps_bar and self.virtual_size.height > 0 and size == self._drawn_at
        self._stale, self._drawn_at = False, size
        old, self.lines = self.lines, lines
        height = max(len(lines), size.height + 1) if kept or len(lines) > size.height else 0
        whole = Size(0, height)
        if bool(height) != bool(self.virtual_size.height):
            self.virtual_size = whole  # a new layout: it costs more than all the lines
            self.refresh()
            return
        if whole != self.virtual_size:
            self.set_reactive(Panel.virtual_size, whole)
            self.vertical_scrollbar.window_virtual_size = height
            self.scroll_y = self.scroll_y  # held to what there is now
        top = round(self.scroll_y)
        for number in range(top, top + size.height):
            if old[number : number + 1] != lines[number : number + 1]:
                self.refresh_lines(number, 1)

    def subtitle(self, words: str) -> None:
        """Say something in the border below, which is painted anew only if it differs."""
        if words != self._subtitle:
            self._subtitle = words
            self.border_subtitle = Content(words)

    def follow(self, number: int, *, top: bool = False) -> None:
        """Scroll so that a line can be seen; `top`: as the first one."""
        height = self.scrollable_content_region.height
        at = round(self.scroll_y)
        if top:
            self.scroll_to(y=number, animate=False)
        elif not at <= number < at + height:
            self.scroll_to(y=max(0, number - height // 2), animate=False)

    def action_scroll_home(self) -> None:
        """To the first line, where the key has no other meaning: a run has a beginning and an end."""
        if not self.screen.is_modal:
            raise SkipAction
        super().action_scroll_home()

    def action_scroll_end(self) -> None:
        """To the last line, likewise."""
        if not self.screen.is_modal:
            raise SkipAction
        super().action_scroll_end()

    def render_line(self, y: int) -> Strip:
        """Paint one line."""
        number = y + round(self.scroll_y)
        width = self.scrollable_content_region.width
        if self._base is None:
            self._base = self.rich_style
        base = self._base
        if number >= len(self.lines):
            return Strip.blank(width, base)
        segments = [
            Segment(span.text, base + self._style(span.role) if span.role else base)
            for span in self.lines[number]
        ]
        return Strip(segments).adjust_cell_length(width, base)

    def _style(self, role: str) -> Style:
        if role not in self._styles:
            self._styles[role] = self.get_component_rich_style(f"panel--{role}")
        return self._styles[role]

    def notify_style_update(self) -> None:
        """Forget the styles of the theme before."""
        super().notify_style_update()
        self._styles.clear()
        self._base = None

    def on_resize(self) -> None:
        """Draw for the new size."""
        if self._stale or self.scrollable_content_region.size != self._drawn_at:
            self.redraw()

    def on_show(self) -> None:
        """Catch up with what happened while hidden."""
        if self._stale:
            self.redraw()

    def on_click(self, event: events.Click) -> None:
        """Say what was clicked."""
        inside = self.scrollable_content_region
        x = event.x - self.gutter.left
        y = event.y - self.gutter.top
        if event.y < self.gutter.top:
            self.post_message(self.TitleClicked(self.id or "", event.x - 3))
        elif event.button == RIGHT:
            if word := self.word_at(x, y + round(self.scroll_y)):
                self.post_message(self.Asked(word))
        elif 0 <= x < inside.width and 0 <= y < inside.height:
            target = self.target_at(x, y + round(self.scroll_y))
            if target:
                self.post_message(self.Chosen(target))

    def word_at(self, x: int, y: int) -> str:
        """The word at a column of a line."""
        text = "".join(span.text for span in self.lines[y]) if y < len(self.lines) else ""
        found = (one for one in WORD.finditer(text) if one.start() <= x < one.end())
        return next((one[0] for one in found), "")

    def target_at(self, x: int, y: int) -> str:
        """What a click on a column of a line means."""
        if y >= len(self.lines):
            return ""
        for span in self.lines[y]:
            if x < len(span.text):
                return span.target
            x -= len(span.text)
        return ""
