"""What a finished run has to say: by the keys of the `--json` output, and in words."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from uffdviz.run.machine import Machine
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Fold, Snapshot
from uffdviz.trace.speak import opening, told
from uffdviz.trace.standstill import cycle_text, standstill
from uffdviz.trace.totals import totals


def run_report(  # noqa: PLR0913
    machine: Machine,
    last: Snapshot,
    *,
    scenario: str,
    mutations: Sequence[str] = (),
    background: Sequence[str] = (),
    grouped: bool = False,
) -> dict[str, Any]:
    """Say all about a run by the keys of `run --json`; `grouped`: as those of `compare` have it."""
    stopped = not machine.choices()
    return {
        "scenario": scenario,
        "era": era_name(machine),
        "mutations": list(mutations),
        "schedule": schedule_lines(event.choice for event in machine.events),
        "returns": {
            name: [as_result(result) for result in task.results]
            for name, task in last.tasks.items()
        },
        "deadlock": standstill(last, background) if stopped else None,
        "totals": totals(machine.tasks, machine.events, grouped=grouped),
    }


def era_name(machine: Machine) -> str:
    """The era that the tasks run."""
    return next(task.kernel.era for task in machine.tasks.values())


def schedule_lines(choices: Iterable[str]) -> list[str]:
    """Write choices as a schedule: steps of one task in a row as one line."""
    lines = []
    for choice, same in groupby(choices):
        count = len(list(same))
        if " " in choice:
            lines += [choice] * count
        else:
            lines.append(f"{choice} x{count}")
    return lines


def as_result(text: str) -> int | str:
    """A result as JSON has it: an int, or an errno as text."""
    digits = text.removeprefix("-")
    return int(text) if digits.isascii() and digits.isdigit() else text


def event_lines(start: Snapshot, events: Iterable[Event]) -> Iterator[str]:
    """Say each event in words, with its number, its time and its place in the kernel."""
    fold: Fold = start.unfolded()
    width = max((len(name) for name in start.task_names), default=0)
    for event in events:
        fold.apply(event)
        text = event.text
        if event.fact == "LockContended":
            view = Snapshot(fold).tasks[event.task]
            text += f" behind {', '.join(view.behind)}" if view.behind else ""
        place = f"{event.function} {event.step}".strip()
        at = f"  [{place}]" if place else ""
        yield f"{event.n:>5} {duration(event.start):>10}  {event.task:<{width}}  {text}{at}"


def plain_lines(start: Snapshot, events: Iterable[Event]) -> Iterator[str]:
    """Say each event and all that it changed in sentences."""
    yield from opening(start)
    before = start
    for event in events:
        after = before.after(event)
        yield f"Step {event.n}. {' '.join(told(before, event, after))}"
        before = after


def duration(ns: int) -> str:
    """Say nanoseconds with a unit that keeps them short."""
    for unit, size in (("s", 10**9), ("ms", 10**6), ("µs", 10**3)):
        if ns >= size:
            return f"{ns / size:.2f} {unit}"
    return f"{ns} ns"


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """Set rows in columns: the first column to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        first, *rest = (
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        lines.append("  ".join((first, *rest)).rstrip())
    return lines


def totals_lines(sums: Mapping[str, Any]) -> list[str]:
    """Say the totals as two tables: locks, then tasks."""
    head = [
        "lock",
        "mode",
        "acquired",
        "contended",
        "wait total",
        "wait max",
        "hold total",
        "hold max",
    ]
    locks = [head]
    for row in sums["locks"]:
        wait, hold = row["wait_ns"], row["hold_ns"]
        spans = [duration(ns) for ns in (wait["total"], wait["max"], hold["total"], hold["max"])]
        counts = [str(row["acquisitions"]), str(row["contentions"])]
        locks.append([row["lock"], row["mode"], *counts, *spans])
    tasks = [["task", "wall", "running", "runnable", "uninterruptible", "killable", "userfaultfd"]]
    for name, row in (*sums["tasks"].items(), ("all", sums["all"])):
        tasks.append([name, *(duration(ns) for ns in task_figures(row))])
    return [*table(locks), "", *table(tasks), "", f"wall clock {duration(sums['wall_ns'])}"]


def task_figures(row: Mapping[str, Any]) -> list[int]:
    """A task's figures, with the locks added up."""
    return [
        row["wall_ns"],
        row["running_ns"],
        row["runnable_ns"],
        sum(row["uninterruptible_ns"].values()),
        sum(row["killable_ns"].values()),
        row["userfaultfd_ns"],
    ]


def ending_lines(report: Mapping[str, Any]) -> list[str]:
    """Say what the calls returned, and whether the run stands still."""
    lines = [
        f"{task} returned {', '.join(str(result) for result in results)}"
        for task, results in report["returns"].items()
        if results
    ]
    if report["deadlock"] is not None:
        lines.append(f"nobody can move: {cycle_text(report['deadlock'])}")
    return lines
