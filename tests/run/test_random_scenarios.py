"""Random scenarios in a random order: whatever happens, nothing is held or owed at the end."""

from collections.abc import Iterator

import pytest

from tests.left_behind import held, left_behind
from tests.strategies import Chance, random_scenario
from uffdviz.kernel.eras.registry import eras
from uffdviz.run.machine import Machine
from uffdviz.run.scenario import Scenario
from uffdviz.run.setting import Setting

MOST = 8_000
ERAS = [name for name in eras() if name != "series-v7"]
RUNS = 1_000
LONG = 20_000
FILL = {"-EAGAIN", "-ENOENT", "-EEXIST", "-EINVAL", "-ENOMEM", "-EFAULT", "-EIO", "-EINTR"}
MOVE = FILL | {"-EBUSY"}
MEMORY = {"0", "-EINVAL", "-ENOMEM", "-EINTR"}
RESULTS = {
    "UFFDIO_COPY": FILL,
    "UFFDIO_ZEROPAGE": FILL,
    "UFFDIO_CONTINUE": FILL,
    "UFFDIO_POISON": FILL,
    "UFFDIO_MOVE": MOVE,
    "UFFDIO_WRITEPROTECT": {"0", "-EAGAIN", "-ENOENT", "-EINVAL", "-ENOMEM", "-EFAULT"},
    "UFFDIO_WAKE": {"0"},
    "UFFDIO_REGISTER": {"0", "-EINVAL", "-EBUSY", "-ENOMEM"},
    "UFFDIO_UNREGISTER": {"0", "-EINVAL", "-ENOMEM"},
    "resolve": MOVE | {"0", "-EMFILE", "-ERESTARTSYS"},
    "close": {"0"},
    "compute": {"0"},
    "mmap": MEMORY,
    "munmap": MEMORY,
    "mprotect": MEMORY,
    "madvise": MEMORY,
    "mremap": MEMORY | {"-EFAULT"},
    "fork": {"0", "-ENOMEM", "-EINTR"},
    "touch": {"0", "1", "SIGBUS", "SIGSEGV", "-EINTR"},
}
"""What the reference and the manuals let each call return; fills and moves: or bytes."""
LOCKS_BLINDLY = {"series-v3", "series-v4"}
"""They wait for mmap_lock with a mapping locked: a circle with a writer (history, v3 and v4)."""
NO_ANON_VMA = {"series-v2", "series-v3"}
"""They prepare an anon_vma too late or not at all for private shmem (history, v2 and v3)."""
FORGETS_SWAP_CACHE = {"v6.8", "v6.9", "v6.12", *(name for name in eras() if "series" in name)}
"""MOVE of a page that is swapped out leaves its copy in the swap cache as it was (until v6.14)."""


def run(seed: int, era: str) -> tuple[Scenario, list[str]]:
    """One run. Returns: its scenario, and what is wrong in the end."""
    scenario = random_scenario(seed)
    setting = Setting(scenario, era)
    machine = setting.machine()
    chance = Chance(seed)
    while len(machine.events) < MOST:
        choice = chance.pick(machine)
        if choice is None:
            return scenario, [*left_behind(machine, setting.stage), *impossible(machine)]
        machine.step(choice)
    return scenario, [f"not at an end after {MOST} steps"]


def impossible(machine: Machine) -> Iterator[str]:
    """Results that a call cannot have."""
    doing: dict[str, list[str]] = {}
    for event in machine.events:
        if event.fact == "Called":
            doing[event.task] = event.detail.split()
        if event.fact == "Returned":
            op = doing[event.task][0]
            if event.detail not in RESULTS[op] and not whole(op, doing[event.task], event.detail):
                yield f"{' '.join(doing[event.task])} returns {event.detail}"


def whole(op: str, words: list[str], result: str) -> bool:
    """Whether a result is a number of pages that were asked for."""
    if not result.isdigit() or MOVE - RESULTS[op] > {"-EBUSY"}:
        return False
    asked = (
        int(words[words.index("page" if "page" in words else "pages") - 1])
        if op != "resolve"
        else 1
    )
    done, rest = divmod(int(result), 4096)
    return rest == 0 and 0 < done <= asked


def known(era: str, scenario: Scenario, finding: str) -> bool:
    """Whether this kernel is known for it; docs/model.md has the sources."""
    if "is stuck in" in finding:
        return era in LOCKS_BLINDLY
    if "belongs to nobody" in finding:
        return era in NO_ANON_VMA
    if " has Folio(" in finding:
        swapped = any(vma.swapped for vma in scenario.vma)
        return (swapped and era in FORGETS_SWAP_CACHE) or era in NO_ANON_VMA
    return False


def all_runs(era: str, first: int, count: int) -> list[str]:
    """What is wrong with so many runs from a seed on, each with the seed to see it again."""
    wrong = []
    for seed in range(first, first + count):
        scenario, findings = run(seed, era)
        wrong += [f"run({seed}, {era!r}): {f}" for f in findings if not known(era, scenario, f)]
    return wrong


@pytest.mark.parametrize("era", ERAS)
def test_no_operation_ends_with_a_lock_or_a_reference_held(era: str) -> None:
    share = RUNS // len(ERAS)
    assert all_runs(era, ERAS.index(era) * share, share) == []


@pytest.mark.long
@pytest.mark.timeout(1_800)
@pytest.mark.parametrize("era", ERAS)
def test_nor_in_twenty_times_as_many_runs(era: str) -> None:
    share = LONG // len(ERAS)
    assert all_runs(era, 1_000_000 + ERAS.index(era) * share, share) == []


def test_the_same_seed_gives_the_same_run() -> None:
    def events() -> list[str]:
        machine = Setting(random_scenario(5), "v6.9").machine()
        chance = Chance(5)
        while choice := chance.pick(machine):
            machine.step(choice)
        return [event.sentence for event in machine.events]

    assert events() == events()


def test_a_lock_that_is_still_held_would_be_found() -> None:
    setting = Setting(random_scenario(5), "v6.9")
    machine = setting.machine()
    while not any(event.fact == "LockAcquired" for event in machine.events):
        machine.step(machine.choices()[0])
    lock = machine.events[-1].object
    assert any(found.startswith(f"{lock} is not free") for found in held(machine.named))
