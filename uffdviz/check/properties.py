"""All properties of the reference, by their ids, and which of them a search has to watch."""

from collections.abc import Iterable
from typing import Final

from uffdviz.check.anon import AnonRule
from uffdviz.check.discipline import Balance, Order, Overtaking, Owed, Results
from uffdviz.check.events import CounterBalance, EventExclusion, Layout, Progress, StaleView
from uffdviz.check.exclusion import Attached, Exclusion, Lifetime
from uffdviz.check.expected import Expected
from uffdviz.check.held import Holding
from uffdviz.check.pages import Atomicity, Containment, Rmap
from uffdviz.check.permission import Permission
from uffdviz.check.taken import Property
from uffdviz.errors import UsageError, near_miss

RULES: Final[dict[str, type[Property]]] = {
    rule.ident: rule
    for rule in (
        Exclusion,
        Attached,
        Containment,
        EventExclusion,
        StaleView,
        CounterBalance,
        AnonRule,
        Atomicity,
        Rmap,
        Balance,
        Order,
        Results,
        Lifetime,
        Permission,
        Overtaking,
        Progress,
    )
}
"""The properties that are judged step by step."""

OF_THE_GRAPH: Final = {
    "L1": "nobody waits in a circle, and nobody runs in one for ever",
    "L2": "a fault whose page is there, or whose userfaultfd is closed, goes on",
    "L5": "a move that tries again comes to an end",
    "L6": "a sender whose event was read, or whose userfaultfd is closed, goes on",
}
"""The properties that a search judges by itself."""

IDENTS: Final = tuple(
    sorted({*RULES, *OF_THE_GRAPH}, key=lambda ident: (ident[0] != "S", int(ident[1:])))
)
BOTH: Final[dict[str, type[Property]]] = {Owed.ident: Owed}
"""What is judged step by step of a property that a search judges, too."""
RETURNS: Final = Expected.ident
"""What a scenario says of its own calls: judged where it says anything, or if it is asked for."""
NEED_LAYOUT: Final = frozenset({"S4", "S5", "L4"})


def rule_of(ident: str) -> str:
    """What a property asks, in a sentence."""
    return RULES[ident].rule if ident in RULES and RULES[ident].rule else OF_THE_GRAPH[ident]


def judged_in(ident: str) -> str:
    """The file that judges a property."""
    module = RULES[ident].__module__ if ident in RULES else "uffdviz.run.verdict"
    return f"{module.replace('.', '/')}.py"


def pick(idents: Iterable[str]) -> tuple[str, ...]:
    """Read property ids; none means all.

    Raises: UsageError with the nearest id.
    """
    known = {ident.casefold(): ident for ident in (*IDENTS, RETURNS)}
    wanted = tuple(dict.fromkeys(known.get(ident.casefold(), ident) for ident in idents)) or IDENTS
    for ident in wanted:
        if ident.casefold() not in known:
            msg = f"no property {ident!r}; properties are {', '.join(known.values())}{near_miss(ident, known.values())}"
            raise UsageError(msg)
    return wanted


def rules(idents: Iterable[str]) -> list[Property]:
    """Make the properties that are judged step by step."""
    classes = {**RULES, **BOTH, RETURNS: Expected}
    wanted = [ident for ident in idents if ident in classes]
    before: list[Property] = [Holding()] if wanted else []
    if NEED_LAYOUT & {*wanted}:
        before.append(Layout())
    return [*before, *(classes[ident]() for ident in wanted)]
