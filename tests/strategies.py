"""Scenarios made by chance from a number, and runs of them by chance: the same number, the same run."""

from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.steps import Work
from uffdviz.run.machine import Machine
from uffdviz.run.read_scenario import scenario_of
from uffdviz.run.scenario import Scenario

T = TypeVar("T")
Tables = dict[str, Any]
FEATURES = ("fork", "remap", "remove", "unmap")
FILLS = ("UFFDIO_COPY", "UFFDIO_ZEROPAGE", "UFFDIO_CONTINUE", "UFFDIO_POISON")
CALLS = (
    *FILLS, "UFFDIO_MOVE", "UFFDIO_MOVE", "UFFDIO_COPY", "UFFDIO_WRITEPROTECT", "UFFDIO_WAKE",
    "UFFDIO_REGISTER", "UFFDIO_UNREGISTER", "touch", "touch", "touch", "mmap", "munmap", "mprotect",
    "mremap", "madvise", "madvise", "fork", "close",
)  # fmt: skip


ADVICE = ("dontneed", "dontneed", "free", "dontfork", "remove")
IDLE: Tables = {"op": "compute", "ns": 100}


class Dice:
    """Chance of a scenario; only `Random.random()` gives the same numbers on every Python."""

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)

    def one(self, items: Sequence[T]) -> T:
        """One of the items."""
        return items[int(self._random.random() * len(items))]

    def some(self, items: Sequence[T]) -> list[T]:
        """Some of the items, in their order."""
        return [item for item in items if self.often(50)]

    def often(self, percent: int) -> bool:
        """Yes so often of a hundred times."""
        return self._random.random() * 100 < percent


def random_scenario(seed: int) -> Scenario:
    """A scenario of two to four tasks with mappings, features, failures and kills by chance."""
    return scenario_of(random_tables(seed), f"seed {seed}")


def random_tables(seed: int) -> Tables:
    """The tables of a scenario file, made by chance."""
    dice = Dice(seed)
    contexts = ["gc", "other"] if dice.often(20) else ["gc"]
    closing = [ctx for ctx in contexts if dice.often(40)]
    vmas = [
        random_vma(dice, name, contexts) for name in ("dst", "src", "third")[: 2 + dice.often(60)]
    ]
    tasks: list[Tables] = [
        {
            "name": name,
            "calls": [random_call(dice, vmas, contexts) for _ in range(dice.one((1, 2, 3)))],
        }
        for name in ("app", "ui", "net")[: 2 + dice.often(40)]
    ]
    if dice.often(75):
        tasks += [monitor(dice, ctx) for ctx in contexts]
    for task in tasks:
        task["calls"] = [call for call in task["calls"] if possible(call, closing)] or [IDLE]
    return {
        "title": "made by chance",
        "uffd": [{"name": ctx, "features": random_features(dice)} for ctx in contexts],
        "vma": vmas,
        "task": tasks,
    }


def possible(call: Tables, closing: list[str]) -> bool:
    """Whether a call can be made: one task closes a userfaultfd once, and nobody registers with it.

    A file stays open while a call of it is under way, so these cannot be met in a real kernel.
    """
    if call["op"] == "UFFDIO_REGISTER":
        return not any(one.startswith(call["ctx"]) for one in closing)
    if call["op"] == "close":
        here = call["ctx"] in closing
        if here:
            closing[closing.index(call["ctx"])] = f"{call['ctx']}, closed"
        return here
    return True


def random_features(dice: Dice) -> list[str]:
    """Events of a userfaultfd, seldom SIGBUS."""
    return dice.some(FEATURES) + (["sigbus"] if dice.often(10) else [])


def monitor(dice: Dice, ctx: str) -> Tables:
    """A task in the background that reads messages and resolves faults."""
    using = dice.one(("copy", "copy", "zeropage", "move"))
    call: Tables = {"op": "resolve", "ctx": ctx, "using": using}
    if using in {"copy", "move"}:
        call["src"] = "src"
    return {"name": f"monitor_{ctx}", "background": True, "calls": [call]}


def random_vma(dice: Dice, name: str, contexts: list[str]) -> Tables:
    """A mapping of two or three pages with some of them there."""
    backing = dice.one(("anon", "anon", "anon", "shmem"))
    shared = backing == "shmem" and dice.often(60)
    pages = dice.one((2, 3))
    vma: Tables = {"name": name, "pages": pages, "backing": backing, "shared": shared}
    if dice.often(80 if name == "dst" else 40):
        modes = dice.some(("wp", "minor") if backing == "shmem" else ("wp",))
        modes = ["missing", *modes] if dice.often(85) or not modes else modes
        vma["uffd"] = {"ctx": dice.one(contexts), "modes": modes}
    for page in range(pages):
        kind = dice.one(("present", "present", "swapped", "zero", "poisoned", "none"))
        if name == "dst" and dice.often(60):
            kind = "none"
        if kind in {"swapped", "zero"} and (shared or backing != "anon"):
            kind = "present"
        if kind != "none":
            vma.setdefault(kind, []).append(page)
        if kind == "present" and backing == "anon" and dice.often(15):
            vma.setdefault(dice.one(("pinned", "not_exclusive")), []).append(page)
    if dice.often(20):
        vma["gap"] = True
    return vma


def random_call(dice: Dice, vmas: list[Tables], contexts: list[str]) -> Tables:
    """One call with arguments that are often, not always, good ones."""
    op = dice.one(CALLS)
    vma, other = (vmas[0], vmas[1]) if dice.often(60) else (dice.one(vmas), dice.one(vmas))
    at, pages = place(dice, vma)
    call: Tables = {"op": op}
    if op not in {"fork", "mmap", "close", "touch"}:
        call["pages"] = pages
    if op.startswith("UFFDIO") or op == "close":
        call["ctx"] = dice.one(contexts)
    if op in {"UFFDIO_COPY", "UFFDIO_MOVE"}:
        call |= {"dst": at, "src": place(dice, other)[0]}
    elif op not in {"fork", "mmap", "close"}:
        call["at"] = at
    if op in {"UFFDIO_COPY", "UFFDIO_ZEROPAGE", "UFFDIO_MOVE"} and dice.often(15):
        call["dontwake"] = True
    return call | arguments(dice, op, at, pages, vmas)


def arguments(dice: Dice, op: str, at: str, pages: int, vmas: list[Tables]) -> Tables:
    """What one kind of call is asked beside its range."""
    made: Tables = {}
    match op:
        case "UFFDIO_MOVE":
            made["allow_src_holes"] = dice.often(30)
        case "UFFDIO_WRITEPROTECT":
            made["protect"] = dice.often(50)
        case "UFFDIO_REGISTER":
            made["modes"] = dice.one((["missing"], ["wp"], ["missing", "wp"]))
        case "touch":
            made["write"] = dice.often(50)
        case "mmap":
            made = random_mmap(dice, at, pages)
        case "mprotect":
            made["prot"] = dice.one(("r", "rw", "none"))
        case "mremap":
            made = random_mremap(dice, vmas, pages)
        case _:
            made = {"advice": dice.one(ADVICE)} if op == "madvise" else {}
    return made


def random_mmap(dice: Dice, at: str, pages: int) -> Tables:
    """A new mapping, in its own place or over another one."""
    there: Tables = {"at": at, "fixed": True} if dice.often(60) else {}
    return {"name": "fresh", "pages": pages, "backing": dice.one(("anon", "shmem")), **there}


def random_mremap(dice: Dice, vmas: list[Tables], pages: int) -> Tables:
    """Where to, and how large."""
    how: Tables = {}
    if dice.often(50):
        how["new_pages"] = dice.one((1, 2, 3, 4))
    if dice.often(60):
        how |= {"to": place(dice, dice.one(vmas))[0], "fixed": True}
    if dice.often(25):
        how |= {"dontunmap": True, "new_pages": pages}
    return how


def place(dice: Dice, vma: Tables) -> tuple[str, int]:
    """A page of a mapping, and how many pages from there; seldom over its end."""
    first = dice.one(range(vma["pages"])) if dice.often(40) else 0
    left = vma["pages"] - first
    pages = left + dice.often(10) if dice.often(50) else 1
    return (f"{vma['name']}+{first}" if first else vma["name"]), pages


class Chance:
    """Any task that can move; now and then a failure, a fatal signal, the end of a lock's patience.

    It goes on with the background until that sleeps too: then nobody holds anything.
    """

    def __init__(self, seed: int, failures: int = 5, kills: int = 1) -> None:
        self.dice = Dice(seed)
        self.failures = failures
        self.kills = kills
        self.last = ""

    def pick(self, machine: Machine) -> str | None:
        choices = [name for name in machine.tasks if machine.can_step(name)]
        if not choices:
            return None
        if self.dice.often(2) and (lock := contended(machine)):
            return f"deadline {lock}"
        sticky = self.last in choices and self.dice.often(70)
        task = self.last if sticky else self.dice.one(choices)
        self.last = task
        ask = machine.tasks[task].ask
        if isinstance(ask, Work) and ask.errno and self.dice.often(self.failures):
            return f"fail {task}"
        if task not in machine.background and self.dice.often(self.kills) and self.dice.often(20):
            return f"kill {task}"
        return task


def contended(machine: Machine) -> str:
    """A lock that somebody queues for; empty if there is none."""
    names = (
        name
        for name, s in machine.named.items()
        if isinstance(s, RwSem) and s.queue and not s.handoff
    )
    return next(names, "")
