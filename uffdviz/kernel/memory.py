"""Memory as the locking sees it: mappings, the tree, page tables, folios, anon_vmas, tasks.

Addresses are bytes; pages are numbered by address // 4096. One page table covers 2 MiB, and one
`ptl` belongs to it.
Left out: levels above the PMD (they are linked together with it), huge pages, hugetlb.
"""

from bisect import bisect_left
from collections.abc import Iterable
from typing import Any, Final, Literal

from uffdviz.kernel.steps import Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

Entry = tuple[int, "Pte"]
PteKind = Literal["page", "zero", "swap", "migration", "poison", "wp_marker"]
DETACHED: Final = 0


class VmaRecord(msgspec.Struct, frozen=True, tag="vma", omit_defaults=True):
    """The fields of a mapping. `ctx` and `modes`: its userfaultfd; `freed`: memory given back.

    `readonly_file`: shared, of a file that was opened for reading only (no VM_MAYWRITE).
    """

    mm: str = ""
    start: int = 0
    end: int = 0
    prot: str = "rw"
    shared: bool = False
    backing: str = "anon"
    file: str = ""
    pgoff: int = 0
    ctx: str = ""
    modes: tuple[str, ...] = ()
    anon_vma: str = ""
    lock_seq: int = -1
    detached: bool = False
    dontfork: bool = False
    freed: bool = False
    readonly_file: bool = False

    @property
    def anonymous(self) -> bool:
        """vma_is_anonymous(): no file and no shmem behind it."""
        return self.backing == "anon"


class Tree(msgspec.Struct, frozen=True, tag="tree", omit_defaults=True):
    """The maple tree of an address space: (start, end, mapping), by address."""

    entries: tuple[tuple[int, int, str], ...] = ()


class Pte(msgspec.Struct, frozen=True, omit_defaults=True):
    """One page-table entry. `wp`: write-protected through userfaultfd."""

    kind: PteKind = "page"
    folio: str = ""
    write: bool = True
    wp: bool = False


class PageTable(msgspec.Struct, frozen=True, tag="table", omit_defaults=True):
    """The entries of one page table that are not none, by page number."""

    linked: bool = False
    entries: tuple[Entry, ...] = ()


class Folio(msgspec.Struct, frozen=True, tag="folio", omit_defaults=True):
    """What rmap knows of a page: whose it is and where; and who keeps it from moving."""

    anon_vma: str = ""
    file: str = ""
    index: int = 0
    refs: int = 1
    pins: int = 0
    exclusive: bool = True
    large: bool = False
    poisoned: bool = False


class TaskState(msgspec.Struct, frozen=True, tag="task", omit_defaults=True):
    """How a task sleeps: `run` is running, or the state it set; `signal`: a fatal one is pending.

    `linked`: its fault is in a queue, or on the way from one to the other (list_empty_careful()).
    `asleep`: it has gone to sleep and was not woken yet.
    """

    run: Literal["running", "killable", "interruptible", "uninterruptible"] = "running"
    signal: bool = False
    linked: bool = False
    asleep: bool = False


def look(s: Any, task: str, *fields: str) -> Outcome:
    """Look at fields of a record; the answer is one value, or a tuple of several."""
    values = tuple(getattr(s, f) for f in fields)
    seen = ", ".join(f"{f} {plain(v)}" for f, v in zip(fields, values, strict=True))
    return s, values[0] if len(fields) == 1 else values, Fact("Saw", detail=seen)


def put(s: Any, task: str, name: str, field: str, value: Any) -> Outcome:
    """Set one field of a record."""
    after = msgspec.structs.replace(s, **{field: value})
    return after, None, Fact("Changed", detail=f"sets {field} of {name} to {plain(value)}")


def plain(value: Any) -> str:
    """Say a field's value in words."""
    match value:
        case "" | None | ():
            return "none"
        case bool():
            return "yes" if value else "no"
        case tuple():
            return " ".join(plain(v) for v in value)
        case int() if abs(value) > 1 << 20:
            return hex(value)
        case _:
            return str(value)


def find(entries: tuple[Entry, ...], page: int) -> "Pte | None":
    """The entry of `page`, or none."""
    at = bisect_left(entries, page, key=_page)
    return entries[at][1] if at < len(entries) and entries[at][0] == page else None


def with_entries(
    entries: tuple[Entry, ...], first: int, last: int, new: Iterable[Entry] = ()
) -> tuple[Entry, ...]:
    """Replace the entries of pages `first` to `last` (inclusive) by `new`."""
    low = bisect_left(entries, first, key=_page)
    high = bisect_left(entries, last + 1, key=_page)
    return (*entries[:low], *new, *entries[high:])


def _page(entry: Entry) -> int:
    return entry[0]


def tree_walk(s: Tree, task: str, addr: int) -> Outcome:
    """vma_lookup(): the mapping that contains `addr`; the answer is its name, or empty."""
    name = next((name for start, end, name in s.entries if start <= addr < end), "")
    return s, name, Fact("Saw", detail=f"{name or 'nothing'} at {addr:#x}")


def tree_overlap(s: Tree, task: str, start: int, end: int) -> Outcome:
    """Every mapping that overlaps [start, end), by address; the answer is their names."""
    names = tuple(n for low, high, n in s.entries if low < end and start < high)
    return s, names, Fact("Saw", detail=f"{' '.join(names) or 'nothing'} from {start:#x}")


def pte_at(s: PageTable, task: str, page: int) -> Outcome:
    """Look at one entry; the answer is a Pte, or None."""
    pte = find(s.entries, page)
    return s, pte, Fact("Saw", detail=f"pte {pte_text(pte)}")


def set_pte(s: PageTable, task: str, page: int, where: str, pte: Pte | None) -> Outcome:
    """Set or clear one entry."""
    entries = with_entries(s.entries, page, page, () if pte is None else ((page, pte),))
    fact = Fact("Changed", detail=f"sets the pte of {where} to {pte_text(pte)}")
    return PageTable(linked=True, entries=entries), None, fact


def pte_text(pte: Pte | None) -> str:
    """Say an entry in a few words."""
    if pte is None:
        return "none"
    words = [pte.kind, pte.folio, "" if pte.write else "read-only", "uffd-wp" if pte.wp else ""]
    return " ".join(w for w in words if w)
