"""What unmodified kernels get wrong, so that nobody takes it for a mistake of this program."""

from typing import Final

import msgspec


class KnownFlaw(msgspec.Struct, frozen=True):
    """A property that an era breaks, where it can be seen, and how one knows."""

    era: str
    property: str
    scenario: str
    source: str


KNOWN_FLAWS: Final[tuple[KnownFlaw, ...]] = ()


def is_known(era: str, ident: str) -> bool:
    """Whether the unmodified era is known to break a property."""
    return any((flaw.era, flaw.property) == (era, ident) for flaw in KNOWN_FLAWS)
