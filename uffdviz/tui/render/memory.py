"""Mappings and their pages, as the page tables have them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from uffdviz.tui.render.line import Line, Span, flow, line
from uffdviz.tui.render.state import field, tag

PAGE: Final = 4096
LETTERS: Final = {
    "page": "■",
    "zero": "0",
    "swap": "s",
    "migration": "m",
    "poison": "x",
    "wp_marker": "w",
}
WORDS: Final = {
    "·": "nothing",
    "■": "page",
    "□": "write-protected page",
    "0": "zero page",
    "s": "swapped out",
    "m": "migrating",
    "x": "poisoned",
    "w": "write-protect marker",
}
MOST: Final = 64
"""Pages drawn of one mapping; more are counted."""


def memory_lines(objects: Mapping[str, Any], width: int, changed: str = "") -> list[Line]:
    """Each mapping by address: protection, userfaultfd, anon_vma, and its pages."""
    rows: list[Line] = []
    used: set[str] = set()
    for tree_name, tree in objects.items():
        if tag(tree) != "tree":
            continue
        suffix = tree_name.removeprefix("mm tree")
        ptes = dict(_entries(objects, suffix))
        if suffix:
            rows.append(line(Span(f"address space{suffix}", "strong")))
        for start, end, name in field(tree, "entries", ()):
            pages = _pages(start, end, ptes)
            used.update(pages)
            rows += _mapping(name, objects.get(f"mapping {name}"), pages, width, changed)
    if not rows:
        return [line(Span("no mapping", "dim"))]
    legend = "  ".join(f"{sign} {word}" for sign, word in WORDS.items() if sign in used)
    return rows + flow([Span(legend, "dim")], width)


def _entries(objects: Mapping[str, Any], suffix: str) -> Iterator[tuple[int, Any]]:
    """The entries of every page table of one address space, by page number."""
    for name, state in objects.items():
        if tag(state) == "table" and (not suffix or name.endswith(suffix)):
            for page, pte in field(state, "entries", ()):
                yield int(page), pte


def _pages(start: int, end: int, ptes: Mapping[int, Any]) -> list[str]:
    first, last = start // PAGE, min(end // PAGE, start // PAGE + MOST)
    return [sign(ptes.get(page)) for page in range(first, last)]


def sign(pte: Any) -> str:
    """One character for an entry."""
    if pte is None:
        return "·"
    kind = field(pte, "kind", "page")
    if kind == "page" and field(pte, "wp"):
        return "□"
    return LETTERS.get(kind, "?")


def _mapping(name: str, record: Any, pages: list[str], width: int, changed: str) -> list[Line]:
    length = (field(record, "end", 0) - field(record, "start", 0)) // PAGE
    more = f" and {length - len(pages)} more" if length > len(pages) else ""
    ctx = field(record, "ctx", "")
    modes = ",".join(field(record, "modes", ()))
    anon = field(record, "anon_vma", "")
    backing = field(record, "backing", "anon")
    about = [
        f"{field(record, 'prot', '') or 'none':<3}",
        "" if backing == "anon" else str(backing),
        "shared" if field(record, "shared") else "",
        f"uffd {ctx}({modes})" if ctx else "",
        "" if backing != "anon" else f"anon_vma {anon}" if anon else "no anon_vma",
        "detached" if field(record, "detached") else "",
    ]
    mark = "*" if changed == f"mapping {name}" else " "
    parts = [
        Span(mark, "changed"),
        Span(f"{name:<8}", "strong"),
        Span(f" [{' '.join(pages)}]{more}  "),
        Span("  ".join(word for word in about if word), "dim"),
    ]
    return flow(parts, width, indent=10)
