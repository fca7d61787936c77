"""Rows: one place of one actor, what its next step does there, and with what it can clash.

Two steps of different tasks clash if one changes what the other looks at, unless a lock keeps them
apart: then the other one cannot come before the lock is released. Two additions do not clash.
"""

from typing import Any, Final

from uffdviz.kernel.steps import Step, Work
from uffdviz.run.automaton import Edge, Node
from uffdviz.run.slots import Slot
from uffdviz.trace.events import Fact

Bad = list[tuple[str, str]]
"""Violations that a step makes: property and what broke."""
Held = frozenset[str]
"""Locks: `w:LOCK` or `r:LOCK` for a holder, `w:LOCK` and `any:LOCK` for what a lock guards."""

READ, ADD, WRITE = 1, 2, 4
CLASHES: Final = {READ: ADD | WRITE, ADD: READ | WRITE, WRITE: READ | ADD | WRITE}
"""Which uses by others clash with a use; three bits a slot."""
COMMUTING: Final = frozenset({"add", "inc_not_zero", "add_refs"})
COUNTS: Final = ("mm_users", "mm_count", "ctx refcount", "page ")
"""Objects on which nobody but the one who adds minds in which order it was added."""


class Guards:
    """Which locks are held at every access to a slot, and at every change of it."""

    def __init__(self) -> None:
        self.version = 0
        self.sound = True
        self._all: dict[Slot, Held] = {}
        self._writes: dict[Slot, Held] = {}

    def access(self, slot: Slot, held: Held, use: int) -> None:
        """Note an access."""
        guard = frozenset(f"any:{one[2:]}" for one in held) | {o for o in held if o[0] == "w"}
        tables = [self._all] if use == READ else [self._all, self._writes]
        for table in tables:
            old = table.get(slot)
            now = guard if old is None else old & guard
            if now != old:
                table[slot] = now
                self.version += 1

    def distrust(self) -> None:
        """Note that a lock was seen to let two in that exclude each other."""
        self.sound = False
        self.version += 1

    def keep_apart(self, slot: Slot, held: Held, use: int) -> bool:
        """Whether nobody can clash with this use of a slot while these locks are held."""
        if not self.sound or not held:
            return False
        guard = (self._writes if use == READ else self._all).get(slot, frozenset())
        return any(
            f"any:{one[2:]}" in guard if one[0] == "w" else f"w:{one[2:]}" in guard for one in held
        )


class Row:
    """One place of one actor, and what its next step does in each surrounding that was met.

    `future` says which uses by others clash with anything that the actor may do from here on.
    `goes_back` is set if a step from here can lead to an older place, so every cycle has such a row;
    and where the environment may let work fail. `busy`: surroundings in which the step would only
    queue for a spinlock.
    """

    __slots__ = (
        *("actor", "bad", "busy", "edges", "future", "goes_back", "held", "mask", "nexts", "node"),
        *("prevs", "reads", "spins", "table", "uses", "known_uses", "version"),
    )

    def __init__(self, actor: "Actor", node: Node) -> None:
        self.actor = actor
        self.node = node
        self.mask = 0
        self.table: dict[int, int] = {}
        self.edges: dict[int, Edge] = {}
        self.bad: dict[int, Bad] = {}
        self.busy: set[int] = set()
        self.reads: set[Slot] = set()
        self.uses: dict[Slot, int] = {}
        self.future = 0
        self.goes_back = isinstance(node.ask, Work)
        self.spins = isinstance(node.ask, Step) and node.ask.obj.kind == "spinlock"
        self.held: Held | None = None
        self.prevs: list[Row] = []
        self.nexts: dict[Row, Fact] = {}
        self.known_uses = 0
        self.version = -1

    def use(self, uses: dict[Slot, int], guards: Guards) -> None:
        """Note what a step from here looked at and changed."""
        clashes = 0
        for slot, use in uses.items():
            old = self.uses.get(slot, 0)
            if use | old != old:
                self.uses[slot] = use | old
                clashes |= CLASHES[use] << 3 * slot.number
                self.version = -1
                guards.access(slot, self.held or frozenset(), use)
        if clashes:
            self.expect(clashes)

    def matters(self, guards: Guards) -> int:
        """The uses of the step from here that others could clash with."""
        if self.version != guards.version:
            self.version = guards.version
            self.known_uses = 0
            held = self.held or frozenset()
            for slot, uses in self.uses.items():
                mine = self.spins and f"w:{slot.name}" in held
                for use in (READ, ADD, WRITE):
                    if uses & use and not mine and not guards.keep_apart(slot, held, use):
                        self.known_uses |= use << 3 * slot.number
        return self.known_uses

    def follows(self, row: "Row", fact: Fact, guards: Guards) -> None:
        """Note that a step of `row` leads here, and with which locks."""
        if row not in self.prevs:
            self.prevs.append(row)
            row.expect(self.future)
        row.nexts[self] = fact
        row.hand_on(guards)

    def hand_on(self, guards: Guards) -> None:
        """Tell the rows behind which locks are held there: those held on every way."""
        todo = [self]
        while todo:
            row = todo.pop()
            for target, fact in row.nexts.items():
                held = after(row.held or frozenset(), row, fact)
                now = held if target.held is None else target.held & held
                if now != target.held:
                    target.held = now
                    for slot, uses in target.uses.items():
                        for use in (READ, ADD, WRITE):
                            if uses & use:
                                guards.access(slot, now, use)
                    guards.version += 1
                    todo.append(target)

    def expect(self, clashes: int) -> None:
        """Add to the clashes that lie ahead, here and everywhere before."""
        todo = [self]
        while todo:
            row = todo.pop()
            if clashes & ~row.future:
                row.future |= clashes
                todo += row.prevs


def after(held: Held, row: Row, fact: Fact) -> Held:
    """The locks that are held after a step with this fact."""
    ask = row.node.ask
    if not isinstance(ask, Step) or not fact.kind.startswith("Lock"):
        return held
    one = f"{fact.mode[:1]}:{ask.obj.name}"
    match fact.kind:
        case "LockAcquired":
            return held | {one}
        case "LockReleased":
            return held - {one}
        case "LockDowngraded":
            return (held - {f"w:{ask.obj.name}"}) | {one}
        case _:
            return held


def excludes(state: Any, task: str, fact: Fact) -> bool:
    """Whether a lock that was just got for writing is held by its one holder."""
    if fact.kind != "LockAcquired" or not hasattr(state, "holders"):
        return True
    if fact.mode == "write":
        return tuple(state.holders) == (task,)
    return not getattr(state, "writer", "")


class Actor:
    """Somebody who can move: a task (`verb` is empty), or the environment.

    `fail TASK` lets the task's work fail, `kill TASK` sends it a fatal signal, once; `deadline LOCK`
    ends the patience of a lock's first waiter, and belongs to no task.
    """

    __slots__ = ("choice", "lock", "place", "rows", "task", "verb")

    def __init__(self, verb: str, task: str, place: Slot, lock: str = "") -> None:
        self.verb = verb
        self.task = task
        self.lock = lock
        self.choice = f"{verb} {task or lock}".strip()
        self.place = place
        self.rows: dict[int, Row | None] = {}

    @property
    def is_outside(self) -> bool:
        """Whether the move is no step of a task's own."""
        return self.verb in {"kill", "deadline"}
