"""Two rules of time that the machine and a run without events share.

How late a task comes after its wake-up differs from one wake-up to the next, for real ones do too:
with one figure for all of them, runs lock step with each other as no kernel does. How long a writer
spins for a lock that readers hold hangs on how many they are.
"""

from zlib import crc32


def lateness(latency: int, task: str, count: int) -> int:
    """From the wake-up of a task, its `count`-th, to its first instruction.

    Between half and one and a half times `latency`, evenly spread, and the same in every run.
    """
    return latency // 2 + latency * (crc32(f"{task} {count}".encode()) & 1023) // 1024


def spin_limit(reader_spin: int, readers: int) -> int:
    """How long a writer spins for so many readers (Kernel: rwsem_rspin_threshold())."""
    return reader_spin * (20 + min(readers, 30)) // 20
