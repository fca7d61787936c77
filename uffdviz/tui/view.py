"""Everything that the panels show at one moment."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from uffdviz.course.schema import Lesson
from uffdviz.course.trail import Trail
from uffdviz.trace.ahead_words import Fate
from uffdviz.trace.events import Event
from uffdviz.trace.snapshot import Snapshot
from uffdviz.tui.goals import Tried
from uffdviz.tui.keymap import Keymap
from uffdviz.tui.render.lanes import Lanes
from uffdviz.tui.session import Listing


@dataclass(frozen=True)
class View:
    """A place in a run, ready to be drawn.

    `looked_at` is the task whose source is shown; `reached` the block of the lesson that is next.
    `fates` says what can come of each choice if the oracle was asked, `oracle` what it has to say
    of itself, `lost` the point of no return. `trail` says how far the goals of the lesson are, `tried`
    which goal this run is for.
    """

    title: str
    era: str
    n: int
    length: int
    playing: bool
    pace: float
    snapshot: Snapshot
    event: Event | None
    choices: Sequence[str]
    upcoming: str
    looked_at: str
    lanes: Lanes
    totals: Callable[[], Mapping[str, Any]]
    listing: Callable[[str], Listing]
    lesson: Lesson | None = None
    reached: int = 0
    answers: Mapping[int, int] = field(default_factory=dict)
    hints: Mapping[int, int] = field(default_factory=dict)
    zoom: int = 0
    branches: int = 0
    hidden: int = 0
    lecture: bool = False
    keymap: Keymap = field(default_factory=lambda: Keymap({}))
    note: str = ""
    fates: Mapping[str, Fate] = field(default_factory=dict)
    oracle: str = ""
    lost: int | None = None
    trail: Trail | None = None
    tried: Tried | None = None

    @property
    def changed(self) -> str:
        """The object that the last step changed."""
        if self.event is None or (self.event.value is None and self.event.pages is None):
            return ""
        return self.event.object
