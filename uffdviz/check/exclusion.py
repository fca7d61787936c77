"""Who may be at a mapping together, and for how long it is there: S1, S2, S13."""

from typing import Any, Final

from uffdviz.check.held import TRIES, Names, held_by, holds, mapping_of, memory_of, record_of
from uffdviz.check.pages import entries_set, in_tree, names_at, space_of
from uffdviz.check.taken import Look, Property, Taken

FREE_TO_CHANGE: Final = frozenset({"lock_seq", "anon_vma", "freed"})
RCU: Final = {"rcu_read_lock": 1, "rcu_read_unlock": 0}
STRUCTURE: Final = "copy_page_range"


def changed_fields(before: Any, after: Any) -> frozenset[str]:
    """The fields in which two records differ."""
    fields: Names = before.__struct_fields__
    return frozenset(f for f in fields if getattr(before, f) != getattr(after, f))


class Exclusion(Property):
    """S1: nobody reads under a mapping's lock while somebody has locked it for writing.

    `at X`: the tasks inside X's read section, and the one that has marked X. It is folded from
    what each task's own notes say before and after the step.
    """

    ident = "S1"
    rule = "no task is inside a mapping's read section while another one changes the mapping"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        text = self._moved(taken, look, "in", "marked") or self._moved(taken, look, "marked", "in")
        text = text or together(taken)
        if text is None and taken.kind == "vma" and taken.before is not taken.after:
            text = self._changes(taken, look)
        for call in taken.calls:
            if text is None and call[:2] == ("enter", STRUCTURE):
                text = self._structure(taken, look)
        if text is None and taken.kind == "table" and "move_page_tables" in taken.stack:
            text = self._takes_along(taken, look)
        return text

    @staticmethod
    def _moved(taken: Taken, look: Look, mine: str, theirs: str) -> str | None:
        """Fold one of the task's notes into those of the mappings; judge what is new."""
        task = taken.task
        now: Names = look.note(f"{mine} {task}", ())
        seen: Names = look.note(f"S1 {mine} {task}", ())
        if now == seen:
            return None
        look.keep(f"S1 {mine} {task}", (), now)
        for name in {*seen} - {*now}:
            those: Names = look.note(f"S1 {mine} {name}", ())
            look.keep(f"S1 {mine} {name}", (), tuple(t for t in those if t != task))
        for name in sorted({*now} - {*seen}):
            those = look.note(f"S1 {mine} {name}", ())
            look.keep(f"S1 {mine} {name}", (), tuple(sorted((*those, task))))
            others = [t for t in look.note(f"S1 {theirs} {name}", ()) if t != task]
            if others:
                reads, writes = (task, others[0]) if mine == "in" else (others[0], task)
                return f"{reads} is inside vma {name} while {writes} has it locked for writing"
        return None

    @staticmethod
    def _changes(taken: Taken, look: Look) -> str | None:
        fields = changed_fields(taken.before, taken.after) - FREE_TO_CHANGE
        if taken.before.anon_vma and not taken.after.anon_vma and not taken.before.detached:
            fields |= {"anon_vma"}
        name = mapping_of(taken.object)
        others = [t for t in look.note(f"S1 in {name}", ()) if t != taken.task]
        alone = holds(look, taken.task, "mmap_lock", "write")
        if fields and not alone and in_tree(look, taken.before, name):
            what = ", ".join(sorted(fields))
            return f"{taken.task} changes {what} of {name} without mmap_lock for writing"
        if fields and others:
            what = ", ".join(sorted(fields))
            return f"{taken.task} changes {what} of {name} while {others[0]} is inside"
        return None

    @staticmethod
    def _structure(taken: Taken, look: Look) -> str | None:
        last: str = look.note(f"last {taken.task}", "")
        name = last.rpartition("/")[2]  # a child's mapping is called after its parent's
        others = [t for t in look.note(f"S1 in {name}", ()) if t != taken.task]
        marked: Names = look.note(f"marked {taken.task}", ())
        if name and others and name not in marked:
            return f"{taken.task} is in {STRUCTURE}() of {name} while {others[0]} is inside"
        return None

    @staticmethod
    def _takes_along(taken: Taken, look: Look) -> str | None:
        marked: Names = look.note(f"marked {taken.task}", ())
        for page in sorted(pages_of(taken.before) - pages_of(taken.after)):
            for name in names_at(look, space_of(look, taken.object), page):
                others = [t for t in look.note(f"S1 in {name}", ()) if t != taken.task]
                if others and name not in marked:
                    return f"{taken.task} moves pages out of {name} while {others[0]} is inside"
        return None


def pages_of(table: Any) -> frozenset[int]:
    """The pages that a page table has an entry for."""
    return frozenset(page for page, _ in table.entries)


def together(taken: Taken) -> str | None:
    """Judge an acquisition by who has the lock already."""
    if taken.fact.kind != "LockAcquired":
        return None
    writer = getattr(taken.before, "writer", "")
    has = taken.before.holders if taken.fact.mode == "write" else (writer,)
    others = [task for task in has if task not in {"", taken.task}]
    return f"{taken.task} gets {taken.object} while {others[0]} has it" if others else None


class Attached(Property):
    """S2: a mapping that is locked for reading belongs to the address space, and stays in it.

    A lock that was got under RCU counts once lock_vma_under_rcu() has looked whether it does.
    """

    ident = "S2"
    rule = "from the lock to its release a mapping is in its address space"

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        task = taken.task
        if taken.object.startswith("mm_lock_seq"):
            look.keep(f"S2 mm {task}", "", taken.object.removeprefix("mm_lock_seq").strip())
        inside: Names = look.note(f"in {task}", ())
        sure: Names = look.note(f"S2 sure {task}", ())
        now = tuple(name for name in sure if name in inside)
        new = [call[2] for call in taken.calls if call[:2] == ("leave", "lock_vma_under_rcu")]
        if taken.kind == "vma_lock" and taken.function != TRIES:
            new += [name for name in inside if name == mapping_of(taken.object)]
        text = None
        for name in new:
            if name in inside and name not in now:
                now = (*now, name)
                text = text or self._enters(taken, name, look)
        for name in {*now} ^ {*sure}:
            those: Names = look.note(f"S2 at {name}", ())
            look.keep(f"S2 at {name}", (), tuple(sorted({*those} ^ {task})))
        look.keep(f"S2 sure {task}", (), now)
        return text or self._leaves(taken, look)

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        for tree in () if unfinished else look.names("mm tree"):
            for _, _, name in look.state(tree).entries:
                record = record_of(look, name)
                lock = look.state(f"vma {memory_of(look, name)}")
                if record is not None and (record.detached or not getattr(lock, "attached", True)):
                    return f"{name} is in the address space, and nobody can lock it: it is detached"
        return None

    @staticmethod
    def _enters(taken: Taken, name: str, look: Look) -> str | None:
        record = record_of(look, name)
        lock = look.state(f"vma {name}")
        if record.detached or record.freed or not getattr(lock, "attached", True):
            return f"{taken.task} has locked vma {name}, which is not in the address space any more"
        space = record.mm if look.state(f"mm tree {record.mm}") is not None else ""
        if taken.function in {TRIES, "lock_vma_under_rcu"} and space != look.note(
            f"S2 mm {taken.task}", ""
        ):
            return f"{taken.task} has locked vma {name}, which is of another address space"
        return None

    @staticmethod
    def _leaves(taken: Taken, look: Look) -> str | None:
        if taken.kind not in {"vma", "vma_lock"} or taken.before is taken.after:
            return None
        gone = getattr(taken.after, "detached", False) or not getattr(taken.after, "attached", True)
        name = mapping_of(taken.object)
        others = [t for t in look.note(f"S2 at {name}", ()) if t != taken.task]
        return (
            f"{taken.task} detaches {name} while {others[0]} is inside" if gone and others else None
        )


QUEUEING: Final = frozenset(
    [
        "handle_userfault",
        "userfaultfd_event_wait_completion",
        "userfaultfd_poll",
        "userfaultfd_read",
    ]
)
"""Functions whose entry in a wait queue lies on their stack."""
LOCKLESS: Final = frozenset({"access", "user_page_present", "pin_user_page_fast", "punch_hole"})
"""The processor's own walk, one with interrupts off, and one under a lock that the model leaves out."""


MAPPING: Final = frozenset({"mfill_atomic_install_pte", "finish_fault"})
"""Functions that map a page of a file."""
GUARDS: Final = {"fault_wqh": "fault_pending_wqh"}
"""The lock of the first queue of faults covers both."""
FAULTING: Final = "handle_userfault"
WAKES: Final = "userfaultfd_wake_function"
CONTEXT: Final = frozenset(
    [
        *("ctx refcount", "map_changing_lock", "mmap_changing", "refile_seq", "released"),
        *("event_wqh", "fault_pending_wqh", "fault_wqh", "fd_wqh"),
    ]
)
"""What a userfaultfd context consists of."""


class Lifetime(Property):
    """S13: what is given back is not touched any more.

    A mapping's fields may be looked at under RCU, with its own lock, or with mmap_lock for writing;
    page tables need a lock that keeps munmap() from freeing them.
    """

    ident = "S13"
    rule = "no lock, mapping, page table, context or address space is touched after it was freed"

    def __init__(self) -> None:
        self._queues: set[str] = set()

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step."""
        if taken.kind == "queue":
            self._queues.add(taken.object)
            given_up(taken, look)
        return (
            unlocked_queue(taken, look)
            or self._freed(taken, look)
            or freed_context(taken, look)
            or left_entry(taken, look)
            or walks(taken, look)
            or maps_unlocked(taken, look)
            or self._stays(taken, look)
        )

    def end(self, look: Look, unfinished: Names) -> str | None:
        """Judge the world in which nobody moves any more."""
        orphans: Names = look.note("S13 orphans", ())
        for tree in () if unfinished or look.note("S13 failed", 0) else look.names("mm tree"):
            for _, _, name in look.state(tree).entries:
                record = record_of(look, name)
                ctx = record.ctx if record is not None else ""
                if ctx and look.state(f"released {ctx}"):
                    return f"{name} is still registered with {ctx}, which is closed"
                count = look.state(f"ctx refcount {ctx}") if ctx else None
                if count is not None and count <= 0:
                    return f"{name} is still registered with {ctx}, which is freed"
                if ctx in orphans:
                    return f"{name} is still registered with {ctx}, which nobody has heard of"
        return None

    def _stays(self, taken: Taken, look: Look) -> str | None:
        if any(mark.kind == "Failed" for mark in taken.marks) or taken.fact.kind == "Failed":
            look.keep("S13 failed", 0, 1)
        for call in taken.calls:
            if call[0] == "leave" and call[1] in QUEUEING:
                for name in sorted(self._queues):
                    state = taken.after if name == taken.object else look.state(name)
                    if any(entry.task == taken.task for entry in state.entries):
                        return f"{taken.task} leaves {call[1]}() and its entry in {name}"
        return None

    @staticmethod
    def _freed(taken: Taken, look: Look) -> str | None:
        under_rcu = look.note(f"rcu {taken.task}", 0) or "lock_vma_under_rcu" in taken.stack
        for call in taken.calls:
            if call[1] in RCU and call[0] == "enter":
                look.keep(f"rcu {taken.task}", 0, RCU[call[1]])
        if taken.kind in {"vma", "vma_lock"} and not under_rcu:
            return freed_mapping(taken, look)
        if taken.object.startswith("vma_writer_wait") and "vma_refcount_put" in taken.stack:
            suffix = taken.object.partition(" ")[2]
            tree = look.state(f"mm tree {suffix}".strip())
            if not tree.entries and look.state(f"mm_users {suffix}".strip()) == 0:
                count = look.state(f"mm_count {suffix}".strip())
                if count in {0, 1}:
                    return f"{taken.task} looks into an address space that is freed"
        return None


def unlocked_queue(taken: Taken, look: Look) -> str | None:
    """Judge changing a wait queue, whose entries are linked to each other, without its lock."""
    what, _, ctx = taken.object.rpartition(" ")
    if taken.kind != "queue" or taken.before == taken.after:
        return None
    lock = f"{GUARDS.get(what, what)}.lock {ctx}"
    if all(held != lock for held, _ in held_by(look, taken.task)):
        return f"{taken.task} changes {taken.object} without {lock}"
    return None


def given_up(taken: Taken, look: Look) -> None:
    """Note the child's context of a fork event that its sender has taken back."""
    if taken.verb == "withdraw":
        old = {
            entry.ctx for entry in taken.before.entries if entry.task == taken.task and entry.ctx
        }
        known: Names = look.note("S13 orphans", ())
        look.keep("S13 orphans", (), tuple(sorted({*known, *old})))


def freed_context(taken: Taken, look: Look) -> str | None:
    """Judge a step at something of a context whose last reference may be gone."""
    what, _, ctx = taken.object.rpartition(" ")
    if what.removesuffix(".lock") not in CONTEXT:
        return None
    key = f"S13 freed {ctx}"
    if look.note(key, 0):
        return f"{taken.task} touches {what} of the context {ctx}, which is freed"
    if what == "ctx refcount":
        look.keep(key, 0, int(taken.after <= 0))
    return None


def left_entry(taken: Taken, look: Look) -> str | None:
    """Judge waking a fault whose entry in the queue lay on a stack that it has left."""
    for call in taken.calls:
        if call[1] == FAULTING:
            look.keep(f"S13 faults {taken.task}", 0, int(call[0] == "enter"))
    owner = taken.object.removeprefix("task ")
    if taken.kind != "task" or owner == taken.task or WAKES not in {taken.function, *taken.stack}:
        return None
    if look.note(f"S13 faults {owner}", 0):
        return None
    return f"{taken.task} wakes {owner} by an entry of a queue that {owner} has left"


def freed_mapping(taken: Taken, look: Look) -> str | None:
    """Judge a step at a mapping that may have been freed, outside of RCU."""
    name = mapping_of(taken.object)
    if taken.kind == "vma":
        alone = taken.verb == "become" or holds(look, taken.task, "mmap_lock", "write")
        freed = taken.before.freed and not alone
        return f"{taken.task} looks at {name}, which is freed" if freed else None
    record = record_of(look, name)
    reused = getattr(taken.before, "count", None) is not None
    if record is not None and record.freed and not reused:
        return f"{taken.task} touches the lock of {taken.object}, which is freed"
    return None


def maps_unlocked(taken: Taken, look: Look) -> str | None:
    """Judge mapping a page of the page cache, which may be truncated while it is not locked."""
    if taken.kind != "table" or not MAPPING & set(taken.stack):
        return None
    for _, old, pte in entries_set(taken):
        folio = look.state(f"page {pte.folio}") if pte.kind == "page" else None
        fresh = folio is not None and folio.file and (old is None or old.folio != pte.folio)
        if fresh and f"folio {pte.folio}" not in dict(held_by(look, taken.task)):
            return f"{taken.task} maps {pte.folio} of the page cache, which it has not locked"
    return None


def walks(taken: Taken, look: Look) -> str | None:
    """Judge a look at a page table."""
    if taken.kind != "table" or LOCKLESS & {taken.function, *taken.stack[-2:]}:
        return None
    if any(lock.startswith(("mmap_lock", "vma ")) for lock, _ in held_by(look, taken.task)):
        return None
    return f"{taken.task} is at {taken.object} with no lock that keeps it from being freed"
