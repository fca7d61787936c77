"""What each task holds, and between which steps it relies on a mapping: notes for all properties.

`held T`: the locks of task T. `in T`: the mappings whose read section T is in, that is from the
moment that the lock is surely got (a reader that will back out is not in yet) to its release.
`marked T`: the mappings that T has locked for writing; they go all at once with the sequence
number. `last T`: the mapping whose fields or lock T touched last. `mapped T`: whether T has a page
table mapped without its lock.
"""

from typing import Any, Final

from uffdviz.check.taken import Look, Property, Taken

Held = tuple[tuple[str, str], ...]
Names = tuple[str, ...]
NOT_LOCKED: Final = frozenset({"no", "NULL", "-EAGAIN"})
TRIES: Final = "vma_start_read"


class Holding(Property):
    """Keeps the notes; never finds anything wrong. It comes before all others."""

    def step(self, taken: Taken, look: Look) -> str | None:
        """Fold one step into the notes."""
        task = taken.task
        if taken.fact.kind.startswith("Lock"):
            change_locks(taken, look)
        if taken.kind in {"vma", "vma_lock"}:
            look.keep(f"last {task}", "", mapping_of(taken.object))
        if taken.verb == "add" and taken.object.startswith("mm_lock_seq"):
            look.keep(f"marked {task}", (), ())
        for call in taken.calls:
            if call[0] == "leave":
                left(task, call, look)
        maps(taken, look)
        return None


def change_locks(taken: Taken, look: Look) -> None:
    """Fold an acquisition, a release or a downgrade."""
    task, lock, mode = taken.task, taken.object, taken.fact.mode
    held: Held = look.note(f"held {task}", ())
    inside: Names = look.note(f"in {task}", ())
    name = mapping_of(lock)
    match taken.fact.kind:
        case "LockAcquired":
            held = (*held, (lock, mode))
            if taken.kind == "vma_lock" and mode == "read" and taken.function != TRIES:
                inside = (*inside, name)
        case "LockReleased":
            held = without(held, (lock, mode))
            if taken.kind == "vma_lock" and (lock, "read") not in held:
                inside = tuple(one for one in inside if one != name)
        case "LockDowngraded":
            held = tuple((one, "read" if one == lock else was) for one, was in held)
        case _:
            return
    if lock.startswith("mmap_lock") and (lock, "write") not in held:
        look.keep(f"marked {task}", (), ())
    look.keep(f"held {task}", (), held)
    look.keep(f"in {task}", (), inside)


def left(task: str, call: Names, look: Look) -> None:
    """Fold the return of a function that locks a mapping."""
    function, result = call[1], call[2]
    last: str = look.note(f"last {task}", "")
    if function == TRIES and result not in NOT_LOCKED:
        inside: Names = look.note(f"in {task}", ())
        if last not in inside:
            look.keep(f"in {task}", (), (*inside, last))
    if function == "vma_start_write" and last:
        marked: Names = look.note(f"marked {task}", ())
        if last not in marked:
            look.keep(f"marked {task}", (), tuple(sorted((*marked, last))))


def maps(taken: Taken, look: Look) -> None:
    """Note whether a page table is mapped without its lock."""
    for call in taken.calls:
        if call == ("leave", "pte_offset_map", "yes") and "pte_offset_map_lock" not in taken.stack:
            look.keep(f"mapped {taken.task}", 0, 1)
        elif call[:2] == ("enter", "pte_unmap"):
            look.keep(f"mapped {taken.task}", 0, 0)


def mapping_of(name: str) -> str:
    """The mapping that an object belongs to."""
    return name.removeprefix("mapping ").removeprefix("vma ")


def memory_of(look: Look, name: str) -> str:
    """The mapping whose memory a mapping has: itself, or the one that had it before, after a `~`."""
    memory = name
    while look.state(f"mapping {memory}") is None and "~" in memory:
        memory = memory.partition("~")[2]
    return memory


def record_of(look: Look, name: str) -> Any:
    """The record of a mapping that an address space has."""
    return look.state(f"mapping {memory_of(look, name)}")


def without(held: Held, one: tuple[str, str]) -> Held:
    """Drop one hold, the last one of its kind."""
    for at in range(len(held) - 1, -1, -1):
        if held[at] == one:
            return (*held[:at], *held[at + 1 :])
    return held


def held_by(look: Look, task: str) -> Held:
    """What a task holds after the step."""
    held: Held = look.note(f"held {task}", ())
    return held


def holds(look: Look, task: str, kind: str, mode: str = "") -> bool:
    """Whether a task holds a lock whose name begins so."""
    return any(lock.startswith(kind) and mode in {"", was} for lock, was in held_by(look, task))
