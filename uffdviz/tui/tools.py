"""What the screen can ask beside a run. Each question may take long, so it is asked in a thread.

`tick` is told how far a search is (states and moves) now and then, and says whether to go on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

from uffdviz.trace.ahead_words import Fate, Found
from uffdviz.trace.beside_words import Race
from uffdviz.trace.events import Event
from uffdviz.trace.profile import Pair

Tick = Callable[[int, int], bool]


class Oracle(Protocol):
    """Answers at once about any run of one setting, if it is `ready`; else there was too much."""

    ready: bool
    states: int

    def of_moves(
        self, events: Sequence[Event], n: int, choices: Iterable[str]
    ) -> Mapping[str, Fate]:
        """What can come of each choice after the first `n` events."""

    def now(self, events: Sequence[Event], n: int) -> Fate:
        """What can come of where the run is."""

    def point_of_no_return(self, events: Sequence[Event]) -> int | None:
        """The first step after which every continuation goes wrong."""


class Series(Protocol):
    """A sweep: a cost or a count that takes several values."""

    runs: int
    done: int
    is_cost: bool
    so_far: Mapping[str, Any]

    def run(self, tick: Tick) -> Mapping[str, Any]:
        """Do the runs. Returns: what is known, by the keys of `compare --sweep --json`."""


class Workload(Protocol):
    """A scenario that goes by time, under two eras. `so_far` is what is known while they run."""

    title: str
    so_far: Pair | None

    @property
    def eras(self) -> Sequence[str]:
        """The era to the left and that to the right."""

    def race(self, tick: Tick) -> Pair:
        """Run both."""

    def window(self, start: int, end: int, tick: Tick) -> Pair | None:
        """Run both again for a closer look at a window; None: it was stopped."""

    def sweep(self, text: str) -> Series:
        """Vary a cost or a count, `NAME=A..B`; an error says what is wrong with it."""


class Tools(Protocol):
    """Everything that can be asked about one session."""

    def oracle(self, tick: Tick) -> Oracle:
        """Make the oracle."""

    def ahead(self, tick: Tick) -> Found:
        """Search from where the run is."""

    def find(self, words: str, tick: Tick) -> Found:
        """Find the easiest way to a landmark, `TASK LANDMARK`."""

    def schedule(self, words: str) -> Sequence[str]:
        """Read a schedule in words, for the run as it is now. Returns: its choices."""

    def race(self, era: str, choices: Sequence[str], tick: Tick) -> Race:
        """Run the same choices under another era, too."""

    def workload(self, era: str) -> Workload | None:
        """The same scenario under two eras, if it is too long to be looked at event by event."""

    def explain(self, word: str) -> Sequence[tuple[str, str, str]]:
        """What a word means: the word, a paragraph, its source."""
