"""What every ioctl refuses before it takes a lock. Reference: section 1, P2 to P5."""

from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.kernel.eras import WRITER_ERAS
from tests.kernel.harness import Scene, run, scene
from uffdviz.kernel.errno import EFAULT, EINVAL, ESRCH
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE, Uffd
from uffdviz.run.machine import Machine

Call = Callable[[Kernel, Uffd, int, int], Coroutine[Any, Any, int]]
IOCTLS: dict[str, Call] = {
    "COPY": lambda k, ctx, at, src: k.userfaultfd_copy(ctx, at, src, PAGE_SIZE),
    "ZEROPAGE": lambda k, ctx, at, _: k.userfaultfd_zeropage(ctx, at, PAGE_SIZE),
    "CONTINUE": lambda k, ctx, at, _: k.userfaultfd_continue(ctx, at, PAGE_SIZE),
    "POISON": lambda k, ctx, at, _: k.userfaultfd_poison(ctx, at, PAGE_SIZE),
    "MOVE": lambda k, ctx, at, src: k.userfaultfd_move(ctx, at, src, PAGE_SIZE),
    "WRITEPROTECT": lambda k, ctx, at, _: k.userfaultfd_writeprotect(
        ctx, at, PAGE_SIZE, protect=True
    ),
    "REGISTER": lambda k, ctx, at, _: k.userfaultfd_register(ctx, at, PAGE_SIZE, ("missing",)),
    "UNREGISTER": lambda k, ctx, at, _: k.userfaultfd_unregister(ctx, at, PAGE_SIZE),
}
NEWER = {"POISON": "v6.1", "MOVE": "v6.1"}
"""Which of them a kernel does not have yet."""
HERE = [(era, name) for era in WRITER_ERAS for name in IOCTLS if NEWER.get(name) != era.era]
every_ioctl = pytest.mark.parametrize(("era", "name"), HERE)
every_range = pytest.mark.parametrize(
    ("era", "name"), [one for one in HERE if not one[1].endswith("REGISTER")]
)
"""Those that work on pages. Left out in the model: that REGISTER's argument cannot be read."""


def asking(made: Scene, name: str, page: int = 0, beside: int = 0) -> Machine:
    at = made.addr("dst", page) + beside
    return made.machine(app=lambda k: IOCTLS[name](k, made.ctx, at, made.addr("src")))


def locks(machine: Machine) -> list[str]:
    return [event.sentence for event in machine.events if event.fact.startswith("Lock")]


@every_ioctl
def test_an_address_space_that_is_gone_is_no_process(era: type[Kernel], name: str) -> None:
    made = scene(era)
    made.stage.world[made.mm.users] = 0
    machine = asking(made, name)
    run(machine)
    assert made.results == {"app": ESRCH}
    assert locks(machine) == []


@every_ioctl
def test_a_range_that_begins_inside_a_page_is_refused(era: type[Kernel], name: str) -> None:
    made = scene(era)
    machine = asking(made, name, beside=1)
    run(machine)
    assert made.results == {"app": EINVAL}
    assert locks(machine) == []


@every_range
def test_an_argument_that_cannot_be_read_is_a_fault(era: type[Kernel], name: str) -> None:
    made = scene(era)
    machine = asking(made, name)
    while machine.can_step("app"):
        fails = getattr(machine.tasks["app"].ask, "name", "") == "copy_from_user"
        machine.step("fail app" if fails else "app")
    assert made.results == {"app": EFAULT}
    assert locks(machine) == []
