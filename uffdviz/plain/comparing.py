"""Two kernels beside each other by one schedule, then by one clock: what is typed goes for both."""

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar, Final

from uffdviz.course.tools import RunTools
from uffdviz.plain.beside import asked
from uffdviz.plain.hearing import Command, Commands, Hearing
from uffdviz.plain.looking import doing, locks_said
from uffdviz.run.race import Race, Side
from uffdviz.trace.beside_words import left_words, obstacle, parted_words, sums_beside
from uffdviz.trace.profile_words import span
from uffdviz.trace.snapshot import Snapshot

RUNNING: Final = "Running both: {} steps so far. ^C stops it."


class Comparing(Hearing):
    """A moment of both runs."""

    before: ClassVar[tuple[str, ...]] = (
        "An empty line, or n: On to the next moment.",
        "A task's number or name: One step of that task on both sides.",
    )
    after: ClassVar[tuple[str, ...]] = ("esc: Back to the run. q: Quit.",)

    def __init__(self, tools: RunTools, era: str, race: Race, tasks: Sequence[str]) -> None:
        self.tools = tools
        self.era = era
        self.race = race
        self.tasks = tasks
        self.moment = race.steps

    def begin(self) -> Iterator[str]:
        """Say which kernels these are, and where they part."""
        left, right = self.race.left.era, self.race.right.era
        yield f"{left} beside {right}, by the same choices. esc goes back to the run."
        yield from left_words(self.race)
        yield parted_words(self.race)
        yield from self.where()

    def where(self, _: str = "") -> Iterator[str]:
        """Where one is on both sides."""
        race = self.race
        schedule = f", schedule {min(self.moment, race.steps)} of {race.steps}" * bool(race.steps)
        time = span(max(0, race.time(self.moment)))
        yield f"Moment {self.moment} of {race.last}{schedule}, {time}."
        for side, n in self.sides():
            event = f"{side.events[n - 1].sentence}." if n else "Nothing has happened yet."
            over = "over, " if n == len(side.events) else ""
            left = f" It left the schedule at {side.left}." * self.has_left(side)
            yield f"{side.era}: {over}step {n} of {len(side.events)}. {event}{left}"

    def sides(self) -> list[tuple[Side, int]]:
        """Both sides, and how many events of each are shown."""
        race = self.race
        return list(zip((race.left, race.right), race.places(self.moment), strict=True))

    def has_left(self, side: Side) -> bool:
        """Whether a side has left the schedule before this moment."""
        return bool(side.left) and self.moment > side.followed

    def answer(self, line: str) -> Iterator[str]:
        """Answer a line; a task's name or number is a step of it on both sides."""
        if line.isdecimal() and not 1 <= int(line) <= len(self.tasks):
            yield f"There is no task {line}."
        elif line in self.tasks or line.isdecimal():
            yield from self.step(self.tasks[int(line) - 1] if line.isdecimal() else line)
        else:
            yield from super().answer(line)

    def step(self, task: str) -> Iterator[str]:
        """Go on with the schedule that is shown; a side that cannot leaves it, which is said."""
        why = {s.era: obstacle(s, n, task) for s, n in self.sides() if not self.has_left(s)}
        if not why:
            yield "Both sides have left the schedule: p goes back to where they followed it."
            return
        if all(why.values()):
            yield f"{task} cannot take a step: {'; '.join(f'{e}: {w}' for e, w in why.items())}."
            return
        yield from (f"{task} cannot go on in {era}: {w}." for era, w in why.items() if w)
        choices = (*self.race.shared(self.moment), task)
        era = self.era
        self.race = yield from asked(lambda tick: self.tools.race(era, choices, tick), RUNNING)
        self.moment = self.race.steps
        yield from self.where()

    def go(self, moment: int) -> Iterator[str]:
        """Another moment."""
        self.moment = max(0, min(moment, self.race.last))
        yield from self.where()

    def on(self, _: str) -> Iterator[str]:
        """On to the next moment."""
        yield from self.go(self.moment + 1)

    def back(self, _: str) -> Iterator[str]:
        """Back to the moment before."""
        yield from self.go(self.moment - 1)

    def home(self, _: str) -> Iterator[str]:
        """To the beginning."""
        yield from self.go(0)

    def end(self, _: str) -> Iterator[str]:
        """To the end of the longer run."""
        yield from self.go(self.race.last)

    def part(self, _: str) -> Iterator[str]:
        """To the first event that differs."""
        yield parted_words(self.race)
        if self.race.parted:
            yield from self.go(self.race.parting())

    def every(self, said: Callable[[Snapshot], Iterator[str]]) -> Iterator[str]:
        for side, n in self.sides():
            yield from (f"{side.era}: {sentence}" for sentence in said(side.snapshot(n)))

    def doings(self, _: str) -> Iterator[str]:
        """What every task does on both sides, and what it holds."""
        yield from self.every(lambda now: (doing(now, name) for name in now.tasks))

    def locks(self, _: str) -> Iterator[str]:
        """Who holds and who queues on both sides."""
        yield from self.every(locks_said)

    def totals(self, _: str) -> Iterator[str]:
        """The totals so far, one taken from the other."""
        left, right = self.race.left.era, self.race.right.era
        for name, one, other in sums_beside(self.race, self.moment):
            change = f"{span(abs(other - one))} {'more' if other > one else 'less'}"
            yield f"{name}: {left} {span(one)}, {right} {span(other)}, {change if other != one else 'the same'}."


COMMANDS: Final[Commands] = {
    "": Command(Comparing.on),
    "n": Command(Comparing.on),
    "p": Command(Comparing.back),
    "d": Command(Comparing.part),
    "home": Command(Comparing.home),
    "end": Command(Comparing.end),
    "tasks": Command(Comparing.doings),
    "locks": Command(Comparing.locks),
    "totals": Command(Comparing.totals),
    "?": Command(Comparing.help),
    "help": Command(Comparing.help),
}
Comparing.commands = COMMANDS
