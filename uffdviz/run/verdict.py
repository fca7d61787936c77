"""What a search has shown: verdicts, and findings, each with the easiest run that shows it."""

from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Final

from uffdviz.check.sleepers import DEADLOCK, classify
from uffdviz.check.taken import Property
from uffdviz.errors import ModelError
from uffdviz.kernel.steps import Step
from uffdviz.light import msgspec
from uffdviz.run.explore import Limits, Seen, explore
from uffdviz.run.livelock import Round, can_go_round, has_circles, rounds, whole
from uffdviz.run.machine import Machine
from uffdviz.run.report import schedule_lines
from uffdviz.run.shortest import (
    Broken,
    Ended,
    Goal,
    Move,
    Shortest,
    Trapped,
    choices,
    point_of_no_return,
)
from uffdviz.run.space import Here, Space
from uffdviz.trace.snapshot import History
from uffdviz.trace.standstill import Cycle, cycle_text, standstill

NO_CIRCLE: Final = "nobody can move any more"


class Finding(msgspec.Struct, frozen=True):
    """One thing that went wrong, and the easiest run to it; by the keys of `check --json`.

    `shortest` is False if the search for the easiest run met a limit: then this is some run.
    """

    property: str
    text: str
    schedule: list[str]
    steps: int
    switches: int
    point_of_no_return: int | None
    cycle: Cycle | None
    shortest: bool = True
    known_flaw: bool = False
    choices: tuple[str, ...] = ()


class Verdict(msgspec.Struct):
    """What a search has shown; unless it is `finished`, what was not found is not proven."""

    states: int
    transitions: int
    finished: bool
    findings: list[Finding]


def judge(
    space: Space, machine: Callable[[], Machine], limits: Limits, *, reduce: bool = True
) -> Verdict:
    """Search a space, and find for each property that breaks the easiest run to it."""
    seen = explore(space, limits, reduce=reduce, swap=reduce)
    finished = seen.finished
    wanted = list(goals(space, seen))
    if finished and can_go_round(space) and has_circles(space, seen, limits):
        every = whole(space, limits) if reduce else seen
        found = rounds(space, every, limits) if every.finished else None
        finished = found is not None
        wanted += {name_of_round(one): Trapped(one) for one in reversed(found or [])}.items()
    findings = [
        finding
        for ident, goal in wanted
        if (finding := find(space, machine, seen, ident, goal, limits)) is not None
    ]
    return Verdict(seen.states, seen.transitions, finished, findings)


def goals(space: Space, seen: Seen) -> Iterator[tuple[str, Goal]]:
    """Give each property that a search saw broken, and how to recognise it."""
    for ident in sorted({standing(space, state) for state in seen.stuck}):
        yield ident, Ended(partial(stands_for, space, ident))
    broken = {ident for row in space.rows() for bad in row.bad.values() for ident, _ in bad}
    for rule in space.properties:
        if rule.ident in broken:
            yield rule.ident, Broken(rule.ident)
        elif any(ending(space, rule, state) for state in (*seen.ends, *seen.stuck)):
            yield rule.ident, Ended(partial(breaks_in_the_end, space, rule))


def standing(space: Space, state: int) -> str:
    """Which property a standstill breaks."""
    tasks = [task for task in space.unfinished(state) if task not in space.background]
    nodes = {task: space.node(task, state) for task in tasks}
    asleep = {
        task: isinstance(node.ask, Step) and node.ask.obj.kind == "task"
        for task, node in nodes.items()
    }
    return classify(space.world(state), {t: node.stack for t, node in nodes.items()}, asleep)


def stands_for(space: Space, ident: str, state: int) -> bool:
    """Whether a state in which nobody moves is a standstill of this kind."""
    return space.is_stuck(state) and standing(space, state) == ident


def name_of_round(found: Round) -> str:
    """Which property a round breaks: that of a move (L5), or it is a livelock (L1)."""
    move = all("move_pages" in stack for stack in found.movers.values())
    return "L5" if move else DEADLOCK


def breaks_in_the_end(space: Space, rule: Property, state: int) -> bool:
    """Whether a property is broken in a state in which nobody moves."""
    return ending(space, rule, state) is not None


def ending(space: Space, rule: Property, state: int) -> str | None:
    """What a property says about a state in which nobody moves; the background need not be done."""
    waiting = tuple(task for task in space.unfinished(state) if task not in space.background)
    return rule.end(Here(space, state), waiting)


def find(  # noqa: PLR0913, PLR0917
    space: Space,
    machine: Callable[[], Machine],
    seen: Seen,
    ident: str,
    goal: Goal,
    limits: Limits,
) -> Finding | None:
    """Find the easiest run to a goal, and run it on a machine."""
    path = Shortest(space, goal, limits).path()
    if path is not None:
        lost = point_of_no_return(space, path, goal, limits)
        return finding_of(space, machine, ident, goal, path, lost=lost, shortest=True)
    some = some_path(space, seen, goal)
    return None if some is None else finding_of(space, machine, ident, goal, some)


def finding_of(  # noqa: PLR0913
    space: Space,
    machine: Callable[[], Machine],
    ident: str,
    goal: Goal,
    path: list[Move],
    *,
    lost: int | None = None,
    shortest: bool = False,
) -> Finding:
    """Make the finding at the end of a path, after running it on a machine.

    Raises: ModelError if the machine comes to another world.
    """
    taken = [choices(space, row, state) for row, state in path]
    run = machine()
    for choice in (choice for part in taken for choice in part):
        run.step(choice)
    check_world(space, run, after(path))
    run_out(run, goal)
    snapshot = History(run.start, run.events).last
    cycle = standstill(snapshot, space.background, run.events) if not run.choices() else None
    return Finding(
        property=ident,
        text=said(space, ident, goal, path, cycle),
        schedule=schedule_lines(event.choice for event in run.events),
        steps=len(run.events),
        switches=switches(run),
        point_of_no_return=None if lost is None else sum(map(len, taken[: lost + 1])),
        cycle=cycle,
        shortest=shortest,
        choices=tuple(event.choice for event in run.events),
    )


def run_out(run: Machine, goal: Goal) -> None:
    """Let tasks take the private steps that are left before a standstill."""
    while isinstance(goal, Ended) and (left := run.choices()):
        run.step(left[0])


def after(path: list[Move]) -> int:
    """The packed state after a path."""
    row, state = path[-1]
    return state + row.table[state & row.mask]


def check_world(space: Space, run: Machine, state: int) -> None:
    """Refuse a run on the machine that does not end where the search was.

    Raises: ModelError.
    """
    named = run.named
    for name, value in space.world(state).items():
        if name in named and named[name] != value:
            msg = f"the search has {name} as {value}, the machine as {named[name]}"
            raise ModelError(msg)


def some_path(space: Space, seen: Seen, goal: Goal) -> list[Move] | None:
    """Find any run to a goal, along the way that the search came."""
    for state in seen.parents:
        moves = space.moves(state)
        breaks = any(goal.breaks(row, state) for row, _ in moves)
        if breaks or (not moves and goal.ends(state)):
            path, here = way(space, seen, state)
            last = [(row, here) for row, _ in space.moves(here) if goal.breaks(row, here)]
            return [*path, *last[:1]]
    return None


def way(space: Space, seen: Seen, state: int) -> tuple[list[Move], int]:
    """The moves by which a search came to a state. Returns: them, and the state they come to.

    It is `state`, or one that `state` stood for.
    """
    states = [state]
    while seen.parents[states[-1]] != states[-1]:
        states.append(seen.parents[states[-1]])
    path: list[Move] = []
    here = states.pop()
    for after in reversed(states):
        row, to = next(move for move in space.moves(here) if comes_to(space, seen, move[1], after))
        path.append((row, here))
        here = to
    return path, here


def comes_to(space: Space, seen: Seen, state: int, wanted: int) -> bool:
    """Whether a state is the one that a search saw, or one in which alike tasks have changed places.

    Two such states can both have been seen: that they stand for the same one is not enough to ask.
    """
    if seen.stands_for(state) == wanted:
        return True
    symmetry = space.symmetry if seen.least is not None else None
    return symmetry is not None and wanted in symmetry.alike(state)


def said(space: Space, ident: str, goal: Goal, path: list[Move], cycle: Cycle | None) -> str:
    """Say what broke."""
    if isinstance(goal, Trapped):
        return round_text(goal.round)
    row, state = path[-1]
    for found, text in row.bad.get(state & row.mask, ()):
        if found == ident:
            return text
    if ident in {"L2", "L6"}:
        return f"nobody wakes a task that could go on: {cycle_text(cycle or [])}"
    if ident == DEADLOCK:
        return f"deadlock: {cycle_text(cycle)}" if cycle else NO_CIRCLE
    rule = next(rule for rule in space.properties if rule.ident == ident)
    return ending(space, rule, after(path)) or rule.rule


def round_text(found: Round) -> str:
    """Say who goes round."""
    parts = [f"{task} in {stack[0]}()" for task, stack in sorted(found.movers.items())]
    can = "must" if found.final else "can"
    return f"livelock: {' and '.join(parts)} {can} go round for ever from here"


def switches(run: Machine) -> int:
    """How often another task moved than the one before it."""
    tasks = [event.task for event in run.events]
    return sum(a != b for a, b in pairwise(tasks))
