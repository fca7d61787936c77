"""Virtual time: the task that is due first moves first, until nobody can."""

from typing import Final

from uffdviz.run.interleaving import next_choice
from uffdviz.run.machine import Machine
from uffdviz.run.watch import Tick
from uffdviz.schedulers.base import Scheduler
from uffdviz.schedulers.pct import Pct
from uffdviz.schedulers.random_walk import RandomWalk
from uffdviz.schedulers.round_robin import RoundRobin
from uffdviz.schedulers.timed import Timed

OFTEN: Final = 64
SCHEDULERS = ("time", "round-robin", "random", "pct")


def make_scheduler(name: str, seed: int) -> Scheduler:
    """Make a scheduler by the name that `--scheduler` takes."""
    match name:
        case "round-robin":
            return RoundRobin()
        case "random":
            return RandomWalk(seed)
        case "pct":
            return Pct(seed)
        case _:
            return Timed()


def simulate(
    machine: Machine, scheduler: Scheduler | None = None, most: int = 0, tick: Tick | None = None
) -> bool:
    """Run until nobody can move, for `most` steps, or until `tick` says so.

    Returns: whether it came to its end.
    """
    chosen = scheduler or Timed()
    while goes_on(machine, most, tick):
        choice = next_choice(machine, chosen)
        if choice is None:
            return True
        machine.step(choice)
    return False


def goes_on(machine: Machine, most: int, tick: Tick | None) -> bool:
    """Whether a run may go on for another step; `tick` is told now and then how far it is."""
    done = len(machine.events)
    if most and done >= most:
        return False
    return tick is None or bool(done % OFTEN) or tick(done, machine.clock.latest)
