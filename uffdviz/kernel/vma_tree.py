"""Mappings as records: what may join what, how one is cut, and the steps on tree and slab.

Kernel: mm/vma.c (mm/mmap.c before v6.11). Everything here is a pure function; the operations that
await these steps are in `ops/vma.py`.
"""

from typing import Final

from uffdviz.kernel.memory import Tree, VmaRecord, plain
from uffdviz.kernel.steps import Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

PAGE: Final = 4096
CHOOSE: Final = 0x7F00_0000_0000
TASK_SIZE: Final = 0x7FFF_FFFF_F000


class MmapSpec(msgspec.Struct, frozen=True):
    """What mmap() is asked for, beside address and length; `name` is how people will call it."""

    name: str = ""
    prot: str = "rw"
    shared: bool = False
    backing: str = "anon"
    file: str = ""
    pgoff: int = 0
    fixed: bool = False


class UnmapCtx(msgspec.Struct, frozen=True):
    """A range that a userfaultfd is going to be told about (struct userfaultfd_unmap_ctx)."""

    ctx: str
    start: int
    end: int


class ForkCtx(msgspec.Struct, frozen=True):
    """A userfaultfd and the one that the child gets (struct userfaultfd_fork_ctx)."""

    orig: str
    new: str


class VmaSlab(msgspec.Struct, frozen=True, tag="slab", omit_defaults=True):
    """How often each name was given, and the freed objects: (object, its last address space)."""

    given: tuple[tuple[str, int], ...] = ()
    free: tuple[tuple[str, str], ...] = ()


class MergePlan(msgspec.Struct, frozen=True):
    """How neighbours become one mapping: `keep` covers [start, end) from then on.

    `locks`: whom to write-lock, in order; `donor` gives its anon_vma to `keep`; `trimmed` loses
    a part; the `gone` cease to exist.
    """

    keep: str
    start: int
    end: int
    pgoff: int
    locks: tuple[str, ...]
    donor: str = ""
    trimmed: str = ""
    trim_start: int = 0
    trim_end: int = 0
    gone: tuple[str, ...] = ()


def linear_pgoff(rec: VmaRecord) -> int:
    """The page offset of a mapping; that of untouched anonymous memory follows its address."""
    return rec.start // PAGE if rec.anonymous and not rec.pgoff else rec.pgoff


def part(rec: VmaRecord, start: int, end: int) -> VmaRecord:
    """The record of the part [start, end) of a mapping."""
    pgoff = rec.pgoff
    if pgoff or not rec.anonymous:
        pgoff += (start - rec.start) // PAGE
    return msgspec.structs.replace(rec, start=start, end=end, pgoff=pgoff)


def fresh_record(rec: VmaRecord) -> VmaRecord:
    """What vm_area_dup() makes of a record: the same mapping, never locked nor detached."""
    return msgspec.structs.replace(rec, lock_seq=-1, detached=False, freed=False)


def same_anon_vma(one: str, other: str) -> bool:
    """is_mergeable_anon_vma(): equal, or one of them not there yet."""
    return one == other or not one or not other


def can_join(low: VmaRecord, high: VmaRecord) -> bool:
    """Whether two adjacent mappings may become one (can_vma_merge_after/before())."""
    same = ("prot", "shared", "backing", "file", "ctx", "modes", "dontfork")
    return (
        low.end == high.start
        and all(getattr(low, f) == getattr(high, f) for f in same)
        and same_anon_vma(low.anon_vma, high.anon_vma)
        and linear_pgoff(low) + (low.end - low.start) // PAGE == linear_pgoff(high)
    )


def plan_merge(
    new: VmaRecord,
    curr: tuple[str, VmaRecord] | None,
    prev: tuple[str, VmaRecord] | None,
    after: tuple[str, VmaRecord] | None,
) -> MergePlan | None:
    """Find out how [new.start, new.end) with the fields of `new` can join its neighbours.

    `curr` is the mapping that now covers the range, none for a hole. Kernel: vma_merge().
    """
    left = prev is not None and can_join(prev[1], new)
    right = after is not None and can_join(new, after[1])
    whole = curr is not None and (curr[1].start, curr[1].end) == (new.start, new.end)
    here = () if curr is None else (curr[0],)
    if left and right and prev and after and same_anon_vma(prev[1].anon_vma, after[1].anon_vma):
        donors = (after, *((curr,) if curr else ()))
        return MergePlan(
            prev[0],
            prev[1].start,
            after[1].end,
            prev[1].pgoff,
            (prev[0], after[0], *here),
            donor=_donor(prev[1], donors),
            gone=(*here, after[0]),
        )
    if left and prev:
        plan = MergePlan(prev[0], prev[1].start, new.end, prev[1].pgoff, (prev[0], *here))
        return _take_over(plan, prev[1], curr, whole=whole, trim=(new.end, 0))
    if right and after:
        pgoff = after[1].pgoff
        if pgoff or not after[1].anonymous:
            pgoff -= (new.end - new.start) // PAGE
        plan = MergePlan(after[0], new.start, after[1].end, pgoff, (after[0], *here))
        return _take_over(plan, after[1], curr, whole=whole, trim=(0, new.start))
    return None


def _donor(keep: VmaRecord, others: tuple[tuple[str, VmaRecord], ...]) -> str:
    if keep.anon_vma:
        return ""
    return next((name for name, rec in others if rec.anon_vma), "")


def _take_over(
    plan: MergePlan,
    keep: VmaRecord,
    curr: tuple[str, VmaRecord] | None,
    *,
    whole: bool,
    trim: tuple[int, int],
) -> MergePlan:
    if curr is None:
        return plan
    donor = _donor(keep, (curr,))
    if whole:
        return msgspec.structs.replace(plan, donor=donor, gone=(curr[0],))
    low, high = trim
    return msgspec.structs.replace(
        plan,
        donor=donor,
        trimmed=curr[0],
        trim_start=low or curr[1].start,
        trim_end=high or curr[1].end,
    )


def whole_record(s: VmaRecord, task: str) -> Outcome:
    """Look at all fields of a mapping; the answer is its record."""
    return s, s, Fact("Saw", detail=f"{plain(s.start)}-{plain(s.end)} {s.prot}")


def become(s: VmaRecord, task: str, name: str, record: VmaRecord) -> Outcome:
    """Fill in the record of a mapping that nobody else can see yet."""
    return record, None, Fact("Changed", detail=f"fills in {name}")


def set_range(s: VmaRecord, task: str, name: str, span: tuple[int, int, int]) -> Outcome:
    """vma_set_range(): a mapping grows or shrinks to (start, end, pgoff)."""
    start, end, pgoff = span
    after = msgspec.structs.replace(s, start=start, end=end, pgoff=pgoff)
    return after, None, Fact("Changed", detail=f"makes {name} {start:#x}-{end:#x}")


def tree_store(s: Tree, task: str, start: int, end: int, name: str) -> Outcome:
    """Let [start, end) hold the mapping `name`, or nothing; whatever it overlaps is cut."""
    cut: list[tuple[int, int, str]] = [(start, end, name)] if name else []
    for low, high, other in s.entries:
        if low < start:
            cut.append((low, min(high, start), other))
        if end < high:
            cut.append((max(low, end), high, other))
    cut.sort()
    verb = f"puts {name} at" if name else "clears"
    return Tree(tuple(cut)), None, Fact("Changed", detail=f"{verb} {start:#x}-{end:#x}")


def tree_around(s: Tree, task: str, start: int, end: int) -> Outcome:
    """The mappings that end at `start` and begin at `end`; the answer is two names."""
    prev = next((n for _, high, n in s.entries if high == start), "")
    after = next((n for low, _, n in s.entries if low == end), "")
    return (
        s,
        (prev, after),
        Fact("Saw", detail=f"{prev or 'nothing'} below, {after or 'nothing'} above"),
    )


def tree_at_or_above(s: Tree, task: str, addr: int, limit: int) -> Outcome:
    """find_vma() below `limit`; the answer is a name, or empty, and where that mapping begins."""
    found = next(((n, low) for low, high, n in s.entries if addr < high and low < limit), ("", 0))
    return s, found, Fact("Saw", detail=f"{found[0] or 'nothing'} from {addr:#x}")


def tree_all(s: Tree, task: str) -> Outcome:
    """Every mapping, by address; the answer is their names."""
    names = tuple(n for _, _, n in s.entries)
    return s, names, Fact("Saw", detail=" ".join(names) or "nothing")


def tree_gap(s: Tree, task: str, length: int, hint: int) -> Outcome:
    """get_unmapped_area(): the hint if it is free, else the highest gap; the answer is its start.

    Addresses above the highest mapping are taken (libraries live there), so the search is
    downwards from it.
    """
    at = hint if hint and not _taken(s, hint, hint + length) else _highest_gap(s, length)
    return s, at, Fact("Saw", detail=f"room at {at:#x}")


def _taken(s: Tree, start: int, end: int) -> bool:
    return any(low < end and start < high for low, high, _ in s.entries)


def _highest_gap(s: Tree, length: int) -> int:
    top = s.entries[-1][1] if s.entries else CHOOSE
    for low, high, _ in reversed(s.entries):
        if top - high >= length:
            return top - length
        top = low
    return top - length if top >= length else 0


def take_name(s: VmaSlab, task: str, wanted: str, known: int) -> Outcome:
    """Name a new mapping: `wanted`, or with `~2`, `~3` if others were called so.

    `known` is 1 if a mapping of the scenario has the name already.
    """
    return _named(s, wanted, known)


def take_object(s: VmaSlab, task: str, wanted: str, known: int, mm: str) -> Outcome:
    """Take the memory of a mapping that another address space freed, else fresh memory.

    Memory of one's own freed mappings is not taken again, so that names stay plain: what type-safe
    reuse can break is noticed across address spaces. The answer: the name, and whose memory it was.
    """
    old = next((entry for entry in s.free if entry[1] != mm), None)
    if old is None:
        after, name, fact = _named(s, wanted, known)
        return after, (name, ""), fact
    free = tuple(entry for entry in s.free if entry != old)
    after = msgspec.structs.replace(s, free=free)
    return (
        after,
        (f"{wanted}~{old[0]}", old[0]),
        Fact("Changed", detail=f"takes the memory of {old[0]} for {wanted}"),
    )


def _named(s: VmaSlab, wanted: str, known: int) -> tuple[VmaSlab, str, Fact]:
    given = dict(s.given)
    count = given.get(wanted, known) + 1
    given[wanted] = count
    name = wanted if count == 1 else f"{wanted}~{count}"
    after = msgspec.structs.replace(s, given=tuple(sorted(given.items())))
    return after, name, Fact("Changed", detail=f"makes a mapping called {name}")


def give_back(s: VmaSlab, task: str, name: str, mm: str) -> Outcome:
    """The memory of a mapping may be used for another one from now on."""
    after = msgspec.structs.replace(s, free=(*s.free, (name, mm)))
    return after, None, Fact("Changed", detail=f"frees the memory of {name}")
