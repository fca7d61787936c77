"""What may be done to page-table entries, pages and anon_vmas: S3, S7, S8, S9, S14."""

from collections.abc import Iterator
from typing import Any, Final

from uffdviz.check.held import Names, holds, mapping_of
from uffdviz.check.taken import Look, Property, Taken

PAGE: Final = 4096
MARKERS: Final = frozenset({"poison", "wp_marker"})
FAULTS: Final = frozenset({"kernel_fault", "page_fault", "copy_from_user", "pin_user_page"})
FILLING: Final = frozenset({"mfill_atomic"})
MOVING: Final = frozenset({"move_pages"})
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
        kind = operation(taken)
        if taken.kind != "table" or not kind:
            return None
        key = f"S3 took {taken.task}"
        took: int = look.note(key, -1)
        gone = {page for page, _ in taken.before.entries} - {
            page for page, _ in taken.after.entries
        }
        look.keep(key, -1, max(gone, default=-1))
        for page, _, pte in entries_set(taken):
            if page != took and (text := self._placed(taken, look, kind, page, pte)):
                return text
        return None

    @staticmethod
    def _placed(taken: Taken, look: Look, kind: str, page: int, pte: Any) -> str | None:
        inside: Names = look.note(f"in {taken.task}", ())
        names = inside or tree_names(look, page * PAGE)
        records = [look.state(f"mapping {name}") for name in names]
        home = next((r for r in records if r is not None and r.start <= page * PAGE < r.end), None)
        if home is None:
            where = " and ".join(names) or "any mapping"
            return f"{taken.task} sets an entry outside of {where}"
        ctx: str = look.note(f"S3 ctx {taken.task}", "")
        if not home.ctx or (kind == "move" and ctx and home.ctx != ctx and pte.folio):
            return f"{taken.task} sets an entry of a mapping that is not registered with {ctx}"
        if pte.kind == "page" and (folio := look.state(f"page {pte.folio}")) is not None:
            fits = folio.file == home.file if folio.file else not (home.shared and home.file)
            if not fits:
                return f"{taken.task} puts {pte.folio} into a mapping of another kind"
        return None


def tree_names(look: Look, addr: int) -> Names:
    """The mapping at an address by the first address space's tree."""
    tree = look.state("mm tree")
    if tree is None:
        return ()
    return tuple(name for start, end, name in tree.entries if start <= addr < end)


def in_tree(look: Look, record: Any, name: str) -> bool:
    """Whether a mapping can be found in its address space."""
    tree = look.state(f"mm tree {record.mm}") or look.state("mm tree")
    return tree is not None and any(one == name for _, _, one in tree.entries)


class AnonRule(Property):
    """S7: anonymous pages need an anon_vma, and that comes and goes under locks."""

    ident = "S7"
    rule = (
        "an anonymous page is mapped only where an anon_vma is, which is set and unset under locks"
    )

    def __init__(self) -> None:
        self._mappings: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.kind == "vma":
            self._mappings.add(taken.object)
            if taken.before.anon_vma != taken.after.anon_vma:
                return self._changed(taken, look)
        if taken.verb == "rmap_anon" and not taken.after.anon_vma:
            return f"{taken.task} maps {taken.object} as anonymous without an anon_vma"
        return None

    def _changed(self, taken: Taken, look: Look) -> str | None:
        task, name = taken.task, mapping_of(taken.object)
        if taken.before.start == taken.before.end or taken.verb == "become":
            return None  # a mapping that nobody can find yet
        if not taken.after.anon_vma:
            if holds(look, task, "mmap_lock", "write") or not in_tree(look, taken.before, name):
                return None
            return f"{task} takes the anon_vma from {name} without mmap_lock for writing"
        if not holds(look, task, "mmap_lock"):
            return f"{task} gives {name} an anon_vma without mmap_lock"
        if taken.verb == "publish" and not taken.after.anon_vma.startswith(f"{name}@"):
            users = [look.state(mapping) for mapping in sorted(self._mappings)]
            if not any(
                user is not None and user.anon_vma == taken.after.anon_vma for user in users
            ):
                return f"{task} gives {name} the anon_vma {taken.after.anon_vma}, which is freed"
        return None


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
        for page, old, pte in entries_set(taken) if kind else ():
            if old is not None and old.kind not in MARKERS:
                return f"{taken.task} sets an entry that holds {old.folio or old.kind} already"
            if (
                kind == "move"
                and pte.kind in {"page", "swap"}
                and self._mapped(taken, look, page, pte)
            ):
                return f"{taken.task} maps {pte.folio} twice"
        if kind == "move":
            self._carry(taken, look)
        return self._returns(taken, look)

    def _mapped(self, taken: Taken, look: Look, page: int, pte: Any) -> bool:
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


class Rmap(Property):
    """S9: rmap finds a page where it is mapped, whenever the page is unlocked."""

    ident = "S9"
    rule = "an unlocked anonymous page has the index of the entry that maps it"

    def __init__(self) -> None:
        self._tables: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.kind == "table":
            self._tables.add(taken.object)
        moved = any(call[:2] == ("enter", "move_page_tables") for call in taken.calls)
        if moved:
            look.keep("S9 mremap", 0, 1)
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


class Permission(Property):
    """S14: in the end nothing is writable that may not be."""

    ident = "S14"
    rule = "when all is quiet, no entry is writable where its mapping is not"

    def __init__(self) -> None:
        self._tables: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Learn which page tables there are."""
        if taken.kind == "table" and " " in taken.object:
            self._tables.add(taken.object)
        return None

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        tree = look.state("mm tree")
        for start, end, name in tree.entries if tree is not None else ():
            record = look.state(f"mapping {name}")
            if "w" in record.prot:
                continue
            for table in same_mm(look, self._tables, ""):
                for page, pte in look.state(table).entries:
                    if start <= page * PAGE < end and pte.kind == "page" and pte.write:
                        return f"{name} is {record.prot}, and the entry of its page {page - start // PAGE} is writable"
        return None
