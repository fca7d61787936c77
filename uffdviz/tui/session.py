"""What the screen asks of a run, and nothing more: who drives it is not the screen's business."""

from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from uffdviz.course.schema import Lesson
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Snapshot
from uffdviz.tui.goals import Guide
from uffdviz.tui.tools import Tools, Workload


class Listing(Protocol):
    """A kernel function as it is written in the model, and on which of its rows tasks stand."""

    @property
    def path(self) -> Sequence[str]:
        """Its name, and those of functions of one line that it has called; empty: none is run."""

    @property
    def rows(self) -> Sequence[tuple[str, str, int]]:
        """Label of the step or nothing, the text, and the line of the file that begins there."""

    @property
    def at(self) -> Mapping[str, int]:
        """The row of each task that is in it."""


class Session(Protocol):
    """One run, at a place `n` in what happened so far.

    `n` counts the events that are shown; `length` those that have happened on this branch. Going
    back changes `n` only. A step from the past that differs from what came next begins a new branch.
    """

    title: str
    era: str
    lesson: Lesson | None

    @property
    def reached(self) -> int:
        """Which block of the lesson is next at `n`: blocks before it have been played."""

    async def next_block(self) -> str:
        """Play on to the end of the lesson's next block. Returns: why not, or nothing."""

    async def next_wait(self) -> bool:
        """On to where a task has to wait the next time. Returns: whether there is such a place."""

    @property
    def bounds(self) -> Sequence[int]:
        """How many events there were at the end of each block that was played."""

    @property
    def tasks(self) -> Sequence[str]:
        """Every task, in scenario order."""

    @property
    def n(self) -> int:
        """How many events are shown."""

    @property
    def length(self) -> int:
        """How many events have happened on this branch."""

    @property
    def events(self) -> Sequence[Event]:
        """What happened on this branch, from the first event on."""

    @property
    def branches(self) -> Sequence[tuple[str, int]]:
        """The runs that were left by choosing otherwise: what they are called, their length."""

    def tree(self) -> Sequence[tuple[int, int, str]]:
        """Every run: its number among `branches` (-1: the present one), its depth, and words."""

    def call(self, branch: int, name: str) -> None:
        """Give a run a name; -1: the present one."""

    def snapshot(self, at: int) -> Snapshot:
        """What can be known after the first `at` events."""

    def totals(self, at: int) -> Mapping[str, Any]:
        """The totals after the first `at` events, by the keys of the `--json` output."""

    def listing(self, task: str, at: int) -> Listing:
        """The kernel function that a task has entered last, after the first `at` events."""

    @property
    def behind(self) -> int:
        """How many events of a recording have not been replayed yet."""

    def read_on(self, most: int) -> None:
        """Replay up to `most` further events; who stands at the end goes along."""

    def choices(self) -> Sequence[str]:
        """Who may take a step at `n`."""

    def upcoming(self) -> str:
        """Whose step comes next if nobody chooses otherwise; empty: nobody's."""

    async def step(self, choice: str) -> None:
        """Take a step from `n`."""

    async def seek(self, n: int) -> None:
        """Go to another place in what has happened."""

    async def restart(self) -> None:
        """Begin again: nothing has happened yet."""

    async def switch(self, branch: int) -> None:
        """Go over to a run that was left."""

    async def begin(self, host: AbstractEventLoop, told: Callable[[], None]) -> None:
        """Bring the run to life inside an event loop; `told` is called after each step of playing."""

    def play(self, seconds: float) -> bool:
        """Take a step every so often from the end of what has happened. Returns: whether it can."""

    def pause(self) -> None:
        """Stop playing."""

    def save(self) -> Path:
        """Write a recording of this branch. Returns: where it is."""

    def token(self) -> str:
        """The choices of this branch as text that can be pasted."""

    async def close(self) -> None:
        """End the run and everything that belongs to it."""


class Entry(Protocol):
    """A row of the start screen: `name` opens it, `about` tells more, `done`: it was finished."""

    @property
    def name(self) -> str:
        """By what it is opened."""

    @property
    def title(self) -> str:
        """What the row says."""

    @property
    def chapter(self) -> str:
        """Under which heading it stands."""

    @property
    def about(self) -> str:
        """What is said beside the list."""

    @property
    def done(self) -> bool:
        """Whether it was finished."""


class Shelf(Protocol):
    """What can be opened."""

    def lessons(self) -> Sequence[Entry]:
        """The course, by chapter."""

    def scenarios(self) -> Sequence[Entry]:
        """What can be played freely."""

    def recordings(self) -> Sequence[Entry]:
        """What was saved, newest first."""

    def eras(self) -> Sequence[str]:
        """The kernels that a scenario can be run under."""

    def open_lesson(self, name: str) -> Session:
        """Begin a lesson."""

    def open_scenario(self, name: str, era: str = "") -> Session:
        """Begin a scenario, under its own era unless another is named."""

    def workload(self, name: str, eras: Sequence[str] = ()) -> Workload:
        """Set a scenario under two eras side by side; they need not be named."""

    def open_recording(self, name: str) -> Session:
        """Open a recording, shown to its end."""

    def guide(self, name: str) -> Guide | None:
        """Who judges the goals of a lesson; None: nobody."""

    def open_goal(self, name: str, index: int) -> Session:
        """Begin afresh what the goal at a place of a lesson's page is about."""

    def after(self, name: str) -> Entry | None:
        """The lesson that comes after another one; None: there is none."""

    def tools(self, session: Session) -> Tools | None:
        """What can be asked about a session beside running it; None: nothing."""

    def finish(self, name: str) -> None:
        """Remember that a lesson was read to its end."""
