"""One run from its start: live or not, by a lesson's script or in timed order."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from uffdviz.errors import LandmarkError, ScheduleError
from uffdviz.run.interleaving import Interleaving, Setting, function_names, next_choice
from uffdviz.schedulers.base import Run, Scheduler
from uffdviz.schedulers.scripted import Scripted
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.schedule import parse_schedule

if TYPE_CHECKING:
    from uffdviz.run.live import Guest, Host

Script = Sequence[tuple[int, str]]
"""The play blocks of a lesson: where each stands on the page, and its schedule in words."""


class Branch:
    """One run from its start: its machine, and how far it followed the script.

    `bounds[i]` is how many events there were when block i was over. `left` is where the run left
    the script, if it did, and `why` says it could not go on with it.
    """

    def __init__(self, setting: Setting, script: Script, choices: Sequence[str] = ()) -> None:
        self.run = Interleaving(setting)
        self.bounds: list[int] = []
        self.left: int | None = None
        self.why = ""
        self.name = ""
        self.number = 0
        self._script = script
        self._block: Scheduler | None = None
        self._timed = Timed()
        self._guest: Guest | None = None
        self._expected: tuple[int, str] = (-1, "")
        for choice in choices:
            self.step(choice)

    @property
    def length(self) -> int:
        """How many events there are."""
        return len(self.run.events)

    @property
    def scripted(self) -> bool:
        """Whether the script says who is next."""
        return self.left is None and len(self.bounds) < len(self._script)

    def step(self, choice: str) -> None:
        """Take a choice at once, as when a run is made again."""
        self._note(choice)
        self.run.machine.step(choice)

    async def go(self, choice: str) -> None:
        """Take a choice; live if the run is."""
        choice = self._note(choice)
        if self._guest is None:
            self.run.machine.step(choice)
        else:
            await self._guest.step(choice)

    def _note(self, choice: str) -> str:
        """See whether a choice leaves the script. Returns: what the scenario makes of it."""
        expected = self.expected()
        machine = self.run.machine
        planned = machine.due() or machine.planned(choice)
        if self.scripted and planned != expected:
            self.left = self.length
        return planned

    def pick(self, run: Run) -> str | None:
        """Be the scheduler of the live run: go on as expected."""
        return self.expected() or None

    async def begin(self, host: "Host", told: Callable[[], None]) -> None:
        """Bring the run to life inside an event loop."""
        from uffdviz.run.live import Guest, Live

        self._guest = Guest(Live(self.run.machine, self, lambda _: told()), host)
        await self._guest.opened

    def play(self, seconds: float) -> bool:
        """Go on by itself. Returns: whether there is a live run to do so."""
        if self._guest is not None:
            self._guest.play(seconds)
        return self._guest is not None

    def pause(self) -> None:
        """Wait for choices again."""
        if self._guest is not None:
            self._guest.pause()

    async def end(self) -> None:
        """Leave nothing running."""
        guest, self._guest = self._guest, None
        if guest is not None:
            await guest.close()

    def expected(self) -> str:
        """Whose step comes next by the script, or in timed order; empty: nobody's."""
        if self._expected[0] != self.length:
            self._expected = (self.length, self._pick())
        return self._expected[1]

    def _pick(self) -> str:
        machine = self.run.machine
        try:
            while self.scripted:
                if self._block is None:
                    words = self._script[len(self.bounds)][1]
                    known = function_names(machine)
                    parsed = parse_schedule(words, tuple(machine.tasks), known)
                    self._block = Scripted(parsed, machine)
                if choice := next_choice(machine, self._block):
                    return choice
                self._block = None
                self.bounds.append(self.length)
        except (LandmarkError, ScheduleError) as error:
            self.left, self.why = self.length, str(error)
        return next_choice(machine, self._timed) or ""
