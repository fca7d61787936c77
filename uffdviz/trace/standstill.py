"""Who waits for whom when nobody can move."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import PAGE, Snapshot, TaskView

Cycle = list[dict[str, Any]]


def standstill(
    snapshot: Snapshot, background: Collection[str] = (), events: Sequence[Event] = ()
) -> Cycle | None:
    """Explain why nobody can move; None: every task that is not in the background is done.

    The caller knows that nobody can move. `events`: what happened, if it is to say who filled a
    page and did not say so. Returns: the tasks of a circle, each waiting for the next, or, without
    one, every task that is unfinished.
    """
    tasks = snapshot.tasks
    stuck = [name for name, task in tasks.items() if task.state != "done"]
    if all(name in background for name in stuck):
        return None
    for name in stuck:
        if circle := _circle(name, tasks):
            return [link(tasks[task], snapshot, events) for task in circle]
    return [link(tasks[name], snapshot, events) for name in stuck]


def _circle(start: str, tasks: Mapping[str, TaskView]) -> tuple[str, ...]:
    """Find the shortest way from a task back to itself along those who keep it waiting."""
    paths: list[tuple[str, ...]] = [(start,)]
    seen: set[str] = set()
    while paths:
        path = paths.pop(0)
        for name in tasks[path[-1]].behind:
            if name == start:
                return path
            if name in tasks and name not in seen:
                seen.add(name)
                paths.append((*path, name))
    return ()


def link(task: TaskView, snapshot: Snapshot, events: Sequence[Event] = ()) -> dict[str, Any]:
    """Say what a task holds, what it waits for, and behind whom, by the JSON keys."""
    if task.state == "blocked":
        waits = {"lock": task.lock, "mode": task.mode}
    else:
        waits = {"lock": "userfaultfd", "mode": task.manner}
        if left := forsaken(task.name, snapshot):
            waits["forsaken"] = left
        elif said := disowned(task.name, snapshot, events):
            waits["disowned"] = said
    return {
        "task": task.name,
        "holds": [{"lock": lock, "mode": mode} for lock, mode in task.holds],
        "waits_for": waits,
        "behind": [before(name, task, snapshot) for name in task.behind],
    }


def fault_of(task: str, snapshot: Snapshot) -> Any | None:
    """The entry of a task's fault in the queues of a userfaultfd that is open, if there is one."""
    closed = {
        name.partition(" ")[2]
        for name, state in snapshot.objects.items()
        if name.startswith("released") and state
    }
    queues = (
        state for name, state in snapshot.objects.items() if name.partition(" ")[2] not in closed
    )
    queued = (entry for state in queues for entry in getattr(state, "entries", ()))
    faults = (e for e in queued if getattr(e, "kind", "") == "pagefault" and e.task == task)
    return next(faults, None)


def disowned(task: str, snapshot: Snapshot, events: Sequence[Event]) -> str:
    """The call and the errno of whoever filled the page that a task sleeps for; or nothing.

    A call that says that it has failed wakes nobody, whatever it has done.
    """
    fault = fault_of(task, snapshot)
    if fault is None:
        return ""
    page = str(fault.addr // PAGE)
    filled = next((e for e in reversed(events) if e.pages and e.pages.get(page)), None)
    if filled is None:
        return ""
    calls = [e for e in events if e.task == filled.task and e.fact in {"Called", "Returned"}]
    call = next((e.detail for e in reversed(calls) if e.n < filled.n), "")
    result = next((e.detail for e in calls if e.n > filled.n), "")
    return f"{call.partition(' ')[0]} that returned {result}" if result.startswith("-") else ""


def forsaken(task: str, snapshot: Snapshot) -> str:
    """The mapping in which a task sleeps on a fault although no userfaultfd watches it; or nothing."""
    fault = fault_of(task, snapshot)
    for name, state in snapshot.objects.items():
        if fault is None or not name.startswith("mapping ") or state.freed or state.detached:
            continue
        if state.start <= fault.addr < state.end and not state.ctx:
            return name.removeprefix("mapping ")
    return ""


def before(name: str, task: TaskView, snapshot: Snapshot) -> dict[str, str]:
    """Say how `name` is before `task`: it holds the lock, or is queued for it."""
    state = snapshot.objects[task.lock]
    if name in state.holders:
        mode = "read" if name in getattr(state, "readers", ()) else "write"
        return {"task": name, "mode": mode, "state": "holds"}
    modes = {waiter.task: waiter.mode for waiter in state.queue}
    return {"task": name, "mode": modes[name], "state": "queued"}


def cycle_text(cycle: Cycle) -> str:
    """Say a standstill in a sentence a task."""
    parts = []
    for entry in cycle:
        waits = entry["waits_for"]
        if waits["lock"] == "userfaultfd":
            left = waits.get("forsaken", "")
            words = f" on a fault in {left}, which is registered no more" if left else ""
            if said := waits.get("disowned", ""):
                words = f" on a fault whose page came by a {said}"
            parts.append(f"{entry['task']} sleeps{words}")
            continue
        who = " and ".join(_role(one) for one in entry["behind"])
        behind = f" behind {who}" if who else ""
        parts.append(f"{entry['task']} waits for {waits['lock']} to {waits['mode']}{behind}")
    return "; ".join(parts)


def _role(one: dict[str, str]) -> str:
    verb = "holds it for" if one["state"] == "holds" else "queues to"
    return f"{one['task']}, which {verb} {one['mode']}"
