"""What a step can do to a whole page table, or to many of its entries at once.

Kernel: mm/memory.c, mm/mprotect.c, mm/mremap.c. Everything here is a pure function; the operations
that await these steps are in `ops/page_table.py` and its neighbours.
"""

from collections.abc import Callable

from uffdviz.kernel.memory import Entry, Folio, PageTable, Pte, with_entries
from uffdviz.kernel.steps import Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

Entries = tuple[Entry, ...]


class Protect(msgspec.Struct, frozen=True):
    """A change of protection: `write` as mprotect() gives it, `wp` as userfaultfd does.

    None leaves that part as it is. `markers`: entries that are none are protected too.
    """

    write: bool | None = None
    wp: bool | None = None
    markers: bool = False


def is_linked(s: PageTable, task: str) -> Outcome:
    """pmd_present(): whether there is a page table at all."""
    return s, s.linked, Fact("Saw", detail="linked" if s.linked else "none")


def link_table(s: PageTable, task: str, name: str) -> Outcome:
    """pmd_populate() unless somebody was faster; the answer says whether it was used."""
    if s.linked:
        return s, False, Fact("Saw", detail="linked")
    after = msgspec.structs.replace(s, linked=True)
    return after, True, Fact("Changed", detail=f"links {name}")


def look_range(s: PageTable, task: str, first: int, last: int) -> Outcome:
    """The entries of pages `first` to `last` that are not none."""
    found = within(s.entries, first, last)
    return s, found, Fact("Saw", detail=f"{len(found)} entries")


def take_range(s: PageTable, task: str, first: int, last: int, where: str) -> Outcome:
    """Clear pages `first` to `last`; the answer is what was there."""
    found = within(s.entries, first, last)
    if not found:
        return s, found, Fact("Saw", detail="0 entries")
    after = PageTable(linked=True, entries=with_entries(s.entries, first, last))
    return after, found, Fact("Changed", detail=f"clears {counted(found)} from {where}")


def put_range(s: PageTable, task: str, entries: Entries, where: str) -> Outcome:
    """Set entries that are none."""
    if not entries:
        return s, None, Fact("Saw", detail="0 entries")
    merged = tuple(sorted({**dict(s.entries), **dict(entries)}.items()))
    fact = Fact("Changed", detail=f"sets {counted(entries)} from {where}")
    return PageTable(linked=True, entries=merged), None, fact


def shift_range(
    s: PageTable,
    task: str,
    span: tuple[int, int],
    by: int,
    where: str,
) -> Outcome:
    """Move entries inside one page table."""
    first, last = span
    found = within(s.entries, first, last)
    left = dict(with_entries(s.entries, first, last))
    left |= {page + by: pte for page, pte in found}
    after = PageTable(linked=True, entries=tuple(sorted(left.items())))
    return after, None, Fact("Changed", detail=f"moves {counted(found)} to {where}")


def protect_range(
    s: PageTable,
    task: str,
    span: tuple[int, int],
    how: Protect,
    where: str,
) -> Outcome:
    """Change the protection of a span of pages, ends included; the answer is their entries now."""
    first, last = span
    old = dict(within(s.entries, first, last))
    if how.wp and how.markers:
        marker = Pte(kind="wp_marker", write=False, wp=True)
        old = dict.fromkeys(range(first, last + 1), marker) | old
    new = tuple(
        (page, after) for page, pte in sorted(old.items()) if (after := protected(pte, how))
    )
    entries = with_entries(s.entries, first, last, new)
    if entries == s.entries:
        return s, new, Fact("Saw", detail=f"{len(new)} entries")
    fact = Fact("Changed", detail=f"changes the protection of {counted(new)} from {where}")
    return PageTable(linked=s.linked, entries=entries), new, fact


def protected(pte: Pte, how: Protect) -> Pte | None:
    """One entry after a change of protection; None: nothing is left of it."""
    if pte.kind in {"wp_marker", "poison"}:
        return None if pte.kind == "wp_marker" and how.wp is False else pte
    wp = pte.wp if how.wp is None else how.wp
    write = pte.write and how.write is not False and not wp
    return msgspec.structs.replace(pte, wp=wp, write=write)


def allow_write(s: PageTable, task: str, pages: tuple[int, ...], where: str) -> Outcome:
    """Make entries writable."""
    new = {**dict(s.entries)}
    for page in pages:
        new[page] = msgspec.structs.replace(new[page], write=True)
    entries = tuple(sorted(new.items()))
    fact = Fact("Changed", detail=f"makes {len(pages)} entries writable from {where}")
    return PageTable(linked=True, entries=entries), None, fact


def forbid_write(s: PageTable, task: str, pages: tuple[int, ...], where: str) -> Outcome:
    """ptep_set_wrprotect(): a write to these pages has to ask again."""
    if not pages:
        return s, None, Fact("Saw", detail="0 entries")
    protect: Callable[[Pte], Pte] = read_only
    entries = tuple((page, protect(pte) if page in pages else pte) for page, pte in s.entries)
    fact = Fact("Changed", detail=f"write-protects {len(pages)} entries from {where}")
    return PageTable(linked=True, entries=entries), None, fact


def read_only(pte: Pte) -> Pte:
    """The same entry, not writable."""
    return msgspec.structs.replace(pte, write=False)


def share(s: Folio, task: str, name: str) -> Outcome:
    """folio_try_dup_anon_rmap_pte(): a page gets a second owner, unless it is pinned.

    The answer says whether it did.
    """
    if s.pins and s.exclusive and s.anon_vma:
        return s, False, Fact("Saw", detail="pinned")
    after = msgspec.structs.replace(s, exclusive=False)
    return after, True, Fact("Changed", detail=f"shares {name} with the child")


def within(entries: Entries, first: int, last: int) -> Entries:
    """The entries of pages `first` to `last`."""
    return tuple(entry for entry in entries if first <= entry[0] <= last)


def counted(entries: Entries) -> str:
    """Say how many entries."""
    return f"{len(entries)} entries" if len(entries) != 1 else "1 entry"
