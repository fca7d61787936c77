"""Revision 5: dst by the blocking lock, src only tried for; undone and retaken under mmap_lock."""

from typing import ClassVar

from uffdviz.kernel.eras.v6_9 import V6_9


class SeriesV5(V6_9):
    """The locking that was merged, under other names. No flaw of the protocol is known."""

    era: ClassVar[str] = "series-v5"
