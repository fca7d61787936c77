"""Registering, unregistering and closing."""

from typing import Any

import pytest

from tests.kernel.harness import Scene, every_ending, leftovers, lock_steps, run, scene, unfinished
from tests.kernel.test_handle_userfault import closer, toucher
from uffdviz.kernel.eras.v6_1 import V6_1
from uffdviz.kernel.eras.v6_9 import V6_9
from uffdviz.kernel.eras.v6_18 import V6_18
from uffdviz.kernel.errno import EBUSY, EINVAL, EPERM
from uffdviz.kernel.kernel import Kernel
from uffdviz.kernel.objects import PAGE_SIZE

PAGES = 4 * PAGE_SIZE


def call(made: Scene, name: str, page: int = 0, length: int = PAGES, **options: Any) -> Any:
    """Call a registration of a range of `dst`, with its context unless `ctx` is another."""

    async def job(k: Kernel) -> Any:
        options.setdefault("ctx", made.ctx)
        return await getattr(k, name)(start=made.addr("dst", page), length=length, **options)

    return job


def registered(made: Scene, machine: Any) -> list[tuple[str, str]]:
    """Each mapping in the tree, with its context."""
    entries = machine.state(made.mm.tree).entries
    return [(n, machine.state(made.stage.vma(n).rec).ctx) for _, _, n in entries]


def test_registering_locks_the_mapping_once() -> None:
    made = scene(ctx="", modes=())
    machine = made.machine(op=call(made, "userfaultfd_register", modes=("missing",)))
    run(machine)
    assert made.results["op"] == 0
    assert lock_steps(machine.events, "op") == [
        "+W mmap_lock", "+W vma dst", "-W vma dst", "-W mmap_lock",
    ]  # fmt: skip
    assert registered(made, machine) == [("dst", "gc"), ("src", "")]


def test_registering_a_part_cuts_the_mapping() -> None:
    made = scene(ctx="", modes=(), anon_vma="")
    job = call(made, "userfaultfd_register", 1, PAGE_SIZE, modes=("missing", "wp"))
    machine = made.machine(op=job)
    run(machine)
    assert made.results["op"] == 0
    assert registered(made, machine) == [("dst", ""), ("dst+1", "gc"), ("dst+2", ""), ("src", "")]


def test_registering_again_changes_nothing() -> None:
    made = scene()
    machine = made.machine(op=call(made, "userfaultfd_register", modes=("missing",)))
    run(machine)
    assert lock_steps(machine.events, "op") == ["+W mmap_lock", "-W mmap_lock"]


@pytest.mark.parametrize(
    ("fields", "modes", "expected"),
    [
        ({"ctx": "other"}, ("missing",), EBUSY),
        ({"ctx": ""}, (), EINVAL),
        ({"ctx": ""}, ("minor",), EINVAL),
        ({"ctx": ""}, ("nonsense",), EINVAL),
        ({"ctx": "", "backing": "file"}, ("missing",), EINVAL),
        ({"ctx": "", "backing": "shmem", "shared": True, "readonly_file": True}, ("wp",), EPERM),
        ({"ctx": "", "backing": "shmem"}, ("minor",), 0),
    ],
)
def test_what_cannot_be_registered_is_refused(
    fields: dict[str, Any], modes: tuple[str, ...], expected: int
) -> None:
    made = scene(**{"modes": (), **fields})
    machine = made.machine(op=call(made, "userfaultfd_register", modes=modes))
    run(machine)
    assert made.results["op"] == expected
    assert not leftovers(machine)


@pytest.mark.parametrize("name", ["userfaultfd_register", "userfaultfd_unregister"])
@pytest.mark.parametrize("length", [0, 100, -PAGE_SIZE])
def test_a_bad_range_is_refused_before_any_lock(name: str, length: int) -> None:
    made = scene()
    options: dict[str, Any] = {"modes": ("missing",)} if name == "userfaultfd_register" else {}
    machine = made.machine(op=call(made, name, length=length, **options))
    run(machine)
    assert made.results["op"] == EINVAL
    assert not lock_steps(machine.events, "op")


def test_a_range_without_mappings_is_refused() -> None:
    made = scene()
    job = call(made, "userfaultfd_unregister", 4, PAGE_SIZE)
    machine = made.machine(op=job)
    run(machine)
    assert made.results["op"] == EINVAL


def test_unregistering_wakes_sleepers_and_they_get_a_page() -> None:
    made = scene()
    machine = made.machine(op=toucher(made), undo=call(made, "userfaultfd_unregister"))
    run(machine)
    assert made.results == {"op": 0, "undo": 0}
    assert registered(made, machine)[0] == ("dst", "")


@pytest.mark.parametrize(("era", "misses"), [(V6_1, False), (V6_9, True), (V6_18, True)])
def test_a_fault_under_its_mappings_lock_can_miss_the_wake_up_of_unregister(
    era: type[Kernel],
    misses: bool,  # noqa: FBT001
) -> None:
    made = scene(era)
    ends = [
        unfinished(machine)
        for machine, _ in every_ending(
            lambda: made.machine(op=toucher(made), undo=call(made, "userfaultfd_unregister")),
            switches=2,
        )
    ]
    assert (["op"] in ends) == misses
    assert [] in ends


@pytest.mark.parametrize(("era", "expected"), [(V6_9, 0), (V6_18, EINVAL)])
def test_another_context_may_unregister_only_before_6_18(era: type[Kernel], expected: int) -> None:
    made = scene(era)
    other = made.stage.uffd("other", made.mm)
    machine = made.machine(op=call(made, "userfaultfd_unregister", ctx=other))
    run(machine)
    assert made.results["op"] == expected
    assert registered(made, machine)[0][1] == ("" if expected == 0 else "gc")


def test_close_takes_the_context_out_of_every_mapping_of_it() -> None:
    made = scene()
    made.add("more", ctx="gc", modes=("missing",))
    made.add("others", ctx="other", modes=("missing",))
    machine = made.machine(closer=closer(made))
    run(machine)
    assert [c for _, c in registered(made, machine)] == ["", "", "", "other"]
    assert machine.state(made.ctx.refcount) == 0
    assert machine.state(made.ctx.released) == 1
