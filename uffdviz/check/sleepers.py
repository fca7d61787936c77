"""Why a task that sleeps for ever does: a lost wake-up (L2, L6), or nobody to answer (L1)."""

from collections.abc import Mapping
from typing import Any, Final

DEADLOCK: Final = "L1"
PAGE: Final = 4096
Stacks = Mapping[str, tuple[str, ...]]


def classify(world: Mapping[str, Any], stacks: Stacks, asleep: Mapping[str, bool]) -> str:
    """Which property a standstill breaks. `stacks`: where each unfinished task is.

    Somebody who waits for a lock makes it a deadlock, whatever the others sleep for.
    """
    if not all(asleep.values()):
        return DEADLOCK
    if any(is_forgotten_fault(world, task, stack) for task, stack in stacks.items()):
        return "L2"
    if any(is_forgotten_sender(world, task, stack) for task, stack in stacks.items()):
        return "L6"
    return DEADLOCK


def is_forgotten_fault(world: Mapping[str, Any], task: str, stack: tuple[str, ...]) -> bool:
    """Whether a fault sleeps although its page is there, or its userfaultfd is closed."""
    if "handle_userfault" not in stack:
        return False
    entries = [
        (name.partition(" ")[2], entry)
        for name, queue in world.items()
        if name.startswith(("fault_pending_wqh ", "fault_wqh "))
        for entry in getattr(queue, "entries", ())
        if entry.task == task
    ]
    if not entries:
        return True
    ctx, entry = entries[0]
    return bool(world.get(f"released {ctx}")) or is_resolved(world, entry.addr, "wp" in entry.flags)


def is_resolved(world: Mapping[str, Any], addr: int, wp: bool) -> bool:  # noqa: FBT001
    """Whether the page at an address is there, and not protected if that was the fault."""
    for name, table in world.items():
        if name.startswith("page table "):
            for page, pte in table.entries:
                if page == addr // PAGE:
                    return pte.kind in {"page", "zero"} and not (wp and pte.wp)
    return False


def is_forgotten_sender(world: Mapping[str, Any], task: str, stack: tuple[str, ...]) -> bool:
    """Whether a sender sleeps although its event was read, or its userfaultfd is closed."""
    if "userfaultfd_event_wait_completion" not in stack:
        return False
    queues = {
        name.partition(" ")[2]: [e.task for e in queue.entries]
        for name, queue in world.items()
        if name.startswith("event_wqh ") and hasattr(queue, "entries")
    }
    mine = [ctx for ctx, tasks in queues.items() if task in tasks]
    return not mine or any(world.get(f"released {ctx}") for ctx in mine)
