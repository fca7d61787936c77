"""The handles of one loaded scenario, and the world it begins with."""

from collections.abc import Iterator
from typing import Any

from uffdviz.kernel.memory import VmaRecord
from uffdviz.kernel.objects import AnonVma, FolioRef, Mm, Task, Uffd, Vma
from uffdviz.kernel.page_cache import File
from uffdviz.kernel.steps import Obj
from uffdviz.kernel.vma_tree import PAGE, VmaSlab
from uffdviz.light import msgspec

World = dict[Obj, Any]


class Stage:
    """Interns every handle by name, so that all runs of a scenario share them.

    `vma_lock` is what the lock of a fresh mapping is in this era. `world` holds the states that
    differ from an object's own beginning.
    """

    def __init__(self, vma_lock: Any) -> None:
        self.vma_lock = vma_lock
        self.world: World = {}
        self.mms: dict[str, Mm] = {}
        self.vmas: dict[str, Vma] = {}
        self.uffds: dict[str, Uffd] = {}
        self.anon_vmas: dict[str, AnonVma] = {}
        self.folios: dict[str, FolioRef] = {}
        self.files: dict[str, File] = {}
        self.tasks: dict[str, Task] = {}
        self.vma_slab = Obj("slab", "vma slab", VmaSlab())
        self.free_ranges: list[tuple[int, int, str]] = []
        self.settled = False
        self._where: dict[int, str] = {}
        self._ranges: tuple[tuple[int, int, str], ...] = ()

    def mm(self, name: str) -> Mm:
        """The address space of that name; the first one's objects carry no name of it."""
        if name not in self.mms:
            self.mms[name] = Mm(name, f" {name}" if self.mms else "")
        return self.mms[name]

    def vma(self, name: str, mm: Mm | None = None) -> Vma:
        """The mapping of that name; a new one needs its address space."""
        if name not in self.vmas:
            if mm is None:
                raise KeyError(name)
            lock = self.vma_lock
            if self.settled and hasattr(lock, "attached"):
                lock = msgspec.structs.replace(lock, attached=False)
            self.vmas[name] = Vma(mm, name, lock, VmaRecord(mm=mm.name))
        return self.vmas[name]

    def vma_reusing(self, name: str, mm: Mm, old: str) -> Vma:
        """A mapping whose memory was the mapping `old` before: the same record, the same lock."""
        if name not in self.vmas:
            vma = Vma(mm, name, self.vma_lock, VmaRecord(mm=mm.name))
            vma.rec, vma.lock = self.vmas[old].rec, self.vmas[old].lock
            self.vmas[name] = vma
        return self.vmas[name]

    def uffd(self, name: str, mm: Mm | None = None, features: tuple[str, ...] = ()) -> Uffd:
        """The userfaultfd of that name; a new one needs its address space."""
        if name not in self.uffds:
            if mm is None:
                raise KeyError(name)
            suffix = f" {name}"
            self.uffds[name] = Uffd(name, mm, features, suffix)
        return self.uffds[name]

    def anon_vma(self, name: str) -> AnonVma:
        """The anon_vma of that name."""
        return self.anon_vmas.setdefault(name, AnonVma(name))

    def folio(self, name: str) -> FolioRef:
        """The page of that name."""
        return self.folios.setdefault(name, FolioRef(name))

    def file(self, name: str) -> File:
        """The file of that name, with its page cache."""
        return self.files.setdefault(name, File(name))

    def task(self, name: str, mm: Mm | None = None) -> Task:
        """The task of that name; a new one needs its address space."""
        if name not in self.tasks:
            if mm is None:
                raise KeyError(name)
            self.tasks[name] = Task(name, mm)
        return self.tasks[name]

    def settle(self) -> None:
        """Note what every object of the scenario is at first; done once, before the first run."""
        if self.settled:
            return
        self.settled = True
        families: tuple[dict[str, Any], ...] = (self.mms, self.vmas, self.uffds, self.anon_vmas)
        for family in (*families, self.files, self.folios, self.tasks):
            for handle in family.values():
                for obj in objects_of(handle):
                    self.world.setdefault(obj, obj.initial)
        self.world.setdefault(self.vma_slab, self.vma_slab.initial)

    def has_vma(self, name: str) -> int:
        """1 if a mapping of the scenario has this name from the start, else 0."""
        return int(name in self.vmas and self.vmas[name].rec in self.world)

    def threads(self, mm: Mm) -> int:
        """How many tasks live in an address space."""
        return sum(task.mm is mm for task in self.tasks.values())

    def where(self, addr: int) -> str:
        """Name an address by the scenario's mappings, or by ranges that it calls by a name."""
        name = self._where.get(addr)
        if name is None:
            name = self._name_of(addr)
            if self.settled:
                self._where[addr] = name
        return name

    def _name_of(self, addr: int) -> str:
        for start, end, name in self._known():
            if start <= addr < end:
                page = (addr - start) // PAGE
                return f"{name}+{page}" if page else name
        return f"{addr:#x}"

    def _known(self) -> tuple[tuple[int, int, str], ...]:
        """The ranges that have a name, looked for once when all is as it begins."""
        if not self._ranges:
            recs = ((v.name, self.world.get(v.rec)) for v in self.vmas.values())
            known = [(r.start, r.end, name) for name, r in recs if r is not None]
            ranges = (*known, *self.free_ranges)
            if not self.settled:
                return ranges
            self._ranges = ranges
        return self._ranges

    def begin(self) -> Iterator[tuple[Obj, Any]]:
        """The states that the scenario gives its objects."""
        return iter(self.world.items())


def objects_of(handle: Any) -> Iterator[Obj]:
    """Every object that a handle names, those of its page tables included."""
    for slot in handle.__slots__:
        value = getattr(handle, slot)
        for obj in value.values() if isinstance(value, dict) else (value,):
            if isinstance(obj, Obj):
                yield obj
