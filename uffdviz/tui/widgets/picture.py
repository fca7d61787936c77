"""A picture whose columns are moments: a click goes to one, the wheel moves on and back."""

from textual import events

from uffdviz.tui.widgets.sheet import Sheet


class Picture(Sheet):
    """A side; a click is a moment, the wheel moves it."""

    def target_at(self, x: int, y: int) -> str:
        """Every column means its moment."""
        return f"column {x}"

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """On."""
        event.stop().prevent_default()
        self.post_message(self.Chosen("wheel 1"))

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Back."""
        event.stop().prevent_default()
        self.post_message(self.Chosen("wheel -1"))
