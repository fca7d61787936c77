"""What an operation may ask: the only things a kernel function awaits.

A step touches one object. Its effect is a pure function of that object's state, the task and the
arguments, and gives the new state, the answer, and the fact; or `None`: not now, ask again when
the object has changed. Functions never know who drives them.
"""

from collections.abc import Callable, Generator
from typing import Any, Final

from uffdviz.trace.events import Fact

Outcome = tuple[Any, Any, Fact] | None
Effect = Callable[..., Outcome]


class Obj:
    """One thing a step can touch, by the name that a person reads, and what it is at first."""

    __slots__ = ("initial", "kind", "name")

    def __init__(self, kind: str, name: str, initial: Any) -> None:
        self.kind = kind
        self.name = name
        self.initial = initial

    def __repr__(self) -> str:
        return f"<{self.name}>"


class Step:
    """One visible step on one shared object.

    `cost` names a row of the cost table and `units` multiplies it. A step that is `killable` is
    answered with `INTERRUPTED` when it cannot be taken and a fatal signal is pending. Only a step
    that `waits` may be refused by its effect.
    """

    __slots__ = ("args", "cost", "effect", "killable", "obj", "units", "waits")

    def __init__(  # noqa: PLR0913  one for each thing a runner may ask of a step
        self,
        obj: Obj,
        effect: Effect,
        *args: Any,
        cost: str = "check",
        units: int = 1,
        killable: bool = False,
        waits: bool = False,
    ) -> None:
        self.obj = obj
        self.effect = effect
        self.args = args
        self.cost = cost
        self.units = units
        self.killable = killable
        self.waits = waits

    def __await__(self) -> Generator["Step", Any, Any]:
        return (yield self)


class Work:
    """Costed work on private data: no other task can see it, so a search never stops here.

    With an `errno` the work can fail: `name` is what a scenario's `fail` or `may_fail` calls it,
    and the answer is then that errno instead of 0. With `align` the task waits for the next
    multiple of so many nanoseconds.
    """

    __slots__ = ("align", "cost", "detail", "errno", "name", "units")

    def __init__(  # noqa: PLR0913  each is one word of the same sentence
        self,
        name: str,
        *,
        cost: str = "",
        units: int = 1,
        errno: int = 0,
        detail: str = "",
        align: int = 0,
    ) -> None:
        self.align = align
        self.name = name
        self.cost = cost or name
        self.units = units
        self.errno = errno
        self.detail = detail or name

    def __await__(self) -> Generator["Work", Any, Any]:
        return (yield self)


class Mark:
    """A call of the task begins or ends: `fact` says which. Private, like work.

    The words of a call that begins are made when somebody asks for them.
    """

    __slots__ = ("_fact", "begins")

    def __init__(self, fact: Fact | Callable[[], Fact]) -> None:
        self._fact = fact
        self.begins = not isinstance(fact, Fact)

    @property
    def fact(self) -> Fact:
        """Which call, and that it begins, or what it returned."""
        if not isinstance(self._fact, Fact):
            self._fact = self._fact()
        return self._fact

    def __await__(self) -> Generator["Mark", Any, Any]:
        return (yield self)


Ask = Step | Work | Mark
INTERRUPTED: Final = "interrupted"
