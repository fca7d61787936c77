"""Revision 6: uffd_mfill_lock() and uffd_move_lock() have their names."""

from typing import ClassVar

from uffdviz.kernel.eras.v6_9 import V6_9


class SeriesV6(V6_9):
    """As merged, but for an assertion about mmap_lock when a huge page moves (left out here)."""

    era: ClassVar[str] = "series-v6"
