"""States packed into one int: a slot of bits for every task, object and note.

Number 0 of every slot is its first state, and a slot has no bits until it has a second one; it
grows at the top of the int. So an int that was packed before a slot grew still means the same.
"""

from typing import Any

GROWTH = 3


class Slot:
    """The states that one thing was seen in, and which bits of a packed state say in which it is.

    `readers` are table rows whose keys hold these bits; `owner` is the task whose place it is.
    """

    __slots__ = ("codes", "mask", "name", "number", "owner", "parts", "readers", "states")

    def __init__(self, name: str, number: int, initial: Any, owner: str = "") -> None:
        self.name = name
        self.owner = owner
        self.number = number
        self.states: dict[Any, int] = {initial: 0}
        self.codes: dict[int, Any] = {0: initial}
        self.parts: list[tuple[int, int]] = []
        self.mask = 0
        self.readers: list[Any] = []


class Packing:
    """Hands out bits. `seen` lists every state of every slot, in the order of their coming."""

    def __init__(self) -> None:
        self.width = 0
        self.slots: list[Slot] = []
        self.seen: list[tuple[Slot, Any]] = []

    def slot(self, name: str, initial: Any, owner: str = "") -> Slot:
        """Make a slot for a thing that begins as `initial`."""
        slot = Slot(name, len(self.slots), initial, owner)
        self.slots.append(slot)
        self.seen.append((slot, initial))
        return slot

    def code(self, slot: Slot, state: Any) -> int:
        """Find the bits that say `slot` is in `state`."""
        code = slot.states.get(state)
        if code is None:
            number = len(slot.states)
            if number >> sum(width for _, width in slot.parts):
                self.grow(slot)
            code = 0
            for shift, width in slot.parts:
                code |= (number & ((1 << width) - 1)) << shift
                number >>= width
            slot.states[state] = code
            slot.codes[code] = state
            self.seen.append((slot, state))
        return code

    def grow(self, slot: Slot) -> None:
        """Give a slot more bits at the top."""
        slot.parts.append((self.width, GROWTH))
        slot.mask |= ((1 << GROWTH) - 1) << self.width
        self.width += GROWTH
        for row in slot.readers:
            row.mask |= slot.mask
