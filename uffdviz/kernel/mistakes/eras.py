"""The eras by the reference's letters."""

from typing import Final

WITH_MOVE: Final = ("v6.8",)
A: Final = ("v6.1", "v6.8")
B: Final = ("v6.9", "v6.12")
C: Final = ("v6.18",)
INT: Final = ("v6.9",)
"""Those with an int for a sequence number and per-VMA locks in the operations."""
