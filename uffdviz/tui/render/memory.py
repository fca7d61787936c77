"""Mappings and their pages, as the page tables have them."""

from collections.abc import Mapping
from typing import Any

from uffdviz.trace.memory import WORDS, Mapped, spaces
from uffdviz.tui.render.line import Line, Span, flow, line


def memory_lines(objects: Mapping[str, Any], width: int, changed: str = "") -> list[Line]:
    """Each mapping by address: protection, userfaultfd, anon_vma, and its pages."""
    rows: list[Line] = []
    used: set[str] = set()
    for space, mapped in spaces(objects):
        if space:
            rows.append(line(Span(f"address space{space}", "strong")))
        for one in mapped:
            used.update(one.pages)
            rows += _mapping(one, width, changed)
    if not rows:
        return [line(Span("no mapping", "dim"))]
    legend = "  ".join(f"{sign} {word}" for sign, word in WORDS.items() if sign in used)
    return rows + flow([Span(legend, "dim")], width)


def _mapping(one: Mapped, width: int, changed: str) -> list[Line]:
    mark = "*" if changed == f"mapping {one.name}" else " "
    more = f" and {one.more} more" if one.more else ""
    prot, *about = one.about
    parts = [
        Span(mark, "changed"),
        Span(f"{one.name:<8}", "strong"),
        Span(f" [{' '.join(one.pages)}]{more}  "),
        Span("  ".join(word for word in (f"{prot:<3}", *about) if word), "dim"),
    ]
    return flow(parts, width, indent=10)
