"""A small generator of its own, so that a scenario's order is the same on every Python."""

from collections.abc import Sequence
from zlib import crc32


def shuffled(items: Sequence[int], seed: str) -> tuple[int, ...]:
    """The items in an order that `seed` decides (Fisher and Yates over a linear generator)."""
    state = crc32(seed.encode())
    left = list(items)
    for last in range(len(left) - 1, 0, -1):
        state = (state * 6364136223846793005 + 1442695040888963407) % (1 << 64)
        other = (state >> 33) % (last + 1)
        left[last], left[other] = left[other], left[last]
    return tuple(left)
