"""A task as an automaton: its coroutine, traced once for each history that matters.

A node is a suspended coroutine that wants to take a visible step; an edge is an answer to that
step. Private steps (marks, and work that nobody lets fail) belong to the edge before them: no other
task can see them, so a search never stops there.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from uffdviz.errors import ModelError
from uffdviz.kernel.labels import kernel_name
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import Mark, Step, Work
from uffdviz.kernel.table import Table
from uffdviz.run.identity import identity
from uffdviz.run.running import Life, Running
from uffdviz.trace.events import Fact

MOST_PRIVATE: Final = 100_000
OURS: Final = ("run/lives.py", "run/calls.py")
"""Whose functions are no kernel functions."""
Fails = Callable[[Running], bool]
"""Whether the work that a task is about to do fails, or may fail, in this search."""


def never(running: Running) -> bool:
    """Let no work fail."""
    return False


class Private:
    """What a task did on its own after a visible step: which choices, facts, calls and returns."""

    __slots__ = ("calls", "choices", "facts")

    def __init__(
        self,
        choices: tuple[str, ...] = (),
        facts: tuple[Fact, ...] = (),
        calls: tuple[tuple[str, ...], ...] = (),
    ) -> None:
        self.choices = choices
        self.facts = facts
        self.calls = calls


class Edge:
    """One answer to a node's step: the node it leads to, and the private steps on the way."""

    __slots__ = ("private", "to")

    def __init__(self, to: "Node", private: Private) -> None:
        self.to = to
        self.private = private


class Node:
    """A task that wants to take a visible step (`ask`), or is done (`ask` is None)."""

    __slots__ = ("answer", "ask", "edges", "function", "index", "label", "live", "parent", "stack")

    def __init__(self, index: int, parent: "Node | None", answer: Any, live: Running) -> None:
        self.index = index
        self.parent = parent
        self.answer = answer
        self.live: Running | None = live
        self.ask: Step | Work | None = None if isinstance(live.ask, Mark) else live.ask
        self.edges: dict[Any, Edge] = {}
        self.function, self.label = live.locate()
        self.stack = call_stack(live.coro)

    def answers(self) -> list[Any]:
        """The answers that lead here from the start."""
        found: list[Any] = []
        node = self
        while node.parent is not None:
            found.append(node.answer)
            node = node.parent
        return found[::-1]


class Automaton:
    """The automaton of one task, built as far as somebody has asked for it.

    `merge` is False to tell nodes apart by their whole history: the tree that the merged automaton
    must agree with.
    """

    def __init__(  # noqa: PLR0913  what a machine takes, for one task
        self,
        stage: Stage,
        era: type[Table],
        name: str,
        life: Life,
        *,
        fails: Fails = never,
        may_fail: Fails = never,
        merge: bool = True,
    ) -> None:
        self.name = name
        self.nodes: list[Node] = []
        self._begin: Callable[[], Running] = lambda: Running(
            name, era(stage, stage.task(name)), life
        )
        self._fails = fails
        self._may_fail = may_fail
        self._merge = merge
        self._by_identity: dict[Any, Node] = {}
        running = self._begin()
        self.before = self._go_private(running)
        self.start = self._node(running, None, None)

    def follow(self, node: Node, answer: Any) -> Edge:
        """Give `node` an answer to its step."""
        key = (answer.__class__, answer)
        edge = node.edges.get(key)
        if edge is None:
            running = node.live or self._again(node)
            node.live = None
            running.resume(answer)
            private = self._go_private(running)
            edge = node.edges[key] = Edge(self._node(running, node, answer), private)
        return edge

    def _again(self, node: Node) -> Running:
        """Run the coroutine to `node` once more."""
        running = self._begin()
        self._go_private(running)
        for answer in node.answers():
            running.resume(answer)
            self._go_private(running)
        return running

    def _go_private(self, running: Running) -> Private:
        """Take private steps up to the next visible one."""
        facts: list[Fact] = []
        choices: list[str] = []
        while self._is_private(running):
            fact = self._private_step(running)
            facts.append(fact)
            choices.append(f"fail {self.name}" if fact.kind == "Failed" else self.name)
            if len(facts) > MOST_PRIVATE:
                msg = f"task {self.name} does not come to a visible step: it loops on private work"
                raise ModelError(msg)
        calls = tuple(running.kernel.calls)
        running.kernel.calls.clear()
        return Private(tuple(choices), tuple(facts), calls)

    def _private_step(self, running: Running) -> Fact:
        ask = running.ask
        if isinstance(ask, Mark):
            running.resume(None)
            return ask.fact
        assert isinstance(ask, Work)
        failed = bool(ask.errno) and self._fails(running)
        running.resume(ask.errno if failed else 0)
        return Fact("Failed" if failed else "Worked", detail=ask.detail)

    def _is_private(self, running: Running) -> bool:
        ask = running.ask
        if isinstance(ask, Work):
            return not (ask.errno and self._may_fail(running))
        return isinstance(ask, Mark)

    def _node(self, running: Running, parent: Node | None, answer: Any) -> Node:
        """Find the node of a suspended coroutine, or make it."""
        if running.ask is None:
            key: Any = "done"
        else:
            key = identity(running.coro, running.kernel.fresh) if self._merge else None
            if key is None:
                key = (parent and parent.index, answer.__class__, answer)
        node = self._by_identity.get(key)
        if node is None:
            node = Node(len(self.nodes), parent, answer, running)
            self._by_identity[key] = node
            self.nodes.append(node)
        elif node.live is None and node.ask is not None:
            node.live = running
        return node


def call_stack(coro: Any) -> tuple[str, ...]:
    """The kernel functions that a suspended coroutine is in, outermost first, by kernel names."""
    return tuple(
        kernel_name(code.co_name)
        for code in _codes(coro)
        if code.co_name != "observed_call" and not code.co_filename.endswith(OURS)
    )


def _codes(coro: Any) -> Iterator[Any]:
    while coro is not None and hasattr(coro, "cr_code"):
        yield coro.cr_code
        coro = coro.cr_await
