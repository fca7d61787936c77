"""Mappings by address with their pages, as the page tables have them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from uffdviz.trace.snapshot import PAGE
from uffdviz.trace.state import field, tag

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
"""Pages told of one mapping; more are counted."""


class Mapped(NamedTuple):
    """A mapping: where, a sign for each page, how many more there are, and what else it has."""

    name: str
    start: int
    pages: list[str]
    more: int
    about: list[str]


def spaces(objects: Mapping[str, Any]) -> Iterator[tuple[str, list[Mapped]]]:
    """Each address space: whose it is, if there are several, and its mappings by address."""
    for name, tree in objects.items():
        if tag(tree) == "tree":
            space = name.removeprefix("mm tree")
            ptes = dict(_entries(objects, space))
            entries = field(tree, "entries", ())
            yield space, [_mapped(objects, ptes, *entry) for entry in entries]


def _mapped(
    objects: Mapping[str, Any], ptes: Mapping[int, Any], start: int, end: int, name: str
) -> Mapped:
    record = objects.get(f"mapping {name}")
    pages = _pages(start, end, ptes)
    length = (field(record, "end", 0) - field(record, "start", 0)) // PAGE
    return Mapped(name, start, pages, max(0, length - len(pages)), _about(record))


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


def _about(record: Any) -> list[str]:
    """Protection, what is behind it, userfaultfd, anon_vma."""
    ctx = field(record, "ctx", "")
    modes = ",".join(field(record, "modes", ()))
    anon = field(record, "anon_vma", "")
    backing = field(record, "backing", "anon")
    return [
        field(record, "prot", "") or "none",
        "" if backing == "anon" else str(backing),
        "shared" if field(record, "shared") else "",
        f"uffd {ctx}({modes})" if ctx else "",
        "" if backing != "anon" else f"anon_vma {anon}" if anon else "no anon_vma",
        "detached" if field(record, "detached") else "",
    ]
