"""What tests of address-space writers share: running one task, and failing one allocation."""

from tests.kernel.harness import Scene
from uffdviz.kernel.memory import VmaRecord
from uffdviz.run.machine import Machine

EPERM, EINTR, EAGAIN, ENOMEM, EFAULT, EINVAL = -1, -4, -11, -12, -14, -22


def run_failing(machine: Machine, work: str, number: int = 1) -> None:
    """Run the task `app`; the work of that name fails the given time that it comes."""
    seen = 0
    while machine.can_step("app"):
        here = getattr(machine.tasks["app"].ask, "name", "") == work
        seen += here
        machine.step("fail app" if here and seen == number else "app")


def run_app(machine: Machine) -> None:
    """Run the task `app` until it is done or cannot go on."""
    while machine.can_step("app"):
        machine.step("app")


def names(machine: Machine, made: Scene) -> list[str]:
    """What is in the tree."""
    return [name for _, _, name in machine.state(made.mm.tree).entries]


def record(machine: Machine, made: Scene, name: str) -> VmaRecord:
    """What a mapping is now."""
    rec: VmaRecord = machine.state(made.stage.vma(name).rec)
    return rec


def first(machine: Machine, words: str) -> int:
    """The number of the first event whose sentence has these words."""
    return next(e.n for e in machine.events if words in e.text)
