"""What can still come of a run: for each move safe, risky or doomed, how near, how likely.

The whole graph of a setting is made once, beside the screen; after that a question is a look-up.
A finding is a standstill, or a step that breaks a property. A state is doomed if a finding can be
reached from it and no good end can; the chance is that of a scheduler which takes each move that
others can notice with equal probability. The order of locks (S11) is left out: breaking it is a
habit that leads to harm, and the harm is what is looked for here.
"""

from array import array
from collections.abc import Iterable, Sequence
from typing import Final, Literal, NamedTuple

from uffdviz.check.properties import IDENTS, rules
from uffdviz.run.along import Mark, Trail, broken_by, whose
from uffdviz.run.collector import look_no_more
from uffdviz.run.explore import Tick
from uffdviz.run.search import space_of
from uffdviz.run.setting import Setting
from uffdviz.run.space import Space
from uffdviz.run.verdict import ending, standing
from uffdviz.trace.events import Event

Word = Literal["safe", "risky", "doomed", "unknown"]
MOST: Final = 250_000
OFTEN: Final = 256
ROUNDS: Final = 200
SMALL: Final = 1e-6
FAR: Final = -1
HARMS: Final = tuple(ident for ident in IDENTS if ident != "S11")


class Fate(NamedTuple):
    """What can come of a move: `steps` to the nearest finding, which is of `what`, and its chance."""

    word: Word
    steps: int = 0
    chance: float = 0.0
    what: str = ""


SAFE: Final = Fate("safe")
UNKNOWN: Final = Fate("unknown")


class Graph:
    """Every state by number, its moves, and the findings that begin there.

    `wrong[i]` names the finding that state i is (a standstill) or that its first bad move makes.
    """

    def __init__(self) -> None:
        self.number: dict[int, int] = {}
        self.next: list[tuple[int, ...]] = []
        self.bad: list[int] = []
        self.wrong: dict[int, str] = {}
        self.good: list[int] = []


def graph_of(space: Space, most: int = MOST, tick: Tick | None = None) -> Graph | None:
    """See every state there is. Returns: None if there are too many, or `tick` said so."""
    graph = Graph()
    number, states = graph.number, [space.start]
    number[space.start] = 0
    moves = 0
    for at, state in enumerate(states):
        found = space.moves(state)
        moves += len(found)
        afters, bad = [], 0
        for row, after in found:
            if broken := broken_by(row, state):
                graph.wrong.setdefault(at, broken[0])
                bad += 1
            elif after in number:
                afters.append(number[after])
            else:
                afters.append(number.setdefault(after, len(states)))
                states.append(after)
        graph.next.append(tuple(afters))
        graph.bad.append(bad)
        if not found:
            _end(space, graph, at, state)
        if len(states) > most or (not at % OFTEN and tick and not tick(len(states), moves)):
            return None
    return graph


def _end(space: Space, graph: Graph, at: int, state: int) -> None:
    """Judge a state in which nobody moves."""
    broken = [rule.ident for rule in space.properties if ending(space, rule, state) is not None]
    if space.is_stuck(state):
        broken.insert(0, standing(space, state))
    if broken:
        graph.wrong[at] = broken[0]
    else:
        graph.good.append(at)


class Fates:
    """For every state of a graph: how far the nearest finding is, its name, its chance."""

    def __init__(self, graph: Graph) -> None:
        count = len(graph.next)
        self.steps = array("i", [FAR]) * count
        self.what: dict[int, str] = dict(graph.wrong)
        self.ends_well = bytearray(count)
        self.chance: dict[int, float] = {}
        if graph.wrong:
            before = _before(graph)
            self._measure(graph, before)
            self._rescue(graph, before)
            self._weigh(graph)

    def of(self, state: int) -> Fate:
        """What can come of a state."""
        if self.steps[state] == FAR:
            return SAFE
        word: Word = "risky" if self.ends_well[state] else "doomed"
        return Fate(word, self.steps[state], self.chance.get(state, 1.0), self.what[state])

    def _measure(self, graph: Graph, before: Sequence[Sequence[int]]) -> None:
        """Count the steps to the nearest finding: none in a standstill, one before a bad step."""
        todo = sorted(graph.wrong, key=lambda state: graph.bad[state] > 0)
        for state in todo:
            self.steps[state] = 1 if graph.bad[state] else 0
        for state in todo:
            for other in before[state]:
                if self.steps[other] == FAR:
                    self.steps[other] = self.steps[state] + 1
                    self.what[other] = self.what[state]
                    todo.append(other)

    def _rescue(self, graph: Graph, before: Sequence[Sequence[int]]) -> None:
        """Mark every state from which a good end can be reached."""
        todo = list(graph.good)
        for state in todo:
            self.ends_well[state] = 1
        for state in todo:
            for other in before[state]:
                if not self.ends_well[other]:
                    self.ends_well[other] = 1
                    todo.append(other)

    def _weigh(self, graph: Graph) -> None:
        """Solve for the chances: a state's is the mean of those behind its moves."""
        open_ = [s for s, steps in enumerate(self.steps) if steps != FAR and self.ends_well[s]]
        open_.sort(key=lambda s: self.steps[s])
        chance = [0.0 if steps == FAR else 1.0 for steps in self.steps]
        for state in open_:
            chance[state] = 0.0
        order = _backwards(graph, open_)
        for _ in range(ROUNDS):
            most = 0.0
            for state in order:
                after = graph.next[state]
                sum_ = graph.bad[state] + sum([chance[other] for other in after])
                new = sum_ / (graph.bad[state] + len(after))
                most = max(most, abs(new - chance[state]))
                chance[state] = new
            if most < SMALL:
                break
        self.chance = {state: chance[state] for state in open_}


def _before(graph: Graph) -> list[list[int]]:
    """Turn all moves round."""
    before: list[list[int]] = [[] for _ in graph.next]
    for state, afters in enumerate(graph.next):
        for after in afters:
            before[after].append(state)
    return before


def _backwards(graph: Graph, states: Iterable[int]) -> list[int]:
    """Order states so that each comes after those behind its moves, as far as there are no loops."""
    left = set(states)
    order: list[int] = []
    for first in sorted(left):
        if first not in left:
            continue
        left.discard(first)
        stack = [(first, iter(graph.next[first]))]
        while stack:
            state, afters = stack[-1]
            after = next((one for one in afters if one in left), None)
            if after is None:
                order.append(state)
                _ = stack.pop()
            else:
                left.discard(after)
                stack.append((after, iter(graph.next[after])))
    return order


class Oracle:
    """Answers for the runs of one setting. `ready` is False if the space was too large."""

    def __init__(self, setting: Setting, most: int = MOST, tick: Tick | None = None) -> None:
        self.most = most
        self._space = space_of(setting, rules(HARMS))
        graph = graph_of(self._space, most, tick)
        self.ready = graph is not None
        self.states = len(graph.next) if graph else 0
        self._number = graph.number if graph else {}
        self._fates = Fates(graph or Graph())
        self._trail = Trail(self._space)
        self._lost: tuple[Event | None, int | None] = (None, None)
        look_no_more()

    def of_moves(self, events: Sequence[Event], n: int, choices: Iterable[str]) -> dict[str, Fate]:
        """What can come of each choice after the first `n` events."""
        mark = self._trail.at(events, n) if self.ready else None
        return {choice: self._after(mark, choice) for choice in choices}

    def now(self, events: Sequence[Event], n: int) -> Fate:
        """What can come of where the run is."""
        mark = self._trail.at(events, n) if self.ready else None
        return self._of(mark)

    def point_of_no_return(self, events: Sequence[Event]) -> int | None:
        """The first step after which every continuation goes wrong, if there was one."""
        if not self.ready or not events:
            return None
        if self._lost[0] is not events[-1]:
            self._lost = events[-1], self._find_lost(events)
        return self._lost[1]

    def _find_lost(self, events: Sequence[Event]) -> int | None:
        _ = self._trail.at(events, len(events))
        if self._of(self._trail.at(events, len(events))).word != "doomed":
            return None
        low, high = 0, len(events)
        while low < high:  # once doomed, always doomed
            middle = (low + high) // 2
            if self._of(self._trail.at(events, middle)).word == "doomed":
                high = middle
            else:
                low = middle + 1
        return low

    def _of(self, mark: Mark | None) -> Fate:
        if mark is None:
            return UNKNOWN
        if mark.gone:
            return Fate("doomed", 0, 1.0, mark.gone[0])
        number = self._number.get(mark.state)
        return UNKNOWN if number is None else self._fates.of(number)

    def _after(self, mark: Mark | None, choice: str) -> Fate:
        if mark is None:
            return UNKNOWN
        if mark.gone or mark.private.get(whose(choice)):
            return self._of(mark)
        for row, after in self._space.moves(mark.state):
            if row.actor.choice == choice:
                if broken := broken_by(row, mark.state):
                    return Fate("doomed", 1, 1.0, broken[0])
                fate = self._of(Mark(after, {}))
                return (
                    fate
                    if fate.word in {"safe", "unknown"}
                    else fate._replace(steps=fate.steps + 1)
                )
        return UNKNOWN
