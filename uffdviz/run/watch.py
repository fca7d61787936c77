"""How far something long is, once a second on standard error, and an end to it at Ctrl-C."""

import signal
import sys
import threading
import time  # noqa: TID251  how long it takes, and when to give up
from collections.abc import Callable
from math import inf
from typing import Any, Final, Self

from uffdviz.run.report import duration

EACH: Final = 1
"""Seconds between two lines, and before the first."""
Tick = Callable[[int, int], bool]
"""Told two counts now and then. Returns: whether to go on."""


class Watch:
    """Ends something long in time or at Ctrl-C, and says on stderr how far it is.

    `words` makes a line of the two counts of `tick()` and the seconds that have passed.
    """

    def __init__(self, words: Callable[[int, int, float], str], max_seconds: float = inf) -> None:
        self._words = words
        self._max_seconds = max_seconds
        self._begun = time.monotonic()
        self._said = 0.0
        self.interrupted = False
        self._before: Any = None

    @property
    def seconds(self) -> float:
        """How long it has been going on."""
        return time.monotonic() - self._begun

    def __enter__(self) -> Self:
        """Begin to listen for Ctrl-C."""
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        """Let Ctrl-C be what it was."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _interrupt(self, *_: object) -> None:
        self.interrupted = True

    def tick(self, first: int, second: int) -> bool:
        """Say how far it is. Returns: whether it may go on."""
        seconds = self.seconds
        if seconds - self._said > EACH:
            self._said = seconds
            end = "\r" if sys.stderr.isatty() else "\n"
            sys.stderr.write(f"{self._words(first, second, seconds)}{end}")
            sys.stderr.flush()
        return seconds < self._max_seconds and not self.interrupted


def how_far(era: str, steps: int, now: int) -> str:
    """Say how far a run is."""
    count = f"{steps / 1e6:.1f} million" if steps >= 1e6 else str(steps)
    return f"{era}: {count} steps, {duration(now)} of virtual time"
