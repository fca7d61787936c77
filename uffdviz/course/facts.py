"""Facts that lessons state, `TASK LANDMARK` or `deadlock`: read, judged, and said when wrong."""

from collections.abc import Collection

from uffdviz.errors import ScheduleError, near_miss
from uffdviz.light import msgspec
from uffdviz.run.interleaving import Interleaving, function_names
from uffdviz.run.setting import Setting
from uffdviz.trace.landmark import Landmark, check_lock, expected, parse_landmark, where_it_is
from uffdviz.trace.standstill import cycle_text, standstill

DEADLOCK = "deadlock"
VIOLATES = "violates"


class Stated(msgspec.Struct, frozen=True):
    """A fact as it was read; without a task it says that nobody can move."""

    text: str
    task: str = ""
    landmark: Landmark | None = None


def parse_fact(text: str, tasks: Collection[str], functions: Collection[str] = ()) -> Stated:
    """Read a fact.

    Raises: ScheduleError with what would be right.
    """
    words = " ".join(text.split())
    if words == DEADLOCK:
        return Stated(words)
    task, _, rest = words.partition(" ")
    if task not in tasks:
        known = (*tasks, DEADLOCK)
        msg = f"{words!r}: no task {task!r}; a fact is 'TASK LANDMARK' or 'deadlock', tasks are {', '.join(tasks)}{near_miss(task, known)}"
        raise ScheduleError(msg)
    return Stated(words, task, parse_landmark(rest, functions))


def read_fact(text: str, setting: Setting) -> Stated:
    """Read a fact about runs of a setting.

    Raises: ScheduleError.
    """
    machine = setting.machine()
    fact = parse_fact(text, tuple(machine.tasks), function_names(machine))
    if fact.landmark is not None:
        check_lock(fact.landmark, machine.start)
    return fact


def holds(fact: Stated, run: Interleaving) -> bool:
    """Whether a fact is so now."""
    now = run.now
    if fact.landmark is None:
        return not run.machine.choices() and standstill(now, run.machine.background) is not None
    if fact.landmark.kind in {"holds", "waits"}:
        check_lock(fact.landmark, now)
    return expected(fact.landmark, fact.task, run.events, now)


def instead(fact: Stated, run: Interleaving) -> str:
    """What is so instead of a fact that is not."""
    now = run.now
    if fact.landmark is None:
        movers = run.machine.choices()
        if movers:
            return f"{', '.join(movers)} can still move"
        return "every task is done"
    view = now.tasks[fact.task]
    if fact.landmark.kind == "holds":
        held = ", ".join(f"{lock} for {mode}" for lock, mode in view.holds)
        return f"it holds {held or 'no lock'}"
    if fact.landmark.kind == "returns" and view.results:
        return f"it returned {view.results[-1]}"
    return where_it_is(view)


def circle(run: Interleaving) -> str:
    """Why nobody can move, in words; nothing if somebody can, or all is done."""
    if run.machine.choices():
        return ""
    cycle = standstill(run.now, run.machine.background)
    return cycle_text(cycle) if cycle else ""
