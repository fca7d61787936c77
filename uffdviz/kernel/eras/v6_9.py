"""v6.9: the series as merged."""

from typing import ClassVar

from uffdviz.kernel.kernel import Kernel


class V6_9(Kernel):
    """Per-VMA locks in the operations, an int for a sequence number."""

    era: ClassVar[str] = "v6.9"
    aliases: ClassVar[tuple[str, ...]] = ("series-v7",)
