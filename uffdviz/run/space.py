"""Every state that the tasks of a stage can be in, as tables.

What a task's next step does depends on where the task is and on few things besides: the object
it touches, and whatever the properties look at. `Row` is a place of a task with a table from the
bits of those things to the sum to add to the packed state; an effect runs once per entry.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

from uffdviz.check.taken import Property, Taken
from uffdviz.kernel import queues
from uffdviz.kernel.locks.rwsem import RwSem, pass_deadline
from uffdviz.kernel.stage import Stage
from uffdviz.kernel.steps import INTERRUPTED, Obj, Step, Work
from uffdviz.kernel.table import Table
from uffdviz.run.automaton import Automaton, Edge, Fails, Node, Private, never
from uffdviz.run.rows import ADD, COMMUTING, COUNTS, READ, WRITE, Actor, Bad, Guards, Row, excludes
from uffdviz.run.running import Life
from uffdviz.run.slots import Packing, Slot
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.run.symmetry import Symmetry

BLOCKED: Final = False
Groups = Sequence[tuple[str, ...]]
Lives = Sequence[tuple[str, Life]]
Views = list[tuple[dict[int, Row | None], int]]


class Space:
    """The tables of one stage, filled as a search asks for them."""

    def __init__(  # noqa: PLR0913  a machine's arguments, and what to look for
        self,
        stage: Stage,
        era: type[Table],
        lives: Lives,
        properties: Iterable[Property] = (),
        *,
        fails: Fails = never,
        may_fail: Fails = never,
        can_fail: Iterable[str] = (),
        kills: Iterable[str] = (),
        background: Iterable[str] = (),
        alike: Groups = (),
        merge: bool = True,
    ) -> None:
        stage.settle()
        self.properties = tuple(properties)
        self.packing = Packing()
        self.guards = Guards()
        self.objects: dict[str, Slot] = {}
        self.notes: dict[str, Slot] = {}
        self._places: dict[str, Slot] = {}
        self.background = frozenset(background)
        self.start = 0
        self.entries = 0
        self.stage = stage
        self._first: Mapping[Obj, Any] = stage.world
        self.automata = {
            name: Automaton(stage, era, name, life, fails=fails, may_fail=may_fail, merge=merge)
            for name, life in lives
        }
        failing = frozenset(can_fail)
        self.actors: list[Actor] = []
        self.deadlines: dict[Slot, Actor] = {}
        for name, automaton in self.automata.items():
            place = self._place(f"place of {name}", automaton.start, name)
            verbs = ("", "fail") if name in failing else ("",)
            self.actors += [Actor(verb, name, place) for verb in verbs]
        for name in kills:
            place = self._place(f"kill {name}", self.automata[name].start, name)
            self.actors.append(Actor("kill", name, place))
        self._sharers: dict[Slot, list[Actor]] = {}
        for actor in self.actors:
            self._sharers.setdefault(actor.place, []).append(actor)
            self._enter(actor, self.automata[actor.task].start)
        self.tasks = [actor for actor in self.actors if not actor.verb]
        for obj in stage.world:
            self.slot_of(obj)
        self.symmetry = symmetry_of(self, alike) if alike else None

    @property
    def views(self) -> tuple[Views, Views]:
        """For every actor its rows, and the bits that say in which one it is; then for deadlines.

        They change when the packing grows. Where nobody of the first moves nothing does: a
        deadline wakes nobody.
        """
        return (
            [(actor.rows, actor.place.mask) for actor in self.actors],
            [(actor.rows, 0) for actor in self.deadlines.values()],
        )

    def world(self, state: int) -> dict[str, Any]:
        """What every object is in a packed state, by name."""
        return {name: slot.codes[state & slot.mask] for name, slot in self.objects.items()}

    def node(self, task: str, state: int) -> Node:
        """Where a task is in a packed state."""
        place = next(actor.place for actor in self.tasks if actor.task == task)
        node: Node = place.codes[state & place.mask]
        return node

    def unfinished(self, state: int) -> tuple[str, ...]:
        """The tasks that are not done in a packed state, background tasks too."""
        return tuple(a.task for a in self.tasks if a.rows[state & a.place.mask] is not None)

    def is_stuck(self, state: int) -> bool:
        """Whether a state in which no task moves is a deadlock: somebody waits who should not."""
        return any(task not in self.background for task in self.unfinished(state))

    def rows(self) -> Iterator[Row]:
        """Every place of every task's actor that was met."""
        return (row for actor in self.actors for row in actor.rows.values() if row is not None)

    def moves(self, state: int) -> list[tuple[Row, int]]:
        """Every move from a packed state: the step, and the state after it."""
        found: list[tuple[Row, int]] = []
        for part in self.views:
            for rows, mask in part:
                row = rows[state & mask]
                if row is None:
                    continue
                change = row.table.get(state & row.mask)
                if change is None:
                    change = self.take(row, state)
                if change is not BLOCKED:
                    found.append((row, state + change))
            if not found:
                break
        return found

    def take(self, row: Row, state: int) -> int:
        """Work out what a step does in a packed state, and enter it in the row's table.

        An entry holds for every state that agrees on what the step looked at. So it stays right
        when the key of its row grows: the new bits are then zero in its own key.
        Returns: the sum to add to the packed state, or `BLOCKED`.
        """
        self.entries += 1
        here = Here(self, state)
        edge: Edge | None
        if row.actor.verb == "kill":
            edge = self._kill(row, here)
        elif row.actor.verb == "deadline":
            edge = self._deadline(row, here)
        elif isinstance(row.node.ask, Step):
            edge = self._step(row, here, row.node.ask)
        else:
            edge = self._work(row, here)
        change: int = BLOCKED if edge is None else here.change
        for slot in here.reads - row.reads:
            slot.readers.append(row)
            row.mask |= slot.mask
        row.reads |= here.reads
        row.use(here.uses(row), self.guards)
        key = state & row.mask
        row.table[key] = change
        if edge is not None:
            row.edges[key] = edge
        if here.bad:
            row.bad[key] = here.bad
        if here.only_queues:
            row.busy.add(key)
        return change

    def _step(self, row: Row, here: "Here", ask: Step) -> Edge | None:
        slot = self.slot_of(ask.obj)
        before = here.read(slot)
        outcome = ask.effect(before, row.actor.task, *ask.args)
        if outcome is None:
            own = self.slot_of(self.stage.task(row.actor.task).state)
            if not (ask.killable and here.read(own).signal):
                return None
            outcome = before, INTERRUPTED, Fact("Resumed")
        after, answer, fact = outcome
        here.write(slot, after)
        if isinstance(after, RwSem) and after.queue and slot not in self.deadlines:
            self._queues(slot)
        if not excludes(after, row.actor.task, fact):
            self.guards.distrust()
        if row.spins and fact.kind == "LockContended" and before.holder != row.actor.task:
            here.only_queues = True
        return self._arrive(row, here, answer, (before, after, fact))

    def _work(self, row: Row, here: "Here") -> Edge:
        work = row.node.ask
        assert isinstance(work, Work)
        fails = row.actor.verb == "fail"
        fact = Fact("Failed" if fails else "Worked", detail=work.detail)
        return self._arrive(row, here, work.errno if fails else 0, (None, None, fact))

    def _deadline(self, row: Row, here: "Here") -> Edge | None:
        slot = self.objects[row.actor.lock]
        state = here.read(slot)
        outcome = pass_deadline(state, state.queue[0].task) if state.queue else None
        if outcome is None:
            return None
        here.write(slot, outcome[0])
        return Edge(row.node, Private())

    def _kill(self, row: Row, here: "Here") -> Edge:
        slot = self.slot_of(self.stage.task(row.actor.task).state)
        outcome = queues.kill(here.read(slot), row.actor.task)
        assert outcome is not None
        here.write(slot, outcome[0])
        here.go(row.actor.place, None)
        row.actor.rows[self.packing.code(row.actor.place, None)] = None
        return Edge(row.node, Private())

    def _arrive(self, row: Row, here: "Here", answer: Any, change: tuple[Any, Any, Fact]) -> Edge:
        """Follow the answer to the task's next place, and let the properties judge the step."""
        place = row.actor.place
        edge = self.automata[row.actor.task].follow(row.node, answer)
        if self.symmetry is not None:
            self.symmetry.meet(row.actor.task, edge.to)
        here.go(place, edge.to)
        row.goes_back = row.goes_back or edge.to.index <= row.node.index
        sources = self._enter_all(place, row.node)
        for target in self._enter_all(place, edge.to):
            for source in sources:
                target.follows(source, change[2], self.guards)
        if self.properties:
            here.judge(self._taken(row, answer, edge, change))
        return edge

    def _taken(self, row: Row, answer: Any, edge: Edge, change: tuple[Any, Any, Fact]) -> Taken:
        node = row.node
        obj = node.ask.obj if isinstance(node.ask, Step) else None
        started = self.automata[row.actor.task].before.facts if node.parent is None else ()
        return Taken(
            task=row.actor.task,
            verb=getattr(node.ask.effect, "__name__", "") if isinstance(node.ask, Step) else "",
            function=node.function,
            label=node.label,
            stack=node.stack,
            kind=obj.kind if obj is not None else "",
            object=obj.name if obj is not None else "",
            before=change[0],
            after=change[1],
            fact=change[2],
            answer=answer,
            calls=edge.private.calls,
            marks=edge.private.facts,
            began=started,
        )

    def slot_of(self, obj: Obj) -> Slot:
        """Find the slot of an object, or make it."""
        slot = self.objects.get(obj.name)
        if slot is None:
            initial = self._first.get(obj, obj.initial)
            slot = self.objects[obj.name] = self.packing.slot(obj.name, initial)
        return slot

    def _queues(self, slot: Slot) -> None:
        """Let the first waiter of a lock lose patience from now on, whenever that may be."""
        place = self.packing.slot(f"deadline {slot.name}", None)
        actor = self.deadlines[slot] = Actor("deadline", "", place, slot.name)
        actor.rows[0] = Row(actor, next(iter(self.automata.values())).start)
        self.packing.grow(place)

    def note_slot(self, key: str, default: Any) -> Slot:
        """Find the slot of a property's note, or make it."""
        slot = self.notes.get(key)
        if slot is None:
            slot = self.notes[key] = self.packing.slot(key, default)
        return slot

    def slot_like(self, slot: Slot, name: str, initial: Any) -> Slot:
        """Find the slot of that name among those that are of the kind of `slot`, or make it."""
        family = next(f for f in (self.objects, self.notes, self._places) if slot.name in f)
        if name not in family:
            family[name] = self.packing.slot(name, initial)
        return family[name]

    def code_like(self, slot: Slot, state: Any) -> int:
        """Find the bits of a state that no step has led to yet, but could."""
        code = self.packing.code(slot, state)
        if isinstance(state, Node):
            _ = self._enter_all(slot, state)
        elif slot.owner:
            for actor in self._sharers[slot]:
                actor.rows[code] = None
        return code

    def _place(self, name: str, start: Node, task: str) -> Slot:
        slot = self._places[name] = self.packing.slot(name, start, task)
        return slot

    def _enter_all(self, place: Slot, node: Node) -> list[Row]:
        """Enter the rows of everybody whose place it is; those who can move there have one."""
        code = self.packing.code(place, node)
        found = []
        for actor in self._sharers[place]:
            row = actor.rows[code] if code in actor.rows else self._enter(actor, node)
            if row is not None:
                found.append(row)
        return found

    def _enter(self, actor: Actor, node: Node) -> Row | None:
        """Enter the row of an actor whose task is at `node`; it has none where it cannot move."""
        code = self.packing.code(actor.place, node)
        if code not in actor.rows:
            idle = node.ask is None or (actor.verb == "fail" and isinstance(node.ask, Step))
            actor.rows[code] = None if idle else Row(actor, node)
        return actor.rows[code]


def symmetry_of(space: Space, groups: Groups) -> "Symmetry":
    """Whose names a search need not tell apart."""
    from uffdviz.run.symmetry import Symmetry

    return Symmetry(space, groups)


class Here:
    """One step in one packed state: what it looks at, and what it changes."""

    def __init__(self, space: Space, state: int) -> None:
        self._space = space
        self._packed = state
        self.reads: set[Slot] = set()
        self.writes: set[Slot] = set()
        self.change = 0
        self.only_queues = False
        self.bad: Bad = []
        self._notes: dict[Slot, Any] = {}

    def read(self, slot: Slot) -> Any:
        """Look at a slot as it was before the step."""
        self.reads.add(slot)
        return slot.codes[self._packed & slot.mask]

    def write(self, slot: Slot, value: Any) -> None:
        """Change a slot."""
        self.reads.add(slot)
        if self.go(slot, value):
            self.writes.add(slot)

    def go(self, slot: Slot, value: Any) -> bool:
        """Change a slot that only its own actor ever sees. Returns: whether it is another value."""
        before, after = self._packed & slot.mask, self._space.packing.code(slot, value)
        self.change += after - before
        return after != before

    def uses(self, row: Row) -> dict[Slot, int]:
        """How the step uses each slot that it looks at or changes."""
        found = {slot: WRITE if slot in self.writes else READ for slot in self.reads}
        ask = row.node.ask
        if (
            isinstance(ask, Step)
            and getattr(ask.effect, "__name__", "") in COMMUTING
            and ask.obj.name.startswith(COUNTS)
            and len({edge.to for edge in row.node.edges.values()}) == 1
        ):
            found[self._space.slot_of(ask.obj)] = ADD
        return found

    def state(self, name: str) -> Any:
        """What the object of that name was before the step."""
        slot = self._space.objects.get(name)
        return None if slot is None else self.read(slot)

    def names(self, prefix: str) -> tuple[str, ...]:
        """The objects whose names begin so, as far as they are known."""
        return tuple(sorted(name for name in self._space.objects if name.startswith(prefix)))

    def note(self, key: str, default: Any) -> Any:
        """What is noted under `key`."""
        slot = self._space.note_slot(key, default)
        return self._notes[slot] if slot in self._notes else self.read(slot)

    def keep(self, key: str, default: Any, value: Any) -> None:
        """Note `value` under `key`."""
        self._notes[self._space.note_slot(key, default)] = value

    def judge(self, taken: Taken) -> None:
        """Let every property see the step, then write down what they noted."""
        for rule in self._space.properties:
            text = rule.step(taken, self)
            if text is not None:
                self.bad.append((rule.ident, text))
        for slot, value in self._notes.items():
            self.write(slot, value)
