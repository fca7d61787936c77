"""What a run has left behind: everything that no task holds or owes any more must be as it was."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from uffdviz.kernel.locks.seqcount import SeqCount
from uffdviz.kernel.memory import Folio, PageTable, Pte, Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, Mm, Uffd
from uffdviz.kernel.stage import Stage, objects_of
from uffdviz.kernel.vma_tree import linear_pgoff
from uffdviz.run.machine import Machine

ASLEEP = ("handle_userfault", "userfaultfd_event_wait_completion", "userfaultfd_read")


def left_behind(machine: Machine, stage: Stage) -> list[str]:
    """What is wrong with the world of a machine in which nobody can move; empty if nothing is."""
    world = machine.named
    if blocked := [*misuse(machine), *stuck(machine)]:
        return blocked
    return [
        *held(world),
        *counts(machine, stage, world),
        *(w for uffd in stage.uffds.values() for w in owed(machine, uffd, world)),
        *(w for mm in stage.mms.values() for w in torn(stage, mm, world)),
        *pages(stage, world),
        *leaked(stage, world),
    ]


def misuse(machine: Machine) -> Iterator[str]:
    """A lock that was released by somebody who did not hold it."""
    return (e.sentence for e in machine.events if e.fact == "LockMisused")


def stuck(machine: Machine) -> Iterator[str]:
    """A task that is neither done nor asleep for user space."""
    for name, task in machine.tasks.items():
        if task.ask is not None and task.place[0] not in ASLEEP:
            yield f"{name} is stuck in {task.place[0]} before {machine.next_object(name)}"


def held(world: dict[str, Any]) -> Iterator[str]:
    """A lock that somebody holds, or queues for."""
    for name, state in world.items():
        if (
            getattr(state, "holders", ())
            or getattr(state, "queue", ())
            or getattr(state, "flag", "")
        ):
            yield f"{name} is not free: {state}"


def counts(machine: Machine, stage: Stage, world: dict[str, Any]) -> Iterator[str]:
    """References to address spaces and pages; who faults while it copies holds an address space."""
    most = 1 + sum(task.place[0] == "handle_userfault" for task in machine.tasks.values())
    for mm in stage.mms.values():
        if not 1 <= world.get(mm.users.name, 1) <= most or world.get(mm.count.name, 1) != 1:
            yield f"{mm.users.name} is {world[mm.users.name]}, not 1"
    for name, state in world.items():
        first = machine.start.objects.get(name)
        if name.startswith("page ") and hasattr(state, "refs"):
            expected = getattr(first, "refs", 1)
            if state.refs != expected:
                yield f"{name} has {state.refs} references, not {expected}"


def owed(machine: Machine, uffd: Uffd, world: dict[str, Any]) -> Iterator[str]:
    """The counter, the references and the queues of a userfaultfd against those who sleep."""

    def now(obj: Any) -> Any:
        return world.get(obj.name, obj.initial)

    faults = {e.task for e in (*now(uffd.fault_pending_wqh).entries, *now(uffd.fault_wqh).entries)}
    events = {e.task for e in now(uffd.event_wqh).entries}
    sleepers = {
        place: {n for n, t in machine.tasks.items() if t.place[0] == place} for place in ASLEEP
    }
    if not faults <= sleepers["handle_userfault"]:
        yield f"faults of {faults} are queued in {uffd.name}, nobody sleeps there"
    senders = sleepers["userfaultfd_event_wait_completion"]
    if not events <= senders:
        yield f"events of {events} are queued in {uffd.name}, nobody waits for them"
    if now(uffd.mmap_changing) < len(events) or (now(uffd.mmap_changing) and not senders):
        yield f"{uffd.mmap_changing.name} is {now(uffd.mmap_changing)} with {len(events)} waiting"
    if now(uffd.released) and (faults or events):
        yield f"{uffd.name} is released and {faults | events} sleep"
    if now(uffd.refile_seq) != SeqCount():
        yield f"{uffd.refile_seq.name} is odd, or somebody still looks"
    own = 1 - bool(now(uffd.released))
    least = len(faults) + now(uffd.mmap_changing) + (own if "/" not in uffd.name else 0)
    refs = now(uffd.refcount)
    if not least <= refs <= least + ("/" in uffd.name):
        yield f"{uffd.refcount.name} is {refs}, not {least}"


def torn(stage: Stage, mm: Mm, world: dict[str, Any]) -> Iterator[str]:
    """Mappings that are in the tree and not whole, and entries that outlived their mapping."""
    tree: Tree = world.get(mm.tree.name, mm.tree.initial)
    ends = 0
    for start, end, name in tree.entries:
        rec: VmaRecord = world[stage.vma(name).rec.name]
        lock = world.get(stage.vma(name).lock.name)
        if (rec.start, rec.end, rec.mm) != (start, end, mm.name):
            yield f"mapping {name} is in the tree at {start:#x}-{end:#x} and says {rec}"
        if rec.detached or rec.freed or not getattr(lock, "attached", True):
            yield f"mapping {name} is in the tree, but detached or freed"
        if start < ends:
            yield f"mapping {name} overlaps the one before it"
        yield from badly_registered(stage, name, rec, world)
        ends = end
    for addr, pte in entries(mm, world):
        if not any(start <= addr < end for start, end, _ in tree.entries):
            yield f"{pte} is left at {addr:#x} of {mm.name}, where nothing is mapped"


def leaked(stage: Stage, world: dict[str, Any]) -> Iterator[str]:
    """Mappings that nobody can find and that were never given back."""
    trees: list[Tree] = [world.get(mm.tree.name, mm.tree.initial) for mm in stage.mms.values()]
    found = {stage.vma(name).rec.name for tree in trees for _, _, name in tree.entries}
    for name, state in world.items():
        if isinstance(state, VmaRecord) and not state.freed and name not in found:
            yield f"{name} is in no tree, and was not freed"


def badly_registered(
    stage: Stage, name: str, rec: VmaRecord, world: dict[str, Any]
) -> Iterator[str]:
    """A mapping that watches for nothing, or for somebody who is gone."""
    if bool(rec.ctx) != bool(rec.modes):
        yield f"mapping {name} has ctx {rec.ctx!r} and modes {rec.modes}"
    if rec.ctx and world.get(stage.uffd(rec.ctx).released.name):
        yield f"mapping {name} is registered with {rec.ctx}, which is closed"


def entries(mm: Mm, world: dict[str, Any]) -> Iterator[tuple[int, Pte]]:
    """The page-table entries of an address space, by address."""
    for obj in objects_of(mm):
        state = world.get(obj.name)
        if isinstance(state, PageTable):
            yield from ((page * PAGE_SIZE, pte) for page, pte in state.entries)


def pages(stage: Stage, world: dict[str, Any]) -> Iterator[str]:
    """Exclusive pages that are mapped twice, and anonymous pages that rmap cannot find."""
    mapped: Counter[str] = Counter()
    for mm in stage.mms.values():
        tree: Tree = world.get(mm.tree.name, mm.tree.initial)
        for addr, pte in entries(mm, world):
            name = next((n for low, high, n in tree.entries if low <= addr < high), "")
            if pte.kind != "page" or not name:
                continue
            mapped[pte.folio] += 1
            folio: Folio = world[stage.folio(pte.folio).rec.name]
            if mapped[pte.folio] > 1 and folio.exclusive:
                yield f"{pte.folio} is exclusive and mapped twice"
            yield from lost(pte, folio, name, world[stage.vma(name).rec.name], addr)


def lost(pte: Pte, folio: Folio, name: str, rec: VmaRecord, addr: int) -> Iterator[str]:
    """A mapped page whose rmap leads elsewhere, or that may be written where nobody may."""
    index = linear_pgoff(rec) + (addr - rec.start) // PAGE_SIZE
    if folio.anon_vma and (folio.anon_vma, folio.index) != (rec.anon_vma, index):
        yield f"{pte.folio} at {name} has {folio}, the mapping {rec}, index {index}"
    if not folio.anon_vma and not folio.file:
        yield f"{pte.folio} at {name} belongs to nobody"
    if pte.write and "w" not in rec.prot:
        yield f"{pte.folio} is writable in {name}, which is not"
