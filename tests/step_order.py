"""The order in which the numbered steps of the reference are taken in a run."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from uffdviz.kernel.labels import label
from uffdviz.run.interleaving import next_choice
from uffdviz.run.setting import Setting
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.events import Event

OPERATIONS = {
    "munmap": "munmap",
    "mremap": "mremap",
    "madvise": "madvise",
    "raise_event": "madvise",
    "fork": "fork",
    "mmap": "mmap",
    "mprotect": "mprotect",
}
"""In which module the bare numbers of section 7 belong to which operation; numbers elsewhere are
those of locks."""
MOST = 5_000
SIGNS = {"LockAcquired": "+", "LockReleased": "-", "LockDowngraded": "~"}
NAMED = {
    "mmap_lock",
    "map_changing_lock",
    "fault_pending_wqh.lock",
    "event_wqh.lock",
    "fd_wqh.lock",
}


def steps_of(setting: Setting) -> dict[str, list[str]]:
    """The labels that each task passes in timed order, `->` before the result of each call.

    A label appears when it is come to, outer ones before inner ones; the same one twice is once.
    """
    machine, scheduler = setting.machine(), Timed()
    order: dict[str, list[str]] = {name: [] for name in machine.tasks}
    stood: dict[str, tuple[str, ...]] = dict.fromkeys(machine.tasks, ())
    while len(machine.events) < MOST and (choice := next_choice(machine, scheduler)) is not None:
        name = choice.rpartition(" ")[2]
        if name in order:
            now = tuple(path(machine.tasks[name].coro))
            order[name] += come_to(stood[name], now)
            stood[name] = now
        event = machine.step(choice)
        if event.fact == "Returned":
            order[event.task].append(f"->{event.detail}")
    return {name: [step for step, _ in groupby(steps)] for name, steps in order.items()}


def come_to(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[str, ...]:
    """The labels of a place that the place before did not have."""
    same = 0
    while same < min(len(before), len(now)) and before[same] == now[same]:
        same += 1
    return now[same:]


def path(coro: Any) -> Iterator[str]:
    """The labels of all functions that a task is in, outermost first."""
    while coro is not None and hasattr(coro, "cr_code"):
        if coro.cr_frame is not None and (here := label(coro.cr_code, coro.cr_frame.f_lasti)):
            module = coro.cr_frame.f_globals["__name__"].rpartition(".")[2]
            if not here.isdigit():
                yield here
            elif module in OPERATIONS:
                yield f"{OPERATIONS[module]}.{here}"
        coro = coro.cr_await


def locks_of(setting: Setting) -> dict[str, list[str]]:
    """What each task does to locks, counters and sleepers in timed order, in short words.

    `+`: takes, `-`: releases, `~`: downgrades; `SW`: write-locks a mapping; `seq`: moves
    mm_lock_seq. For operations that the reference describes in words, without numbers.
    """
    machine, scheduler = setting.machine(), Timed()
    order: dict[str, list[str]] = {name: [] for name in machine.tasks}
    while len(machine.events) < MOST and (choice := next_choice(machine, scheduler)) is not None:
        event = machine.step(choice)
        said = order[event.task]
        if word := word_of(event):
            said.append(word)
        said += ["SW" for call in event.calls if call[:2] == ("enter", "vma_start_write")]
    return order


def word_of(event: Event) -> str:
    """An event on something that the reference's sentences name; else nothing."""
    name = event.object
    if event.fact in SIGNS and name.partition(" ")[0] in NAMED:
        return f"{SIGNS[event.fact]}{name} {event.mode[0]}"
    if event.fact == "Woke":
        return f"wake {event.tasks[0]}"
    if event.fact == "Changed" and name.startswith("mm_lock_seq"):
        return "seq"
    if event.fact == "Changed" and name.startswith(("released", "ctx refcount", "mm_users")):
        return name.rpartition(" ")[0] or name
    return f"->{event.detail}" if event.fact == "Returned" else ""
