"""Tasks that are interchangeable: states that differ only in who is who are seen once.

Tasks of one group make the same calls. Two of them may change places in every state: their places
in the code are exchanged, and each value that names one of them names the other. What can happen
from there is the same, with the names exchanged. So a search keeps of such states the one in which
the tasks of a group stand in the order of their places. Those who stand at the same place stay as
they are: then both states may be seen, which costs time and is never wrong.
"""

import re
from collections.abc import Collection
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

from uffdviz.errors import ModelError
from uffdviz.light import msgspec
from uffdviz.run.automaton import Node
from uffdviz.run.slots import Slot

if TYPE_CHECKING:
    from uffdviz.run.space import Groups, Space

PLAIN: Final = (bool, int, float, type(None))


class Names:
    """Exchanges two tasks' names in a value, wherever it says one: whole, or as whose page it is.

    A tuple of nothing but tasks in `sets_of` is a set of them, and is kept sorted.
    """

    def __init__(self, one: str, other: str, sets_of: Collection[str] = ()) -> None:
        self._sets_of = sets_of
        self._other = {one: other, other: one}
        self._word = re.compile(rf"(?<![\w.])(?:{re.escape(one)}|{re.escape(other)})(?!\w)")

    def __call__(self, value: Any) -> Any:
        """The value with the names exchanged.

        Raises: ModelError for a kind of value of which it is not known where it says names.
        """
        match value:
            case str():
                return self._word.sub(lambda found: self._other[found[0]], value)
            case tuple():
                parts = [self(part) for part in value]
                is_set = all(part in self._sets_of for part in value)
                return tuple(sorted(parts) if is_set else parts)
            case msgspec.Struct():
                fields = {name: self(getattr(value, name)) for name in value.__struct_fields__}
                return msgspec.structs.replace(value, **fields)
            case _ if isinstance(value, PLAIN):
                return value
            case _:
                msg = f"nothing is known of names in a {type(value).__name__}"
                raise ModelError(msg)


class Swap:
    """Two tasks change places in a packed state."""

    def __init__(self, space: "Space", one: str, other: str) -> None:
        self._space = space
        self._seen = space.packing.seen
        self._names = Names(one, other)
        self._noted = Names(one, other, space.automata.keys())
        self._twins: dict[Node, Node] = {}
        self._known = 0
        self._touched: dict[Slot, tuple[Slot, dict[int, int]]] = {}

    def __call__(self, state: int) -> int:
        """The state in which they have changed places."""
        if self._known != len(self._seen):
            self._look()
        after = state
        for slot, (target, moves) in self._touched.items():
            code = state & slot.mask
            move = moves.get(code)
            if move is None:
                there = self._space.code_like(target, self._value(slot, slot.codes[code]))
                move = moves[code] = there - code
                if self._known != len(self._seen):
                    return self(state)
            after += move
        return after

    def twin(self, node: Node, task: str) -> Node:
        """The place that is this place of `task` with the names exchanged."""
        way = []
        here: Node | None = node
        while here is not None and here not in self._twins:
            way.append(here)
            here = here.parent
        automaton = self._space.automata[self._names(task)]
        there = automaton.start if here is None else self._twins[here]
        for step in reversed(way):
            if step.parent is not None:
                there = automaton.follow(there, self._names(step.answer)).to
            self._twins[step] = there
        return there

    def _look(self) -> None:
        """Find the slots that have come to say one of the names."""
        while self._known < len(self._seen):
            slot, value = self._seen[self._known]
            self._known += 1
            name = self._names(slot.name)
            if slot not in self._touched and (
                name != slot.name or self._value(slot, value) != value
            ):
                initial = self._value(slot, slot.codes[0])
                target = slot if name == slot.name else self._space.slot_like(slot, name, initial)
                self._touched[slot] = target, {}

    def _value(self, slot: Slot, value: Any) -> Any:
        if isinstance(value, Node):
            return self.twin(value, slot.owner)
        is_note = self._space.notes.get(slot.name) is slot
        return self._noted(value) if is_note else self._names(value)


class Symmetry:
    """The groups of a space."""

    def __init__(self, space: "Space", groups: "Groups") -> None:
        places = {actor.task: actor.place for actor in space.tasks}
        self._swaps = {
            pair: Swap(space, *pair) for group in groups for pair in combinations(group, 2)
        }
        self._order = [
            (places[group[at]], places[group[at + 1]], self._swaps[group[at], group[at + 1]])
            for group in groups
            for end in range(len(group) - 1, 0, -1)
            for at in range(end)
        ]

    def least(self, state: int) -> int:
        """The state that stands for this one: the tasks of each group in the order of their places."""
        for one, other, swap in self._order:
            if one.codes[state & one.mask].index > other.codes[state & other.mask].index:
                state = swap(state)
        return state

    def alike(self, state: int) -> set[int]:
        """Every state that differs from this one only in who is who, and it itself."""
        found, todo = {state}, [state]
        while todo:
            here = todo.pop()
            new = {swap(here) for swap in self._swaps.values()} - found
            found |= new
            todo += new
        return found

    def meet(self, task: str, node: Node) -> None:
        """Let every other task of the group have the place too, so that all number them alike."""
        for pair, swap in self._swaps.items():
            if task in pair:
                _ = swap.twin(node, task)
