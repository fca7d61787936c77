"""The search from where a run is: what can go wrong from here, each with the easiest way to it."""

from collections.abc import Mapping, Sequence

from uffdviz.check.known_flaws import is_known
from uffdviz.check.properties import IDENTS, rules
from uffdviz.light import msgspec
from uffdviz.run.along import Trail
from uffdviz.run.explore import Limits, Tick, explore
from uffdviz.run.report import schedule_lines
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting
from uffdviz.run.shortest import Ended, Move, Shortest
from uffdviz.run.space import Space
from uffdviz.run.verdict import goals, some_path
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import History
from uffdviz.trace.standstill import cycle_text, standstill


class Ahead(msgspec.Struct, frozen=True):
    """A finding, and what has to be chosen from here on to come to it."""

    ident: str
    text: str
    schedule: tuple[str, ...]
    choices: tuple[str, ...]
    known: bool = False


class Found(msgspec.Struct, frozen=True):
    """What a search from here has shown; unless `finished`, there may be more."""

    ahead: tuple[Ahead, ...]
    states: int
    finished: bool
    why: str = ""


def look_ahead(
    setting: Setting, events: Sequence[Event], n: int, most: int, tick: Tick | None = None
) -> Found:
    """Search every interleaving from after the first `n` events."""
    space = space_of(setting, rules(IDENTS))
    mark = Trail(space).at(events, n)
    if mark is None:
        return Found((), 0, finished=False, why="the search does not know a move of this run")
    limits = Limits(most, tick)
    seen = explore(space, limits, reduce=True, start=mark.state)
    space.start = mark.state
    taken = tuple(event.choice for event in events[:n])
    ahead = []
    for ident, goal in goals(space, seen):
        path = Shortest(space, goal, limits).path() or some_path(space, seen, goal)
        if path is not None:
            chosen = along(space, path, mark.private, to_the_end=isinstance(goal, Ended))
            text = _broken(path, ident) or _end_words(setting, (*taken, *chosen))
            known = is_known(setting.era_name, ident, text)
            lines = tuple(schedule_lines(chosen))
            ahead.append(Ahead(ident, text, lines, tuple(chosen), known))
    return Found(tuple(ahead), seen.states, seen.finished)


def along(
    space: Space, path: Sequence[Move], private: Mapping[str, tuple[str, ...]], *, to_the_end: bool
) -> list[str]:
    """Turn the moves of a search into choices; private steps that are left come before a task's."""
    left = dict(private)
    chosen: list[str] = []
    for row, state in path:
        task = row.actor.task
        if not row.actor.is_outside:
            chosen += left.pop(task, ())
        chosen.append(row.actor.choice)
        if not row.actor.is_outside:
            left[task] = row.edges[state & row.mask].private.choices
    rest = (choice for choices in left.values() for choice in choices) if to_the_end else ()
    return [*chosen, *rest]


def _broken(path: Sequence[Move], ident: str) -> str:
    """What the last move of a path breaks, in words."""
    if not path:
        return ""
    row, state = path[-1]
    return dict(row.bad.get(state & row.mask, ())).get(ident, "")


def _end_words(setting: Setting, choices: Sequence[str]) -> str:
    machine = setting.machine()
    for choice in choices:
        machine.step(choice)
    last = History(machine.start, machine.events).last
    cycle = standstill(last, setting.background, machine.events)
    return f"nobody can move: {cycle_text(cycle)}" if cycle else "what the run comes to in the end"
