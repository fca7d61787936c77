"""Tasks that go round for ever, though everybody who can move does in the end.

A round is a set of states that all lead to each other, in which every unfinished task either moves
or never can (strong fairness: a lock is handed to its first waiter in the end). It is a livelock if
nothing leads out of it, or if only tasks move in it whose calls are finite. What the environment
may do (work that fails, a signal) is nothing that goes on for ever.
To tell a round from a circle that somebody leads out of needs the whole graph: a reduction may leave
out the very step that leads out. But whether there is a circle at all a reduced search knows: of the
runs that never end it leaves one out only for another that never ends either.
"""

from collections.abc import Iterator

from uffdviz.light import msgspec
from uffdviz.run.explore import Limits, Seen, explore
from uffdviz.run.space import Space

Graph = dict[int, list[tuple[str, int]]]


class Round(msgspec.Struct, frozen=True):
    """The states of a round, and where those are who move in it. `final`: nothing leads out."""

    states: frozenset[int]
    movers: dict[str, tuple[str, ...]]
    final: bool


def can_go_round(space: Space) -> bool:
    """Whether any task can come back to where it was: else every run ends."""
    return any(goes_round(space, task) for task in space.automata)


def goes_round(space: Space, task: str) -> bool:
    """Whether a task's automaton has a circle, by taking away what nobody leads to any more."""
    nodes = space.automata[task].nodes
    nexts = {node.index: {edge.to.index for edge in node.edges.values()} for node in nodes}
    into = dict.fromkeys(nexts, 0)
    for targets in nexts.values():
        for target in targets:
            into[target] += 1
    todo = [index for index, count in into.items() if not count]
    left = len(nexts)
    while todo:
        left -= 1
        for target in nexts[todo.pop()]:
            into[target] -= 1
            if not into[target]:
                todo.append(target)
    return left > 0


def has_circles(space: Space, seen: Seen, limits: Limits) -> bool:
    """Whether a state leads back to itself though a task is unfinished that has to end.

    True, too, if a limit comes first: nothing is proven then.
    """
    first = next(iter(seen.parents))
    path = {first: onward(space, seen, first)}
    done: set[int] = set()
    while path and limits.again(len(done)):
        state, ahead = next(reversed(path.items()))
        after = next((after for after in ahead if after not in done), None)
        if after is None:
            del path[state]
            done.add(state)
        elif after in path:
            return True
        else:
            path[after] = onward(space, seen, after)
    return bool(path)


def onward(space: Space, seen: Seen, state: int) -> Iterator[int]:
    """The states of a graph that tasks' moves lead to, or that stand for those."""
    if space.background and not space.is_stuck(state):
        return
    for row, after in space.moves(state):
        if not row.actor.verb and (met := seen.stands_for(after)) in seen.parents:
            yield met


def whole(space: Space, limits: Limits) -> Seen:
    """The whole graph, every move of every state."""
    return explore(space, limits, reduce=False)


def rounds(space: Space, seen: Seen, limits: Limits) -> list[Round] | None:
    """The livelocks of a whole graph. Returns: them; None if a limit came first."""
    left = in_circles(space, seen, limits)
    if left is None:
        return None
    return [found for part in components(left) for found in judge_round(space, left, part)]


def in_circles(space: Space, seen: Seen, limits: Limits) -> Graph | None:
    """The part of a graph that is left when every state is taken away that leads nowhere.

    Returns: it; None if a limit came first.
    """
    graph: Graph = {}
    before: dict[int, list[int]] = {}
    done: list[int] = []
    open_moves: dict[int, int] = {}
    for count, state in enumerate(seen.parents):
        if not limits.again(count):
            return None
        moves = [(r.actor.task, after) for r, after in space.moves(state) if not r.actor.verb]
        if not moves or not space.is_stuck(state):
            done.append(state)
            continue
        graph[state] = moves
        open_moves[state] = len(moves)
        for _, after in moves:
            before.setdefault(after, []).append(state)
    while done:
        for state in before.get(done.pop(), ()):
            open_moves[state] -= 1
            if not open_moves[state]:
                done.append(state)
                del graph[state]
    return graph


def components(graph: Graph) -> Iterator[list[int]]:  # noqa: C901  the algorithm as it is known
    """The sets of states that lead to each other (Tarjan's algorithm, without recursion)."""
    index: dict[int, int] = {}
    low: dict[int, int] = {}
    stack: list[int] = []
    on_stack: set[int] = set()
    for root in graph:
        if root in index:
            continue
        work = [(root, iter(graph[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while work:
            state, moves = work[-1]
            for _, after in moves:
                if after not in graph:
                    continue
                if after not in index:
                    index[after] = low[after] = len(index)
                    stack.append(after)
                    on_stack.add(after)
                    work.append((after, iter(graph[after])))
                    break
                if after in on_stack:
                    low[state] = min(low[state], index[after])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[state])
                if low[state] == index[state]:
                    part: list[int] = []
                    while not part or part[-1] != state:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                    yield part


def judge_round(space: Space, graph: Graph, part: list[int]) -> Iterator[Round]:
    """Find the livelocks in states that lead to each other."""
    states = frozenset(part)
    moves = [(state, task, after) for state in part for task, after in graph[state]]
    movers = {task for state, task, after in moves if after in states}
    if not movers:
        return
    could = {state for state, task, _ in moves if task not in movers}
    if could:
        # Whoever can move again and again does so once: a round avoids the places where he could.
        rest = {state: graph[state] for state in part if state not in could}
        for smaller in components(rest):
            yield from judge_round(space, rest, smaller)
        return
    final = all(after in states for _, _, after in moves)
    if final or not space.background & movers:
        stacks = {task: space.node(task, state).stack for state, task, _ in reversed(moves)}
        yield Round(states, {task: stacks[task] for task in movers}, final)
