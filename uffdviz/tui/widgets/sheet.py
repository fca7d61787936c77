"""A panel that shows lines it is given by a function of its size."""

from collections.abc import Callable, Sequence

from uffdviz.tui.render.line import Line
from uffdviz.tui.view import View
from uffdviz.tui.widgets.panel import Panel

Make = Callable[[int, int], Sequence[Line]]


class Sheet(Panel):
    """Shows what `make(width, height)` gives."""

    def __init__(self, make: Make, *, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self.make = make

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The same for every view."""
        return self.make(width, height)

    def redraw(self) -> None:
        """Make the lines anew and repaint those that differ."""
        size = self.scrollable_content_region.size
        if size.width:
            self.paint(self.make(size.width, size.height), size)

    def again(self) -> None:
        """Something else is to be shown now."""
        self._stale = True
        if self.display and self.is_attached:
            self.redraw()
