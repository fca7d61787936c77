"""What may be done to page-table entries, and where pages are: S3, S8, S9."""

from collections.abc import Iterator
from typing import Any, Final

from uffdviz.check.held import Names, held_by, memory_of, record_of
from uffdviz.check.taken import Look, Property, Taken

PAGE: Final = 4096
MARKERS: Final = frozenset({"poison", "wp_marker"})
FAULTS: Final = frozenset({"kernel_fault", "page_fault", "copy_from_user", "pin_user_page"})
FILLING: Final = frozenset({"mfill_atomic"})
MOVING: Final = frozenset({"move_pages"})
PROTECTING: Final = frozenset({"mwriteprotect_range"})
REUSING: Final = "do_wp_page"
UNMAPPING: Final = frozenset({"unmap_region"})
Entries = dict[int, Any]


def entries_set(taken: Taken) -> Iterator[tuple[int, Any, Any]]:
    """The entries that a step set: page, what it was, what it is."""
    old: Entries = dict(taken.before.entries)
    for page, pte in taken.after.entries:
        if pte != old.get(page):
            yield page, old.get(page), pte


def same_mm(look: Look, tables: set[str], name: str) -> list[str]:
    """The page tables of the address space that the table `name` belongs to."""
    return [table for table in sorted(tables) if space_of(look, table) == space_of(look, name)]


def space_of(look: Look, table: str) -> str:
    """The address space of a page table, by the suffix of its name; the first has none."""
    last = table.rpartition(" ")[2]
    return last if look.state(f"mm tree {last}") is not None else ""


def names_at(look: Look, space: str, page: int) -> Names:
    """The mapping at a page by the tree of an address space."""
    tree = look.state(f"mm tree {space}".strip())
    if tree is None:
        return ()
    return tuple(name for start, end, name in tree.entries if start <= page * PAGE < end)


def operation(taken: Taken) -> str:
    """Whether a step belongs to a fill or a move, and not to a fault inside it."""
    if FAULTS & set(taken.stack):
        return ""
    return "fill" if FILLING & set(taken.stack) else "move" if MOVING & set(taken.stack) else ""


class Containment(Property):
    """S3: an operation sets entries only inside the mapping that it relies on."""

    ident = "S3"
    rule = "every entry that an operation sets lies in its registered mapping, and the page fits it"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.object.startswith("mmap_changing"):
            look.keep(f"S3 ctx {taken.task}", "", taken.object.partition(" ")[2])
        if text := takes_from_another(taken, look) or reaches_too_far(taken, look):
            return text
        kind = operation(taken) or ("fault" if "handle_mm_fault" in taken.stack else "")
        if taken.kind != "table" or not kind:
            return None
        key = f"S3 took {taken.task}"
        took: int = look.note(key, -1)
        gone = {page for page, _ in taken.before.entries} - {
            page for page, _ in taken.after.entries
        }
        look.keep(key, -1, max(gone, default=-1))
        if any(self._home(taken, look, page)[0] is None for page in gone):
            return f"{taken.task} takes a page from outside of its mappings"
        for page, _, pte in entries_set(taken):
            if page != took and (text := self._placed(taken, look, kind, page, pte)):
                return text
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        for table in () if unfinished else look.names("page table "):
            for page, pte in look.state(table).entries:
                if not names_at(look, space_of(look, table), page):
                    what = pte.folio or f"a {pte.kind} entry"
                    return f"{what} is left where no mapping is any more"
        return None if unfinished else strangers(look) or misplaced(look)

    @staticmethod
    def _home(taken: Taken, look: Look, page: int) -> tuple[Any, str]:
        """The mapping at a page among those that the task relies on; and their names."""
        inside: Names = look.note(f"in {taken.task}", ())
        names = inside or names_at(look, space_of(look, taken.object), page)
        records = [record_of(look, name) for name in names]
        home = next((r for r in records if r is not None and r.start <= page * PAGE < r.end), None)
        return home, " and ".join(names) or "any mapping"

    def _placed(self, taken: Taken, look: Look, kind: str, page: int, pte: Any) -> str | None:
        home, where = self._home(taken, look, page)
        if home is None:
            return f"{taken.task} sets an entry outside of {where}"
        if kind == "fault":
            return None
        ctx: str = look.note(f"S3 ctx {taken.task}", "")
        if not home.ctx or (kind == "move" and ctx and home.ctx != ctx and pte.folio):
            return f"{taken.task} sets an entry of a mapping that is not registered with {ctx}"
        if pte.wp and "wp" not in home.modes:
            return f"{taken.task} protects a page of a mapping that is not registered for that"
        if pte.kind == "page" and (folio := look.state(f"page {pte.folio}")) is not None:
            fits = folio.file == home.file if folio.file else not (home.shared and home.file)
            if not fits:
                return f"{taken.task} puts {pte.folio} into a mapping of another kind"
        return None


def takes_from_another(taken: Taken, look: Look) -> str | None:
    """Judge registering a mapping that another userfaultfd has, or closing one and taking another's.

    UNREGISTER may take another's until v6.18.
    """
    key = f"S3 closes {taken.task}"
    if taken.object.startswith("released ") and taken.verb == "store":
        look.keep(key, "", taken.object.partition(" ")[2])
    if taken.verb != "set_ctx" or taken.before.ctx in {"", taken.after.ctx}:
        return None
    closes: str = look.note(key, "") if "userfaultfd_release" in taken.stack else ""
    if not taken.after.ctx and closes in {"", taken.before.ctx}:
        return None
    name = taken.object.removeprefix("mapping ")
    return f"{taken.task} takes {name} from the userfaultfd {taken.before.ctx}"


def reaches_too_far(taken: Taken, look: Look) -> str | None:
    """Judge protecting what is not registered for it, and unmapping what is another mapping's."""
    if taken.kind != "table":
        return None
    space, stack = space_of(look, taken.object), set(taken.stack)
    changed = [page for page, _, _ in entries_set(taken)] if PROTECTING & stack else []
    for name in (name for page in changed for name in names_at(look, space, page)):
        if "wp" not in record_of(look, name).modes:
            return f"{taken.task} protects an entry of {name}, which is not registered for that"
    mine: str = look.note(f"last {taken.task}", "") if UNMAPPING & stack else ""
    gone = {page for page, _ in taken.before.entries} - {page for page, _ in taken.after.entries}
    for name in (name for page in sorted(gone) for name in names_at(look, space, page)):
        if mine and memory_of(look, name) != mine:
            return f"{taken.task} unmaps {mine}, and drops a page of {name}"
    return None


def misplaced(look: Look) -> str | None:
    """Say which mapping is not where its address space has it, if one is not."""
    for tree in look.names("mm tree"):
        for start, end, name in look.state(tree).entries:
            record = record_of(look, name)
            if record is not None and (record.start, record.end) != (start, end):
                return f"{name} is not as long as the address space has it"
    return None


def strangers(look: Look) -> str | None:
    """Say which mapping is registered with a context of another address space, if one is."""
    homes: dict[str, str] = {}
    for tree in look.names("mm tree"):
        for _, _, name in look.state(tree).entries:
            record = record_of(look, name)
            ctx = record.ctx if record is not None else ""
            if ctx and homes.setdefault(ctx, tree) != tree:
                return f"{name} is registered with {ctx}, which another address space has"
    return None


def in_tree(look: Look, record: Any, name: str) -> bool:
    """Whether a mapping can be found in its address space."""
    tree = look.state(f"mm tree {record.mm}") or look.state("mm tree")
    return tree is not None and any(one == name for _, _, one in tree.entries)


class Atomicity(Property):
    """S8: a fill sets only what is empty; a move neither loses nor doubles a page."""

    ident = "S8"
    rule = "a fill changes only an empty entry, and a moved page is mapped exactly once"

    def __init__(self) -> None:
        self._tables: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.kind != "table":
            return self._returns(taken, look)
        self._tables.add(taken.object)
        kind = operation(taken)
        if taken.before.entries != taken.after.entries and not has_ptl(taken, look):
            return f"{taken.task} changes {taken.object} without its lock"
        text = self._sets(taken, look, kind)
        if kind == "move":
            self._carry(taken, look)
        return text or self._returns(taken, look)

    def _sets(self, taken: Taken, look: Look, kind: str) -> str | None:
        carried: Names = look.note(f"S8 carries {taken.task}", ())
        mine = {*carried, *(pte.folio for _, pte in taken.before.entries)}
        for page, old, pte in entries_set(taken):
            if kind and old is not None and old.kind not in MARKERS:
                return f"{taken.task} sets an entry that holds {old.folio or old.kind} already"
            if self._mapped(taken, look, page, pte):
                return f"{taken.task} maps {pte.folio} twice"
            if kind == "move" and pte.folio and pte.folio not in mine:
                return f"{taken.task} maps {pte.folio}, which is not what it took"
            if old is not None and old.kind == "page" and old.write and pte.folio != old.folio:
                return f"{taken.task} sets an entry whose page {old.folio} is lost"
            if taken.stack[-2:-1] == (REUSING,) and (old is None or old.folio != pte.folio):
                return (
                    f"{taken.task} maps {pte.folio or pte.kind} again, which is not there any more"
                )
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        seen: dict[str, str] = {}
        for table in look.names("page table "):
            for _, pte in look.state(table).entries:
                folio = look.state(f"page {pte.folio}") if pte.kind == "page" else None
                if folio is None or folio.file or not folio.exclusive:
                    continue
                if pte.folio in seen:
                    return f"{pte.folio} has one owner, and is mapped twice"
                seen[pte.folio] = table
        return None

    def _mapped(self, taken: Taken, look: Look, page: int, pte: Any) -> bool:
        folio = look.state(f"page {pte.folio}") if pte.kind in {"page", "swap"} else None
        if folio is None or folio.file:
            return False
        names = same_mm(look, self._tables, taken.object)
        tables = {name: look.state(name) for name in names}
        tables[taken.object] = taken.after
        return any(
            other.folio == pte.folio and at != page
            for table in tables.values()
            if table is not None
            for at, other in table.entries
        )

    @staticmethod
    def _carry(taken: Taken, look: Look) -> None:
        """Note the pages that a move has taken from their entries and not put anywhere yet."""
        key = f"S8 carries {taken.task}"
        before = {pte.folio for _, pte in taken.before.entries if pte.folio}
        after = {pte.folio for _, pte in taken.after.entries if pte.folio}
        carried = ({*look.note(key, ())} | (before - after)) - after
        look.keep(key, (), tuple(sorted(carried)))

    @staticmethod
    def _returns(taken: Taken, look: Look) -> str | None:
        key = f"S8 carries {taken.task}"
        lost: Names = look.note(key, ())
        if lost and any(mark.kind == "Returned" for mark in taken.marks):
            look.keep(key, (), ())
            return f"{taken.task} has lost {' and '.join(lost)}"
        return None


def has_ptl(taken: Taken, look: Look) -> bool:
    """Whether the task of a step has the lock of the page table that the step is at."""
    lock = f"ptl {taken.object.removeprefix('page table ')}"
    return any(held == lock for held, _ in held_by(look, taken.task))


class Rmap(Property):
    """S9: rmap finds a page where it is mapped, whenever the page is unlocked.

    A page is given another place with itself and its anon_vma locked, by its only owner, and never
    while somebody has it in their hands: a pin that was made sure of.
    """

    ident = "S9"
    rule = "an unlocked anonymous page has the anon_vma and the index of the entry that maps it"

    def __init__(self) -> None:
        self._tables: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        moved = any(call[:2] == ("enter", "move_page_tables") for call in taken.calls)
        if moved:
            look.keep("S9 mremap", 0, 1)
        pins(taken, look)
        if taken.kind == "table":
            self._tables.add(taken.object)
            return maps_astray(taken, look)
        if taken.verb == "move_anon_rmap":
            return moves_rmap(taken, look)
        if taken.kind != "folio_lock" or taken.fact.kind != "LockReleased":
            return None
        return self._consistent(taken, look, taken.object.removeprefix("folio "))

    def _consistent(self, taken: Taken, look: Look, name: str) -> str | None:
        folio = look.state(f"page {name}")
        if folio is None or not folio.anon_vma or look.note("S9 mremap", 0):
            return None
        for table in same_mm(look, self._tables, ""):
            for page, pte in look.state(table).entries:
                if pte.folio == name and pte.kind in {"page", "swap"} and page != folio.index:
                    when = " after a swap-in" if "do_swap_page" in taken.stack else ""
                    return f"{taken.task} unlocks {name}{when}, whose index is not its entry's"
        return None


def maps_astray(taken: Taken, look: Look) -> str | None:
    """Judge whether rmap finds the anonymous pages that a step maps."""
    for page, old, pte in entries_set(taken):
        folio = look.state(f"page {pte.folio}") if pte.kind == "page" else None
        fresh = old is None or old.folio != pte.folio
        if fresh and pte.kind == "page" and (folio is None or not (folio.anon_vma or folio.file)):
            return f"{taken.task} maps {pte.folio}, which rmap does not know"
        if folio is None or not folio.anon_vma or not fresh:
            continue
        for name in names_at(look, space_of(look, taken.object), page):
            record = record_of(look, name)
            first = record.start // PAGE
            pgoff = record.pgoff or (first if record.backing == "anon" else 0)
            if folio.index != pgoff + page - first:
                return f"{taken.task} maps {pte.folio}, whose index is not its entry's"
            if folio.anon_vma != record.anon_vma and operation(taken):
                return f"{taken.task} maps {pte.folio}, whose anon_vma is not {name}'s"
    return None


def pins(taken: Taken, look: Look) -> None:
    """Note which pages somebody has pinned and then found where they were."""
    key = f"S9 pins {taken.task}"
    if taken.verb in {"pin", "unpin"}:
        look.keep(key, "", taken.object if taken.verb == "pin" else "")
        look.keep(f"S9 pinned {taken.object}", 0, int("follow_page_pte" in taken.stack))
    if any(call == ("leave", "pin_user_page_fast", "0") for call in taken.calls):
        look.keep(f"S9 pinned {look.note(key, '')}", 0, 1)


def moves_rmap(taken: Taken, look: Look) -> str | None:
    """Judge giving a page another place."""
    task, name = taken.task, taken.object
    locks = {lock for lock, _ in held_by(look, task)}
    if look.note(f"S9 pinned {name}", 0):
        return f"{task} gives {name} another place, which is pinned"
    if not taken.before.exclusive:
        return f"{task} gives {name} another place, which has other owners"
    wanted = [f"folio {name.removeprefix('page ')}"]
    if "move_present" in taken.stack:
        wanted.append(f"anon_vma {taken.before.anon_vma}")
    missing = [lock for lock in wanted if lock not in locks]
    return f"{task} gives {name} another place without {missing[0]}" if missing else None
