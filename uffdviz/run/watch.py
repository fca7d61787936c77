"""How far something long is, once a second on standard error, and an end to it at Ctrl-C."""

import signal
import sys
import threading
import time  # noqa: TID251  how long it takes, and when to give up
from collections.abc import Callable, Iterator, Sequence
from math import inf
from pathlib import Path
from types import FrameType
from typing import Any, Final, Self

from uffdviz.errors import UsageError
from uffdviz.run.report import duration

EACH: Final = 1
"""Seconds between two lines, and before the first."""
GRACE: Final = 5.0
"""How many seconds code from outside may go on without a step, once all should end."""
OFTEN: Final = 3
"""How often in a row it is found there before that is said."""
FOR_EVER: Final = 1e6
Tick = Callable[[int, int], bool]
"""Told two counts now and then. Returns: whether to go on."""


class Watch:
    """Ends something long in time or at Ctrl-C, and says on stderr how far it is.

    `words` makes a line of the two counts of `tick()` and the seconds that have passed. `files` are
    code from outside, which may go on for ever without a step: then nobody asks whether to go on,
    and an alarm that finds it there again and again ends all.
    """

    def __init__(
        self,
        words: Callable[[int, int, float], str],
        max_seconds: float = inf,
        files: Sequence[str] = (),
    ) -> None:
        self._words = words
        self._max_seconds = max_seconds
        self._files = [str(Path(file)) for file in files] if hasattr(signal, "setitimer") else []
        self._found_there = 0
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
            if self._files:
                signal.signal(signal.SIGALRM, self._give_up)
                self._alarm(min(self._max_seconds, FOR_EVER) + GRACE)
        return self

    def __exit__(self, *_: object) -> None:
        """Let Ctrl-C be what it was."""
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
            if self._files:
                self._alarm(0)
                signal.signal(signal.SIGALRM, signal.SIG_DFL)

    def _interrupt(self, *_: object) -> None:
        self.interrupted = True
        if self._files:
            self._alarm(GRACE)

    @staticmethod
    def _alarm(seconds: float) -> None:
        signal.setitimer(signal.ITIMER_REAL, seconds)

    def _give_up(self, _: int, frame: FrameType | None) -> None:
        there = {at.f_code.co_filename for at in callers(frame)} & {*self._files}
        self._found_there = self._found_there + 1 if there else 0
        if self._found_there == OFTEN:
            msg = f"{' or '.join(there)}: a function goes on and on without a step"
            raise UsageError(msg)
        self._alarm(GRACE / OFTEN)

    def tick(self, first: int, second: int) -> bool:
        """Say how far it is. Returns: whether it may go on."""
        seconds = self.seconds
        if seconds - self._said > EACH:
            self._said = seconds
            end = "\r" if sys.stderr.isatty() else "\n"
            sys.stderr.write(f"{self._words(first, second, seconds)}{end}")
            sys.stderr.flush()
        return seconds < self._max_seconds and not self.interrupted


def callers(frame: FrameType | None) -> Iterator[FrameType]:
    """A frame, and those that it was called from."""
    while frame is not None:
        yield frame
        frame = frame.f_back


def how_far(era: str, steps: int, now: int) -> str:
    """Say how far a run is."""
    count = f"{steps / 1e6:.1f} million" if steps >= 1e6 else str(steps)
    return f"{era}: {count} steps, {duration(now)} of virtual time"
