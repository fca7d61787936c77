"""Wait queues of a userfaultfd, and the sleep of a task.

Kernel: fs/userfaultfd.c (struct userfaultfd_wait_queue); kernel/sched/core.c, schedule().
"""

from typing import TYPE_CHECKING, Any

from uffdviz.kernel.locks.base import primitive
from uffdviz.kernel.memory import TaskState
from uffdviz.kernel.steps import Obj, Outcome, Step
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One message in a queue: who waits, and for what (`kind`: pagefault, fork, remap …).

    `taken`: off the queue, in the hands of a reader that still makes a file of a fork's context.
    """

    task: str
    kind: str = ""
    addr: int = 0
    end: int = 0
    to: int = 0
    flags: tuple[str, ...] = ()
    ctx: str = ""
    done: bool = False
    taken: bool = False


class Queue(msgspec.Struct, frozen=True, tag="queue", omit_defaults=True):
    """The entries of a wait queue, first come first."""

    entries: tuple[Entry, ...] = ()


def peek(s: Queue, task: str) -> Outcome:
    """Look at a queue; the answer is its entries."""
    seen = ", ".join(f"{e.kind} of {e.task}" if e.kind else e.task for e in s.entries) or "empty"
    return s, s.entries, Fact("Saw", detail=seen)


def append(s: Queue, task: str, name: str, entry: Entry) -> Outcome:
    """Join the queue at its end."""
    return Queue((*s.entries, entry)), None, Fact("Changed", detail=f"joins {name}")


def remove(s: Queue, task: str, name: str, entry: Entry) -> Outcome:
    """Take an entry off the queue; the answer says whether it was there."""
    left = tuple(e for e in s.entries if e != entry)
    verb = "leaves" if entry.task == task else f"takes {entry.task} off"
    return Queue(left), len(left) != len(s.entries), Fact("Changed", detail=f"{verb} {name}")


def replace(s: Queue, task: str, name: str, old: Entry, new: Entry) -> Outcome:
    """Change an entry in its place."""
    entries = tuple(new if e == old else e for e in s.entries)
    return Queue(entries), None, Fact("Changed", detail=f"answers {old.task} in {name}")


def withdraw(s: Queue, task: str, name: str) -> Outcome:
    """Take one's own entry off the queue, in whatever state; the answer: it was there."""
    left = tuple(e for e in s.entries if e.task != task)
    return Queue(left), len(left) != len(s.entries), Fact("Changed", detail=f"leaves {name}")


def entry_of(entries: tuple[Entry, ...], task: str) -> Entry | None:
    """The entry of `task`, or none."""
    return next((e for e in entries if e.task == task), None)


def intend(s: TaskState, task: str, run: Any) -> Outcome:
    """set_current_state(): from now on a wake-up counts, even before the task sleeps."""
    words = "will not sleep" if run == "running" else f"will sleep {run}"
    return msgspec.structs.replace(s, run=run), None, Fact("Changed", detail=words)


def intend_linked(s: TaskState, task: str, run: Any) -> Outcome:
    """set_current_state() of a task whose fault has just been linked into a queue."""
    after = msgspec.structs.replace(s, run=run, linked=True)
    return after, None, Fact("Changed", detail=f"will sleep {run}")


def unlink(s: TaskState, task: str, whom: str) -> Outcome:
    """list_del_init(): the task's fault is in no queue any more, and the task can see it."""
    after = msgspec.structs.replace(s, linked=False)
    return after, None, Fact("Changed", detail=f"unlinks the fault of {whom}")


def fall_asleep(s: TaskState, task: str) -> Outcome:
    """Sleep, unless a wake-up or a fatal signal came first; the answer: it did not sleep."""
    if s.run == "running" or (s.signal and s.run != "uninterruptible"):
        return msgspec.structs.replace(s, run="running"), True, Fact("Resumed")
    return msgspec.structs.replace(s, asleep=True), False, Fact("Slept", s.run)


def wake_up(s: TaskState, task: str) -> Outcome:
    """Go on once somebody has set this task running, or a fatal signal has."""
    if s.run != "running" and not (s.signal and s.run != "uninterruptible"):
        return None
    after = msgspec.structs.replace(s, run="running", asleep=False)
    return after, None, Fact("Resumed")


def rouse(s: TaskState, task: str, whom: str) -> Outcome:
    """try_to_wake_up() of another task."""
    after = msgspec.structs.replace(s, run="running", asleep=False)
    return after, None, Fact("Woke", tasks=(whom,))


def kill(s: TaskState, task: str) -> Outcome:
    """The environment's move: a fatal signal arrives."""
    return msgspec.structs.replace(s, signal=True), None, Fact("Killed")


@primitive
async def set_current_state(k: "Kernel", run: str) -> None:
    """Say how this task is going to sleep. Kernel: include/linux/sched.h."""
    await Step(k.current.state, intend, run, cost="store")


@primitive
async def schedule(k: "Kernel") -> None:
    """Sleep until woken, in the state that was set. Kernel: kernel/sched/core.c."""
    if not await Step(k.current.state, fall_asleep, cost="context_switch"):
        await Step(k.current.state, wake_up, cost="context_switch", waits=True)


@primitive
async def wake_up_task(k: "Kernel", state: Obj, whom: str) -> None:
    """Set a sleeping task running. Kernel: kernel/sched/core.c, wake_up_process()."""
    await Step(state, rouse, whom, cost="wake_up")


@primitive
async def signal_pending(k: "Kernel") -> bool:
    """Whether a fatal signal is pending. Kernel: fatal_signal_pending()."""
    return bool(await Step(k.current.state, has_signal, cost="check"))


def has_signal(s: TaskState, task: str) -> Outcome:
    """Look for a fatal signal."""
    return s, s.signal, Fact("Saw", detail=f"signal {'yes' if s.signal else 'no'}")
