"""A run that is steered by hand: by tests, by schedules in words, by whoever picks the next task."""

from typing import Any, Protocol

from uffdviz.errors import LandmarkError
from uffdviz.kernel.kernel import Kernel
from uffdviz.run.machine import Machine
from uffdviz.schedulers.base import Scheduler
from uffdviz.schedulers.scripted import Scripted
from uffdviz.schedulers.timed import Timed
from uffdviz.trace.events import Event
from uffdviz.trace.schedule import parse_schedule
from uffdviz.trace.snapshot import History, Snapshot
from uffdviz.trace.totals import totals


class Setting(Protocol):
    """Whatever a run can begin from, again and again."""

    def machine(self) -> Machine:
        """A machine at the start of the run."""


class Interleaving:
    """One run of a setting, with the tasks taken in the order that the caller wants."""

    def __init__(self, setting: Setting) -> None:
        self.machine = setting.machine()
        self.history = History(self.machine.start, self.machine.events)

    @property
    def events(self) -> list[Event]:
        """What happened so far."""
        return self.machine.events

    @property
    def choices(self) -> list[str]:
        """What was chosen so far: the run, as data."""
        return [event.choice for event in self.machine.events]

    @property
    def now(self) -> Snapshot:
        """What can be known now."""
        return self.history.last

    @property
    def returns(self) -> dict[str, list[str]]:
        """What each task's calls returned, as text."""
        return {name: list(task.results) for name, task in self.now.tasks.items()}

    @property
    def totals(self) -> dict[str, Any]:
        """What the run cost so far, by the keys of the `--json` output."""
        return totals(self.machine.tasks, self.machine.events)

    def run(self, task: str, until: str = "", steps: int = 0) -> Event | None:
        """Let one task go until a landmark, or so many steps. Returns: its last event."""
        self.play(f"{task} until {until}" if until else f"{task} x{steps or 1}")
        return next((event for event in reversed(self.events) if event.task == task), None)

    def play(self, schedule: str) -> None:
        """Follow a schedule in words."""
        functions = function_names(self.machine)
        script = parse_schedule(schedule, tuple(self.machine.tasks), functions)
        self.drive(Scripted(script, self.machine))

    def drive(self, scheduler: Scheduler, most: int = 0) -> int:
        """Let a scheduler choose until it has nothing to say, or for `most` steps. Returns: steps."""
        taken = 0
        while not most or taken < most:
            choice = next_choice(self.machine, scheduler)
            if choice is None:
                break
            self.machine.step(choice)
            taken += 1
        return taken

    def finish(self) -> None:
        """Go on in timed order until nobody can move."""
        self.drive(Timed())

    def follow(self, choices: list[str]) -> None:
        """Take exactly these choices.

        Raises: LandmarkError with the number of the first that cannot be taken.
        """
        for number, choice in enumerate(choices, 1):
            whom = choice.removeprefix("fail ")
            if whom in self.machine.tasks and not self.machine.can_step(whom):
                msg = f"step {number}: {whom} cannot move"
                raise LandmarkError(msg)
            self.machine.step(choice)


def next_choice(machine: Machine, scheduler: Scheduler) -> str | None:
    """Give what happens next: a move that the scenario wants now, or the scheduler's choice."""
    if (move := machine.due()) is not None:
        return move
    choice = scheduler.pick(machine)
    return None if choice is None else machine.planned(choice)


def function_names(machine: Machine) -> frozenset[str]:
    """The kernel functions that a landmark may name: those of the era that is run."""
    eras = {type(task.kernel) for task in machine.tasks.values()}
    return frozenset(
        name
        for era in eras | {Kernel}
        for name in dir(era)
        if not name.startswith("_") and callable(getattr(era, name))
    )
