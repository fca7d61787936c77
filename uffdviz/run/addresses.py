"""Where things lie: names of mappings and pages as addresses, and back.

Mappings lie in file order, each right after the one before unless it has a `gap` or a `start`.
A name that only `mmap` brings lies where its `at` says, or else above everything.
"""

import re
from collections.abc import Iterator
from typing import Final

from uffdviz.errors import near_miss
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.light import msgspec
from uffdviz.run.scenario import Call, Mmap, Scenario, TaskTable, VmaTable, wrong

BASE: Final = 0x7F0000000000
NEXT_MM: Final = 0x10000000000
MAIN: Final = "mm"
ADDRESS: Final = re.compile(r"([A-Za-z_][A-Za-z0-9_.]*)(?:\+(\d{1,12}))?")
REP: Final = "{rep}"
TWIN: Final = "{n}"
FAULT: Final = "fault"
ADDRESSES: Final = ("dst", "src", "at", "to")


class Place(msgspec.Struct, frozen=True):
    """A named piece of an address space."""

    name: str
    mm: str
    start: int
    pages: int
    mapped: bool = True

    @property
    def end(self) -> int:
        """The first byte after it."""
        return self.start + self.pages * PAGE_SIZE


class Layout:
    """All named places of a scenario.

    Raises: ScenarioError for places that overlap and for a name or page that is not there.
    """

    def __init__(self, scenario: Scenario) -> None:
        self.places: dict[str, Place] = {}
        self._ends: dict[str, int] = {}
        self.mms = (MAIN, *(m.name for m in scenario.mm))
        for number, mm in enumerate(self.mms):
            self._ends[mm] = BASE - number * NEXT_MM
        for vma in scenario.vma:
            self._add_vma(vma)
        for task in scenario.task:
            for call in every_call(task):
                if isinstance(call, Mmap):
                    self._add_mmap(scenario, task, call)

    def _add_vma(self, vma: VmaTable) -> None:
        mm = vma.mm or MAIN
        start = self._ends[mm] + (PAGE_SIZE if vma.gap else 0) if vma.start is None else vma.start
        if start % PAGE_SIZE:
            msg = f"vma {vma.name!r}, start: {start:#x} is not at a page, that is a multiple of 0x1000"
            raise wrong(msg)
        place = Place(vma.name, mm, start, vma.pages, vma.mapped)
        for other in self.places.values():
            if other.mm == mm and other.start < place.end and place.start < other.end:
                msg = (
                    f"vma {vma.name!r}, start: {start:#x} lies in {other.name!r}, which is from "
                    f"{other.start:#x} to {other.end:#x}"
                )
                raise wrong(msg)
        self.places[vma.name] = place
        self._ends[mm] = place.end

    def _add_mmap(self, scenario: Scenario, task: TaskTable, call: Mmap) -> None:
        twins = range(1, (task.count or 1) + 1)
        numbers = numbers_of(scenario, task) if uses_number(call) else range(1)
        for number, twin in ((number, twin) for twin in twins for number in numbers):
            name = filled(call.name, number, twin)
            if name in self.places:
                continue
            mm = task.mm or MAIN
            if call.at:
                start = self.address(call.at, number, step_of(call, "at"), twin)
            else:
                start = max(p.end for p in self.places.values()) if self.places else BASE
                start += PAGE_SIZE
            self.places[name] = Place(name, mm, start, call.pages, mapped=False)

    def address(self, text: str, number: int = 0, step: int = 0, twin: int = 1) -> int:
        """The address that `text` names in repetition `number`, for a task's twin of that number.

        Raises: ScenarioError.
        """
        match = ADDRESS.fullmatch(filled(text, number, twin))
        if match is None:
            msg = f'{text!r} is no address; addresses are "NAME" or "NAME+PAGE"'
            raise wrong(msg)
        place = self.places.get(match[1])
        if place is None:
            raise wrong(
                f"no mapping {match[1]!r}"
                + (near_miss(match[1], self.places) or f"; mappings are {', '.join(self.places)}")
            )
        page = int(match[2] or 0) + number * step
        if not 0 <= page < place.pages:
            when = f" in repetition {number}" if step and number else ""
            msg = f"page {page} of {place.name!r}{when}: it has pages 0 to {place.pages - 1}"
            raise wrong(msg)
        return place.start + page * PAGE_SIZE

    def place_of(self, addr: int, mm: str = "") -> Place | None:
        """The place that contains `addr`; mapped places first."""
        found = [
            p for p in self.places.values() if p.start <= addr < p.end and (not mm or p.mm == mm)
        ]
        return min(found, key=lambda p: not p.mapped, default=None)

    def where(self, addr: int, mm: str = "") -> str:
        """Name an address as `NAME` or `NAME+PAGE`; a bare number outside all places."""
        place = self.place_of(addr, mm)
        return (
            f"{addr:#x}"
            if place is None
            else page_name(place.name, (addr - place.start) // PAGE_SIZE)
        )


def filled(text: str, number: int, twin: int) -> str:
    """Put the repetition for `{rep}`, and for `{n}` which of a task's `count` twins it is."""
    return text.replace(REP, str(number)).replace(TWIN, str(twin))


def page_name(name: str, page: int) -> str:
    """`NAME+PAGE`, or `NAME` for its first page."""
    return f"{name}+{page}" if page else name


def every_call(task: TaskTable) -> Iterator[Call]:
    """Every call that a task can make."""
    yield from task.setup
    yield from task.calls
    yield from task.cleanup
    yield from task.on_sigbus


def step_of(call: Call, key: str) -> int:
    """By how many pages the address `key` of a call moves each repetition."""
    return call.step if isinstance(call.step, int) else call.step.get(key, 0)


def uses_number(call: Call) -> bool:
    """Whether the call is another one in each repetition."""
    texts = (getattr(call, key, "") for key in (*ADDRESSES, "name", "ctx"))
    return bool(call.step) or any(REP in text for text in texts if text)


def numbers_of(scenario: Scenario, task: TaskTable) -> range:
    """The numbers that a task's repetitions can use."""
    if task.cursor:
        return range(next(c.pages for c in scenario.cursor if c.name == task.cursor))
    if task.span is not None:
        return range(task.span)
    return range(1 if task.background else task.repeat or 1)
