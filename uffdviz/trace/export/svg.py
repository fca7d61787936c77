"""A run as an SVG picture: a lane for each task, and below one for each lock that was met."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

from uffdviz.trace.events import Event
from uffdviz.trace.export.spans import Span, spans

WIDTH, LEFT, LANE, TOP = 960, 170, 26, 40
LOOKS = {
    "call": ("#3b6ea5", ""),
    "wait": ("#b3362b", "url(#waits)"),
    "sleep": ("#8a8a8a", "url(#sleeps)"),
    "hold": ("#5f8f3e", ""),
}


def svg(events: Sequence[Event], title: str) -> str:
    """Draw a run. Waiting is hatched, not only coloured; every bar has its words as a tooltip."""
    found = _shown(spans(events), events)
    tasks = list(dict.fromkeys(e.task for e in events))
    locks = list(dict.fromkeys(s.lane for s in found if s.kind == "hold"))
    lanes = {name: TOP + at * LANE for at, name in enumerate([*tasks, *locks])}
    end = max((e.end for e in events), default=0) or 1
    height = TOP + LANE * len(lanes) + 30
    size = f'viewBox="0 0 {WIDTH} {height}" font-family="monospace" font-size="12"'
    rows = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}>',
        _PATTERNS,
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="10" y="22" font-size="14">{escape(title)}</text>',
        *(_lane(name, y) for name, y in lanes.items()),
        *(_bar(s, lanes[s.lane], end) for s in sorted(found, key=_order)),
        f'<text x="{LEFT}" y="{height - 8}">0</text>',
        f'<text x="{WIDTH - 10}" y="{height - 8}" text-anchor="end">{end / 1000:g} µs</text>',
        "</svg>",
    ]
    return "\n".join(rows) + "\n"


_PATTERNS = (
    '<defs><pattern id="waits" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#f3d6d3"/><path d="M0 6L6 0" stroke="#b3362b"/></pattern>'
    '<pattern id="sleeps" width="6" height="6" patternUnits="userSpaceOnUse">'
    '<rect width="6" height="6" fill="#eeeeee"/><circle cx="3" cy="3" r="1" fill="#8a8a8a"/>'
    "</pattern></defs>"
)


def _shown(found: Sequence[Span], events: Sequence[Event]) -> list[Span]:
    """Everything but the calls inside calls: of those, what a task's call entered first."""
    longest: dict[tuple[str, int], Span] = {}
    for span in found:
        key = span.task, span.step
        outer = span.kind == "call" and events[span.step - 1].fact == "Called"
        if outer and (key not in longest or span.end > longest[key].end):
            longest[key] = span
    return [*longest.values(), *(s for s in found if s.kind != "call")]


def _order(span: Span) -> tuple[int, int]:
    return (0 if span.kind == "call" else 1, span.start)


def _lane(name: str, y: int) -> str:
    line = f'<path d="M{LEFT} {y + LANE - 4}H{WIDTH - 10}" stroke="#dddddd"/>'
    return f'<text x="10" y="{y + 15}">{escape(name)}</text>{line}'


def _bar(span: Span, y: int, end: int) -> str:
    scale = (WIDTH - 10 - LEFT) / end
    x, width = LEFT + span.start * scale, max(1.0, (span.end - span.start) * scale)
    colour, pattern = LOOKS[span.kind]
    said = f"{span.name}: {span.start} to {span.end} ns (step {span.step})"
    fits = f'<text x="{x + 3:.1f}" y="{y + 15}" fill="#ffffff">{escape(span.name)}</text>'
    text = fits if width > 7.4 * len(span.name) + 6 and not pattern else ""
    return (
        f'<g><title>{escape(said)}</title><rect x="{x:.1f}" y="{y + 2}" width="{width:.1f}" '
        f'height="{LANE - 8}" fill="{pattern or colour}" stroke="{colour}"/>{text}</g>'
    )
