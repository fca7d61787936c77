"""All properties of the reference, by their ids, and which of them a search has to watch."""

from collections.abc import Iterable
from typing import Final

from uffdviz.check.taken import Property
from uffdviz.errors import UsageError, near_miss

RULES: Final[dict[str, type[Property]]] = {}
"""The properties that are judged step by step."""

OF_THE_GRAPH: Final = {
    "L1": "nobody waits in a circle, and nobody runs in one for ever",
}
"""The properties that a search judges by itself."""

IDENTS: Final = (*RULES, *OF_THE_GRAPH)


def pick(idents: Iterable[str]) -> tuple[str, ...]:
    """Read property ids; none means all.

    Raises: UsageError with the nearest id.
    """
    wanted = tuple(dict.fromkeys(ident.upper() for ident in idents)) or IDENTS
    for ident in wanted:
        if ident not in IDENTS:
            msg = f"no property {ident!r}; properties are {', '.join(IDENTS)}{near_miss(ident, IDENTS)}"
            raise UsageError(msg)
    return wanted


def rules(idents: Iterable[str]) -> list[Property]:
    """Make the properties that are judged step by step."""
    return [RULES[ident]() for ident in idents if ident in RULES]
