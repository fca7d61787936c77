"""What a property sees: one step that was taken, and the world around it.

A property is a small automaton over steps. It remembers in notes (named values that begin as their
default), so that whoever runs it, one run or a search over all, can keep its memory with the state.
"""

from typing import Any, Protocol

from uffdviz.light import msgspec
from uffdviz.trace.events import Calls, Fact


class Taken(msgspec.Struct, frozen=True):
    """One visible step with what its task did on its own right after it.

    `verb` is what it did to the object, `before` and `after` are the object's states, `calls` what was entered and left behind the
    step, `marks` the calls of the scenario that began or ended there. `began` are the marks before
    the task's first step.
    """

    task: str
    verb: str
    function: str
    label: str
    stack: tuple[str, ...]
    kind: str
    object: str
    fact: Fact
    before: Any
    after: Any
    answer: Any = None
    calls: Calls = ()
    marks: tuple[Fact, ...] = ()
    began: tuple[Fact, ...] = ()


class Look(Protocol):
    """What a property may ask besides the step itself; states are those before the step."""

    def state(self, name: str) -> Any:
        """What the object of that name is; None if there is no such object."""

    def names(self, prefix: str) -> tuple[str, ...]:
        """The objects whose names begin so, as far as they are known."""

    def note(self, key: str, default: Any) -> Any:
        """What was noted under `key`."""

    def keep(self, key: str, default: Any, value: Any) -> None:
        """Note `value` under `key` for later steps."""


class Property:
    """One rule of the reference: `ident` names it, `rule` says it in a sentence."""

    ident = ""
    rule = ""

    def step(self, taken: Taken, look: Look) -> str | None:
        """Judge one step. Returns: what broke, in words, or None."""

    def end(self, look: Look, unfinished: tuple[str, ...]) -> str | None:
        """Judge a world in which nobody moves any more. Returns: what broke, or None."""
