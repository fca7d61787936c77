"""What the screen can ask beside a run. Each question may take long, so it is asked in a thread.

`tick` is told how far a search is (states and moves) now and then, and says whether to go on.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Literal, Protocol

from uffdviz.trace.events import Event
from uffdviz.trace.profile import Pair
from uffdviz.trace.snapshot import Snapshot

Tick = Callable[[int, int], bool]


class Fate(Protocol):
    """What can come of a move."""

    @property
    def word(self) -> Literal["safe", "risky", "doomed", "unknown"]:
        """Whether a finding is impossible, possible or certain."""

    @property
    def steps(self) -> int:
        """How far the nearest finding is."""

    @property
    def chance(self) -> float:
        """How likely a finding is if everybody moves by chance."""

    @property
    def what(self) -> str:
        """Which property the nearest finding breaks."""


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


class Ahead(Protocol):
    """A finding that lies ahead, and the choices that lead there."""

    @property
    def ident(self) -> str:
        """Which property it breaks; empty: it is a place that was asked for."""

    @property
    def text(self) -> str:
        """What goes wrong."""

    @property
    def schedule(self) -> Sequence[str]:
        """The way there, in words."""

    @property
    def choices(self) -> Sequence[str]:
        """The way there, one choice a step."""

    @property
    def known(self) -> bool:
        """Whether it is a known flaw of this kernel."""


class Found(Protocol):
    """What a search has shown."""

    @property
    def ahead(self) -> Sequence[Ahead]:
        """What was found."""

    @property
    def states(self) -> int:
        """How many states were seen."""

    @property
    def finished(self) -> bool:
        """Whether there can be no more."""

    @property
    def why(self) -> str:
        """Why the search could not be made."""


class Side(Protocol):
    """One of two runs that are looked at together; `left` says where it could not follow."""

    era: str
    left: str
    whole: bool

    @property
    def tasks(self) -> Sequence[str]:
        """Every task, in scenario order."""

    @property
    def events(self) -> Sequence[Event]:
        """What happened in it, to the end."""

    @property
    def followed(self) -> int:
        """How many choices of the schedule it could take."""

    def snapshot(self, n: int) -> Snapshot:
        """What can be known after the first `n` events."""

    def totals(self, n: int) -> Mapping[str, Any]:
        """The totals after the first `n` events."""


class Race(Protocol):
    """Two runs by one schedule and then one clock, looked at moment by moment from 0 to `last`."""

    @property
    def left(self) -> Side:
        """The era of the session."""

    @property
    def right(self) -> Side:
        """The other era."""

    @property
    def parted(self) -> int:
        """The first event that differs; 0: none does."""

    @property
    def steps(self) -> int:
        """How many moments are choices of the schedule; the rest are times."""

    @property
    def last(self) -> int:
        """The number of the last moment."""

    def places(self, moment: int) -> tuple[int, int]:
        """How many events of each side are shown at a moment."""

    def time(self, moment: int) -> int:
        """What the clock says at a moment."""

    def parting(self) -> int:
        """The moment at which the first event that differs is seen on both sides."""

    def shared(self, moment: int) -> tuple[str, ...]:
        """The schedule that both sides have followed at a moment."""


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
