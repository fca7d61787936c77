"""Asking the search about landmarks: can this be reached, how easily, and does the way lead there."""

from collections.abc import Iterable, Sequence
from functools import partial
from itertools import pairwise

from uffdviz.check.properties import RULES, rules
from uffdviz.check.taken import Look, Property, Taken
from uffdviz.course.facts import VIOLATES, Stated, read_fact
from uffdviz.errors import ScheduleError, near_miss
from uffdviz.light import msgspec
from uffdviz.run.explore import Limits, Tick, explore
from uffdviz.run.report import schedule_lines
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting
from uffdviz.run.shortest import Broken, Ended, Goal, Move, Shortest, choices
from uffdviz.run.space import Space
from uffdviz.trace.events import Event
from uffdviz.trace.landmark import is_called, reached
from uffdviz.trace.snapshot import Snapshot

LIMITS = Limits(max_states=400_000)
REACH = "REACH"
SEEN = "the fact has happened"


class Sight:
    """Recognises, step by step in a search, that a task has come to a landmark."""

    def __init__(self, fact: Stated, start: Snapshot) -> None:
        assert fact.landmark is not None
        self.task = fact.task
        self.landmark = fact.landmark
        self.start = start
        self.at_once = False

    def look_before(self, space: Space) -> None:
        """See whether the task comes there before its first step that others could notice."""
        entered = space.automata[self.task].before.calls
        self.at_once = self.landmark.kind == "enters" and any(
            call[:2] == ("enter", self.landmark.subject) for call in entered
        )

    def __call__(self, taken: Taken) -> bool:
        """Whether this step brought the task there."""
        return taken.task == self.task and (bool(self.at_once and taken.began) or self._sees(taken))

    def _sees(self, taken: Taken) -> bool:
        match self.landmark.kind:
            case "holds":
                return taken.fact.kind == "LockAcquired" and self._called(taken)
            case "waits":
                return self._waits(taken) and self._called(taken)
            case "sleeps":
                return taken.fact.kind == "Slept" and taken.kind == "task"
            case "done":
                return any(mark.kind == "Finished" for mark in taken.marks)
            case _:
                events = as_events(taken)
                return any(reached(self.landmark, self.task, e, self.start) for e in events)

    def _waits(self, taken: Taken) -> bool:
        if taken.fact.kind == "LockContended":
            return taken.fact.detail != "trying"
        return taken.fact.kind == "Slept" and taken.kind != "task"

    def _called(self, taken: Taken) -> bool:
        mark = self.landmark
        if taken.fact.kind != "Slept" and mark.mode not in {"", taken.fact.mode}:
            return False
        return is_called(taken.object, mark.subject, self.start)


def as_events(taken: Taken) -> Iterable[Event]:
    """A step of a search, and the marks behind it, as events."""
    for fact, calls in ((taken.fact, taken.calls), *((mark, ()) for mark in taken.marks)):
        yield Event(
            n=0,
            task=taken.task,
            function=taken.function,
            step=taken.label,
            start=0,
            end=0,
            fact=fact.kind,
            text="",
            choice="",
            object=taken.object,
            mode=fact.mode,
            detail=fact.detail,
            calls=calls,
        )


class Reached(Property):
    """Breaks where a run comes to `goal`; with `without`, only if that has not happened before.

    Without a sight to look for, the goal is a standstill, or what breaks `inner`.
    """

    ident = REACH

    def __init__(
        self,
        goal: Sight | None = None,
        inner: Property | None = None,
        without: Sight | None = None,
        background: frozenset[str] = frozenset(),
    ) -> None:
        self._goal = goal
        self._inner = inner
        self._without = without
        self._background = background

    def step(self, taken: Taken, look: Look) -> str | None:
        """See whether the goal is reached by this step."""
        if self._without is not None and self._without(taken):
            look.keep(SEEN, False, True)  # noqa: FBT003
        text = "reached" if self._goal is not None and self._goal(taken) else None
        if self._inner is not None:
            text = self._inner.step(taken, look)
        return text if text and self._counts(look) else None

    def end(self, look: Look, unfinished: tuple[str, ...]) -> str | None:
        """See whether the end is the goal."""
        text: str | None = None
        if self._inner is not None:
            text = self._inner.end(look, unfinished)
        elif self._goal is None and any(task not in self._background for task in unfinished):
            text = "nobody can move"
        return text if text and self._counts(look) else None

    def _counts(self, look: Look) -> bool:
        return self._without is None or not look.note(SEEN, False)  # noqa: FBT003


class Way(msgspec.Struct, frozen=True):
    """The easiest run to a goal; `easiest` is False if the search was stopped before it knew that."""

    schedule: tuple[str, ...]
    switches: int
    steps: int
    choices: tuple[str, ...]
    easiest: bool = True


class Sought(msgspec.Struct, frozen=True):
    """What a search for a goal has shown: a way, or that there is none if it `finished`."""

    way: Way | None
    states: int
    finished: bool


def space_for(setting: Setting, reach: str, without: str = "") -> Space:
    """Make a space in which `REACH` breaks where a goal is reached.

    Raises: ScheduleError.
    """
    start = setting.initial_snapshot()
    avoided = Sight(read_fact(without, setting), start) if without else None
    background = frozenset(setting.background)
    verb, _, ident = reach.partition(" ")
    sight: Sight | None = None
    if verb == VIOLATES:
        *before, inner = rules((one_rule(ident),))
        space = space_of(setting, [*before, Reached(None, inner, avoided, background)])
    else:
        fact = read_fact(reach, setting)
        sight = Sight(fact, start) if fact.landmark is not None else None
        space = space_of(setting, [Reached(sight, None, avoided, background)])
    for one in (sight, avoided):
        if one is not None:
            one.look_before(space)
    return space


def one_rule(ident: str) -> str:
    """Read the property of `violates ID`.

    Raises: ScheduleError if it is not judged step by step.
    """
    if ident not in RULES:
        msg = f"{VIOLATES} {ident}: write one of {', '.join(RULES)}; for L1 write 'deadlock'{near_miss(ident, RULES)}"
        raise ScheduleError(msg)
    return ident


def can_reach(setting: Setting, reach: str, without: str = "") -> bool | None:
    """Whether some run comes to a goal; None: the search met its limit first."""
    space = space_for(setting, reach, without)
    seen = explore(space, LIMITS, reduce=True)
    if broken(space) or ends(space, (*seen.ends, *seen.stuck)):
        return True
    return False if seen.finished else None


def broken(space: Space) -> bool:
    """Whether a search has seen a step that reaches the goal."""
    return any(
        ident == REACH for row in space.rows() for bad in row.bad.values() for ident, _ in bad
    )


def ends(space: Space, states: Sequence[int]) -> bool:
    """Whether one of these ends is the goal."""
    return any(is_goal(space, state) for state in states)


def is_goal(space: Space, state: int) -> bool:
    """Whether an end is the goal."""
    from uffdviz.run.verdict import ending

    rule = next(rule for rule in space.properties if rule.ident == REACH)
    return ending(space, rule, state) is not None


class Either(Broken):
    """A step that reaches the goal, or an end that is it."""

    def __init__(self, space: Space) -> None:
        super().__init__(REACH)
        self._end = Ended(partial(is_goal, space))

    def ends(self, state: int) -> bool:
        """Whether this end is the goal."""
        return self._end.ends(state)


def easiest(setting: Setting, reach: str, taken: Sequence[str] = ()) -> Way | None:
    """Find the easiest run to a goal, from the start or from where `taken` led.

    Returns: what is to be chosen from there; None if there is no way, or none within the limits.
    """
    found = seek(setting, reach, taken).way
    return found if found is not None and found.easiest else None


def seek(
    setting: Setting, reach: str, taken: Sequence[str] = (), tick: Tick | None = None
) -> Sought:
    """Seek the easiest run to a goal; when `tick` stops it, the best way seen so far is given.

    Raises: ScheduleError if the goal cannot be read.
    """
    space = space_for(setting, reach)
    pending = begin_at(space, taken)
    goal: Goal = Either(space)
    search = Shortest(space, goal, Limits(LIMITS.max_states, tick))
    path = search.path()
    if path is None:
        path = search.some_path() if not search.finished else None
    way = None if path is None else way_of(space, path, pending, taken, easiest=search.finished)
    return Sought(way, search.states, search.finished)


def way_of(
    space: Space,
    path: Sequence[Move],
    pending: dict[str, list[str]],
    taken: Sequence[str],
    *,
    easiest: bool,
) -> Way:
    """Turn the moves of a search into choices."""
    found: list[str] = []
    for row, state in path:
        first = pending.pop(row.actor.task, None)
        now = choices(space, row, state)
        edge = row.edges[state & row.mask]
        found += now if first is None else [*first, row.actor.choice, *edge.private.choices]
    switches = turns([*taken, *found])
    return Way(tuple(schedule_lines(found)), switches, len(found), tuple(found), easiest)


def begin_at(space: Space, taken: Sequence[str]) -> dict[str, list[str]]:
    """Move the start of a space to where choices led. Returns: private steps that are left, by task."""
    pending = {name: list(automaton.before.choices) for name, automaton in space.automata.items()}
    begun: set[str] = set()
    for choice in taken:
        task = choice.rpartition(" ")[2]
        if pending.get(task) and choice == pending[task][0]:
            begun.add(task)
            _ = pending[task].pop(0)
            continue
        row, after = next((r, to) for r, to in space.moves(space.start) if r.actor.choice == choice)
        key = space.start & row.mask
        begun.add(task)
        pending[task] = list(row.edges[key].private.choices)
        space.start = after
    return {task: left for task, left in pending.items() if task in begun}


def turns(taken: Sequence[str]) -> int:
    """How often another task moved than the one before it."""
    tasks = [choice.rpartition(" ")[2] for choice in taken]
    return sum(a != b for a, b in pairwise(tasks))
