"""Virtual time: the task that is due first moves first, until nobody can."""

from uffdviz.run.interleaving import next_choice
from uffdviz.run.machine import Machine
from uffdviz.schedulers.base import Scheduler
from uffdviz.schedulers.pct import Pct
from uffdviz.schedulers.random_walk import RandomWalk
from uffdviz.schedulers.round_robin import RoundRobin
from uffdviz.schedulers.timed import Timed

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


def simulate(machine: Machine, scheduler: Scheduler | None = None, most: int = 0) -> bool:
    """Run until nobody can move, or for `most` steps. Returns: whether it came to its end."""
    chosen = scheduler or Timed()
    while not most or len(machine.events) < most:
        choice = next_choice(machine, chosen)
        if choice is None:
            return True
        machine.step(choice)
    return False
