"""The panels of the run screen: each says which lines it shows of a view."""

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.message import Message

from uffdviz.trace.events import Event
from uffdviz.trace.lock_order import Order
from uffdviz.tui.keys import FOOTER, PALETTE, RUN, WIDE, Key
from uffdviz.tui.render.fates import fate_spans
from uffdviz.tui.render.goal import tried_lines
from uffdviz.tui.render.graph import graph_lines
from uffdviz.tui.render.line import Line, Span, columns, line, width_of
from uffdviz.tui.render.locks import lock_lines
from uffdviz.tui.render.memory import memory_lines
from uffdviz.tui.render.now import now_lines
from uffdviz.tui.render.page import page_lines
from uffdviz.tui.render.source import source_lines
from uffdviz.tui.render.tasks import task_lines
from uffdviz.tui.render.timeline import (
    LEGEND,
    NEARER,
    SHORT_LEGEND,
    WIDER,
    Window,
    event_at,
    nanoseconds,
    now_at,
    timeline_lines,
    window,
)
from uffdviz.tui.render.totals import total_lines
from uffdviz.tui.view import View
from uffdviz.tui.widgets.panel import Panel


class Bar(Panel, can_focus=False):
    """A single line without a border."""

    DEFAULT_CSS = """
    Bar { border: none; height: 1; background: $panel; overflow: hidden hidden;
          scrollbar-gutter: auto; }
    Bar:focus { border: none; }
    """


class Header(Bar):
    """What is played, where one is, and when."""

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """Title and era on the left, place and time on the right."""
        lesson = view.lesson
        chapter = lesson.chapter.partition("-")[2].replace("-", " ").capitalize() if lesson else ""
        name = f" {chapter} · {view.title}" if chapter and width >= 100 else f" {view.title}"
        left = line(Span(name, "strong"), Span(f"  {view.era}", "changed"))
        state = f"▷ every {view.pace:g} s  " if view.playing else ""
        past = "  in the past" if view.n < view.length else ""
        branches = f"  {view.branches + 1} runs" if view.branches else ""
        now = nanoseconds(view.event.end) if view.event else "0 ns"
        oracle = f"  {view.oracle}" if view.oracle else ""
        place = f"{state}step {view.n}/{view.length}{past}{branches}  {now}{oracle} "
        return [columns(left, line(Span(place, "current" if past else "")), width)]


class Keys(Bar):
    """The keys that are of use, as many as there is room for; a click presses one."""

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """Key and word, in the order of the table."""
        table = {key.name: view.keymap.now(key, RUN) for key in (*RUN, PALETTE)}
        spans: list[Span] = [Span(" ")]
        for name in FOOTER:
            key = table[name]
            if not useful(name, view, width):
                continue
            word = word_of(key, view)
            target = "" if name == "task" else f"key:{name}"
            more = [Span(key.shown, "key", target), Span(f" {word}  ", "", target)]
            if width_of((*spans, *more)) <= width + 2:
                spans += more
        return [tuple(spans)]


def word_of(key: Key, view: View) -> str:
    """What a key does now, in a word."""
    match key.name:
        case "play" if view.playing:
            return "pause"
        case "goal":
            return goal_word(view)
        case "lecture":
            return "end lecture"
        case _:
            return key.short


def goal_word(view: View) -> str:
    """What the key for goals does now."""
    if view.trail is None or view.lesson is None:
        return ""
    return view.trail.next_word(view.reached, len(view.lesson.blocks))


def useful(name: str, view: View, width: int) -> bool:
    """Whether a key belongs on the line: it does something now, and there is room."""
    goal = bool(goal_word(view))
    if goal and name in {"palette", "quit"}:
        return width >= (132 if name == "palette" else 100)
    does_something = {
        "block": view.lesson is not None,
        "goal": goal,
        "hint": view.tried is not None,
        "lecture": view.lecture,
        "panel": not view.lecture,
        "unhide": view.hidden > 0 and not view.lecture,
    }
    return does_something.get(name, name not in WIDE or width >= 110)


class Tasks(Panel):
    """What each task does and why it cannot move."""

    title = "Tasks"

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The task board; with many tasks it follows the one that moved."""
        moved = view.event.task if view.event else ""
        lines = task_lines(view.snapshot.tasks, view.choices, width, moved, fate_spans(view.fates))
        if len(lines) > height and moved:
            target = f"task {moved}"
            at = next((i for i, one in enumerate(lines) if any(s.target == target for s in one)), 0)
            self.call_after_refresh(self.follow, at)
        return lines


class Locks(Panel):
    """Who holds and who queues."""

    title = "Locks"

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The lock board."""
        return lock_lines(view.snapshot.objects, width, view.changed)


class Memory(Panel):
    """Mappings and pages."""

    title = "Memory"

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The mappings by address."""
        return memory_lines(view.snapshot.objects, width, view.changed)


class Source(Panel):
    """The function that a task is in."""

    title = "Source"
    keeps_bar = True

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The function, the current line in sight."""
        name, lines, current = source_lines(
            view.snapshot.tasks, view.looked_at, view.listing(view.looked_at), width
        )
        self.subtitle(f"{name} ({view.looked_at})" if name else "")
        if lines:
            self.call_after_refresh(self.follow, current)
        return lines


class Timeline(Panel):
    """Lanes on virtual time; a click goes there."""

    title = "Timeline"
    _whole = (-1, 0)
    _window = Window(0, 1)
    """What is shown; it stays while the cursor is in it, so that a scrub does not run away."""

    class Sought(Message):
        """A moment was clicked: the event that had happened by then."""

        def __init__(self, n: int) -> None:
            super().__init__()
            self.n = n

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The lanes."""
        self.subtitle(LEGEND if width >= len(LEGEND) + 6 else SHORT_LEGEND)
        now = now_at(view.lanes, view.n)
        whole = view.lanes.end, view.zoom
        if whole != self._whole or not self._window.start <= now <= self._window.end:
            self._whole, self._window = whole, window(view.lanes, now, view.zoom)
        return timeline_lines(view.lanes, view.n, width, self._window, view.lost)

    def target_at(self, x: int, y: int) -> str:
        """A name means its task, a sign its key, the rest of a lane a moment."""
        if (target := super().target_at(x, y)) or self.view is None:
            return target
        self._seek(x, self.scrollable_content_region.width, self.view)
        return ""

    def _seek(self, x: int, width: int, view: View) -> None:
        self.post_message(self.Sought(event_at(view.lanes, x, width, self._window)))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Scrub with the button held."""
        if event.button == 1 and self.view is not None:
            width = self.scrollable_content_region.width
            self._seek(event.x - self.gutter.left, width, self.view)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """With ctrl held: zoom in."""
        self._zoom(event, NEARER)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """With ctrl held: zoom out."""
        self._zoom(event, WIDER)

    def _zoom(self, event: events.MouseEvent, target: str) -> None:
        if event.ctrl:
            _ = event.stop()
            _ = event.prevent_default()
            self.post_message(self.Chosen(target))


class Graph(Panel):
    """Who waits for whom, and in which order locks were taken."""

    title = "Graph"
    _events: Sequence[Event] = ()
    _order = Order()

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """Both graphs, as far as the run has come."""
        if self._events is not view.lanes.events:
            self._events, self._order = view.lanes.events, Order()
        self._order.extend(view.lanes.events)
        return graph_lines(view.snapshot.tasks, self._order.until(view.n), width)


class Totals(Panel):
    """Waiting and holding so far."""

    title = "Totals"

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The totals up to here."""
        return total_lines(view.totals(), width)


class Narration(Panel):
    """The lesson's own words."""

    title = "Narration"
    _section: ClassVar[int] = -1

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The page up to the block that is next, its newest part in sight."""
        if view.tried is not None:
            lines, top = tried_lines(view.tried, width)
        elif view.lesson is None:
            return _sandbox(width)
        else:
            args = view.lesson, view.reached, view.answers, view.hints, width
            lines, top = page_lines(*args, view.trail, height)
        self.call_after_refresh(self._newest, top, len(lines))
        return lines

    def _newest(self, top: int, total: int) -> None:
        if (top, total) != getattr(self, "_shown", None):
            self._shown = (top, total)
            self.follow(top, top=True)
        self.say_more()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Say anew whether there is more."""
        super().watch_scroll_y(old_value, new_value)
        self.say_more()

    def watch_has_focus(self, has_focus: bool) -> None:  # noqa: FBT001  Textual calls it
        """The key is for this panel, or not any more."""
        super().watch_has_focus(has_focus)
        self.say_more()

    def say_more(self) -> None:
        """Say below whether the page goes on there, and which key shows it."""
        height = self.scrollable_content_region.height
        more = len(self.lines) - round(self.scroll_y) - height > 0
        self.subtitle(("↓ more" if self.has_focus else "more below") if more else "")


class Now(Panel):
    """What changed in the last step, in words."""

    title = "Now"

    def draw(self, view: View, width: int, height: int) -> Sequence[Line]:
        """The last event, a circle if there is one, who may go on."""
        return now_lines(
            view.event,
            view.snapshot.tasks,
            view.choices,
            width,
            height=height,
            upcoming=view.upcoming,
            note=view.note,
        )


def _sandbox(width: int) -> list[Line]:
    text = (
        "You are the scheduler.",
        "",
        "Press the number of a task to let it take one step; → lets the one go that is due first.",
        "← goes back; then choose otherwise: the other run is kept (v).",
        "Source shows the line that comes next. ? lists all keys.",
    )
    from uffdviz.tui.render.line import wrapped

    return [row for words in text for row in wrapped(words, width)]
