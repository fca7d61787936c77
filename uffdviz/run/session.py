"""A run as the screen drives it: a place in what happened, a lesson's script, other branches.

Going back only looks back. A step from the past that differs from what came next begins a new
branch: the run is made again up to there, and the one that was left is kept.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from uffdviz.errors import UffdvizError
from uffdviz.places import data_dir
from uffdviz.run.branch import Branch, Script
from uffdviz.run.branches import common, tree
from uffdviz.run.interleaving import Setting
from uffdviz.run.lines import Lines, Listing
from uffdviz.run.rest import Rest
from uffdviz.trace.events import Event
from uffdviz.trace.places import has_to_wait, nearest
from uffdviz.trace.recording import Header, write_recording
from uffdviz.trace.snapshot import Snapshot
from uffdviz.trace.token import write_token
from uffdviz.trace.totals import Totals

if TYPE_CHECKING:
    from uffdviz.run.live import Host

FAR: Final = 100_000
"""Steps that a block may take at most before it counts as endless."""
WAITING: Final = 10_000
"""Steps that are taken at most until somebody has to wait."""


def _goes_on(branch: Branch, at: int) -> str:
    """How a run goes on after so many steps."""
    return branch.run.events[at].sentence if at < branch.length else "stops"


class RunSession:
    """One run at a time, and those that were left. See the screen's `Session` for what is asked."""

    def __init__(  # noqa: PLR0913
        self,
        setting: Setting,
        title: str,
        era: str,
        *,
        header: Header | None = None,
        script: Script = (),
        lesson: Any = None,
        blocks: int = 0,
        choices: Sequence[str] = (),
        rest: Rest | None = None,
    ) -> None:
        self.title = title
        self.era = era
        self.lesson = lesson
        self._setting = setting
        self._header = header
        self._script = script
        self._blocks = blocks
        self._others: list[Branch] = []
        self._branch = Branch(setting, script, choices)
        self._n = self.length
        self._rest = rest or Rest()
        self._seen = self._branch.run.history, self._branch.run.now
        self._lines = Lines(self._branch.run.machine)
        self._totals: tuple[int, Totals] | None = None
        self._playing = False
        self._host: Host | None = None
        self._told: Callable[[], None] = lambda: None

    @property
    def tasks(self) -> Sequence[str]:
        """Every task, in scenario order."""
        return tuple(self._branch.run.machine.tasks)

    @property
    def setting(self) -> Setting:
        """What every branch begins from."""
        return self._setting

    @property
    def n(self) -> int:
        """How many events are shown."""
        return self._n

    @property
    def length(self) -> int:
        """How many events have happened on this branch."""
        return self._branch.length

    @property
    def events(self) -> Sequence[Event]:
        """What happened on this branch."""
        return self._branch.run.events

    @property
    def branches(self) -> Sequence[tuple[str, int]]:
        """The runs that were left."""
        return [(self._said(other), other.length) for other in self._others]

    def _said(self, other: Branch) -> str:
        at = common(self.events, other.run.events)
        return f"parts after step {at}: {_goes_on(other, at)}"

    def tree(self) -> Sequence[tuple[int, int, str]]:
        """Every run: its number among `branches` (-1: the present one), its depth, and words."""
        others = list(enumerate(self._others))
        runs = sorted([*others, (-1, self._branch)], key=lambda run: run[1].number)
        rows = []
        for fork in tree([branch.run.events for _, branch in runs]):
            index, branch = runs[fork.number]
            name = f"{branch.name}  " if branch.name else ""
            after = f"after step {fork.parts}: {_goes_on(branch, fork.parts)}" if fork.depth else ""
            said = after or "the first run"
            steps = "1 step" if branch.length == 1 else f"{branch.length} steps"
            rows.append((index, fork.depth, f"{name}{said}, {steps}"))
        return rows

    def call(self, branch: int, name: str) -> None:
        """Give a run a name; -1: the present one."""
        run = self._branch if branch < 0 else self._others[branch]
        run.name = name

    @property
    def reached(self) -> int:
        """Which block of the lesson is next at `n`."""
        self._branch.expected()
        over = sum(1 for bound in self._branch.bounds if bound <= self._n)
        return self._script[over][0] if over < len(self._script) else self._blocks

    @property
    def bounds(self) -> Sequence[int]:
        """How many events there were at the end of each block that was played."""
        self._branch.expected()
        return self._branch.bounds

    def snapshot(self, at: int) -> Snapshot:
        """What can be known after the first `at` events."""
        history = self._branch.run.history
        if at == self.length:
            return history.last
        if self._seen[0] is not history or self._seen[1].n != at:
            self._seen = history, history.at(at)
        return self._seen[1]

    def totals(self, at: int) -> Mapping[str, Any]:
        """The totals after the first `at` events; going on only adds to those before."""
        done, sums = self._totals or (at + 1, Totals(self.tasks))
        if done > at:
            done, sums = 0, Totals(self.tasks)
        for event in self.events[done:at]:
            sums.add(event)
        self._totals = (at, sums)
        return sums.said()

    def listing(self, task: str, at: int) -> Listing:
        """The kernel function that a task has entered last, after the first `at` events."""
        machine = self._branch.run.machine
        if self._lines.machine is not machine:
            self._lines = Lines(machine)
        return self._lines.listing(task, at)

    def choices(self) -> Sequence[str]:
        """Who may take a step at `n`."""
        if self._n == self.length:
            return self._branch.run.machine.choices()
        tasks = self.snapshot(self._n).tasks
        return [name for name, task in tasks.items() if task.state == "ready"]

    def upcoming(self) -> str:
        """Whose step comes next if nobody chooses otherwise."""
        if self._n < self.length:
            return self.events[self._n].choice
        if self.behind:
            return self._rest.choices[self._n]
        return self._branch.expected()

    @property
    def behind(self) -> int:
        """How many events of a recording have not been replayed yet."""
        return max(0, len(self._rest.choices) - self.length)

    def read_on(self, most: int) -> None:
        """Replay up to `most` further events; who stands at the end goes along.

        Raises: ReplayDivergedError, and what was replayed before it stays.
        """
        along = self._n == self.length
        try:
            self._rest.read_on(self._branch.run.machine, most)
        except UffdvizError:
            self._rest = Rest()
            raise
        finally:
            if along:
                self._n = self.length

    async def step(self, choice: str) -> None:
        """Take a step from `n`."""
        if self.behind and self.upcoming() != choice:
            self._rest = Rest()  # the recording is left here
        if self._n < self.length:
            if self.events[self._n].choice != choice:
                await self._depart()
                await self._branch.go(choice)
        else:
            await self._branch.go(choice)
        self._n += 1

    async def _depart(self) -> None:
        """Begin a branch that is the same up to `n`, and keep the one that was."""
        self._others.append(self._branch)
        choices = [event.choice for event in self.events[: self._n]]
        await self._change(Branch(self._setting, self._script, choices))

    async def _change(self, branch: Branch) -> None:
        """Go over to another run; only one is alive at a time."""
        await self._branch.end()
        if branch not in self._others:
            branch.number = branch.number or 1 + max(
                b.number for b in (*self._others, self._branch)
            )
        self._branch = branch
        self._totals = None
        if self._host is not None:
            await branch.begin(self._host, self._hear)

    async def begin(self, host: "Host", told: Callable[[], None]) -> None:
        """Bring the run to life inside an event loop; `told` is called after each step of playing."""
        self._host, self._told = host, told
        await self._branch.begin(host, self._hear)

    def _hear(self) -> None:
        if self._playing:
            self._n = self.length
            self._told()

    def play(self, seconds: float) -> bool:
        """Go on by itself from the end of what has happened. Returns: whether it can."""
        self._playing = self._n == self.length and not self.behind and self._branch.play(seconds)
        return self._playing

    def pause(self) -> None:
        """Stop playing."""
        self._playing = False
        self._branch.pause()

    async def seek(self, n: int) -> None:
        """Go to another place in what has happened."""
        self._n = max(0, min(n, self.length))

    async def next_block(self) -> str:
        """Play on to the end of the script's next block. Returns: why not, or nothing."""
        branch = self._branch
        branch.expected()
        later = next((bound for bound in branch.bounds if bound > self._n), None)
        if later is not None:
            self._n = later
            return ""
        over = len(branch.bounds)
        for _ in range(FAR):
            choice = branch.expected()
            if len(branch.bounds) > over or not branch.scripted:
                break
            branch.step(choice)
        self._n = self.length
        return self._why_not(over)

    async def next_wait(self) -> bool:
        """On to where a task has to wait; from the end of what has happened the run goes on to it.

        Returns: whether there is such a place.
        """
        found = nearest(has_to_wait(self.events), self.n, self.length, 1)
        if found is not None:
            self._n = found
            return True
        self._n = self.length
        for _ in range(WAITING):
            choice = self.upcoming()
            if not choice:
                break
            await self.step(choice)
            if has_to_wait(self.events)(self.length):
                return True
        return False

    def _why_not(self, over: int) -> str:
        branch = self._branch
        if len(branch.bounds) > over:
            return ""
        if branch.why:
            return f"the lesson cannot go on from here: {branch.why}"
        if branch.left is not None:
            return f"you left the lesson at step {branch.left}: go back there, or r to begin again"
        return "the lesson has no further block" if self._script else "there is no lesson"

    async def restart(self) -> None:
        """Begin again; what was played stays as a branch if it was more than the script."""
        self._rest = Rest()
        if self._branch.left is not None or (not self._script and self.length):
            self._others.append(self._branch)
        await self._change(Branch(self._setting, self._script))
        self._n = 0

    async def switch(self, branch: int) -> None:
        """Go over to a run that was left; the present one is kept in its place."""
        self._rest = Rest()
        other = self._others[branch]
        self._others[branch] = self._branch
        await self._change(other)
        self._n = self.length

    def header(self) -> Header:
        """What a recording of this branch begins with."""
        schedule = tuple(event.choice for event in self.events)
        if self._header is None:
            return Header(scenario={}, era=self.era, name=self.title, schedule=schedule)
        kept = {f: getattr(self._header, f) for f in self._header.__struct_fields__}
        return Header(**{**kept, "schedule": schedule})

    def save(self) -> Path:
        """Write a recording of this branch under a name that is free."""
        folder = data_dir()
        folder.mkdir(parents=True, exist_ok=True)
        header = self.header()
        stem = (
            (self._branch.name or header.name or "run").replace("/", "-").replace(" ", "-").lower()
        )
        numbers = range(1, 1_000_000)
        paths = (folder / f"{stem}-{number}.jsonl" for number in numbers)
        path = next(path for path in paths if not path.exists())
        path.write_bytes(write_recording(header, self.events))
        return path

    def token(self) -> str:
        """The choices of this branch as text that can be pasted."""
        return write_token(self.header())

    async def close(self) -> None:
        """Leave nothing running."""
        self._host = None
        await self._branch.end()
