"""What unmodified kernels get wrong, so that nobody takes it for a mistake of this program.

docs/model.md has the same table in words; a test keeps the two together.
"""

from typing import Final

from uffdviz.light import msgspec


class KnownFlaw(msgspec.Struct, frozen=True):
    """A property that an era breaks, what a finding of it says, where, and how one knows."""

    era: str
    property: str
    sign: str
    scenario: str
    source: str


REMOVE: Final = (
    "operations and MADV_DONTNEED both hold mmap_lock for reading: reference, locks.md 5"
)
PINNED: Final = 'until "fix release hang over concurrent GUP" (6.15): reference, M44'
LARGE: Final = 'until "do not block on locking a large folio" (6.14): reference, M55'
SWAPPED: Final = 'until "fix kernel BUG when userfaultfd_move encounters swapcache" (6.14): M54'
STALE: Final = '6.18 to 7.0, "reset err to be 0 when move_pages_ptes succeeded" came after: M56'
FORSAKEN: Final = (
    "UNREGISTER wakes before it locks the mapping, and only who waits for missing pages: "
    "fs/userfaultfd.c, userfaultfd_unregister(); by derivation"
)

KNOWN_FLAWS: Final = (
    *(
        KnownFlaw(era, "S4", "has read of remove", "copy-meets-dontneed", REMOVE)
        for era in ("v6.1", "v6.8")
    ),
    *(
        KnownFlaw(era, "L1", "pin_user_page", "pin-meets-close", PINNED)
        for era in ("v6.1", "v6.8", "v6.9", "v6.12")
    ),
    *(
        KnownFlaw(era, "L5", "userfaultfd_move()", "two-moves-of-a-large-page", LARGE)
        for era in ("v6.8", "v6.9", "v6.12")
    ),
    *(
        KnownFlaw(era, "S9", "after a swap-in", "move-swapped-meets-fault", SWAPPED)
        for era in ("v6.8", "v6.9", "v6.12")
    ),
    *(
        KnownFlaw(era, "L2", "registered no more", "unregister-meets-wp-fault", FORSAKEN)
        for era in ("v6.1", "v6.8", "v6.9", "v6.12", "v6.18")
    ),
    *(
        KnownFlaw(era, "L1", "registered no more", "unregister-meets-fault", FORSAKEN)
        for era in ("v6.8", "v6.9", "v6.12", "v6.18")
    ),
    KnownFlaw("v6.18", "S12", "returns -EEXIST although", "move-swapped-meets-fault", STALE),
    KnownFlaw(
        "v6.18",
        "L2",
        "came by a UFFDIO_MOVE that returned -EEXIST",
        "move-swapped-meets-two-touches",
        STALE,
    ),
)


def is_known(era: str, ident: str, text: str) -> bool:
    """Whether this is a flaw that the unmodified era is known for; a revision has those of v6.9."""
    base = "v6.9" if era.startswith("series-") else era
    return any(
        (flaw.era, flaw.property) == (base, ident) and flaw.sign in text for flaw in KNOWN_FLAWS
    )
