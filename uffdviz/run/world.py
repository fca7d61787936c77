"""The first world of a scenario: what mappings, page tables, pages and caches hold at the start."""

from collections.abc import Mapping
from itertools import groupby
from typing import Final

from uffdviz.kernel.memory import Folio, PageTable, Pte, Tree, VmaRecord
from uffdviz.kernel.objects import PAGE_SIZE, TABLE_SIZE, Mm
from uffdviz.kernel.page_cache import PageCache
from uffdviz.kernel.stage import Stage
from uffdviz.run.addresses import MAIN, Layout, Place, page_name
from uffdviz.run.scenario import Scenario, VmaTable, numbers

LISTS: Final = ("present", "swapped", "pinned", "poisoned", "zero", "wp", "not_exclusive", "large")


def furnish(stage: Stage, scenario: Scenario, layout: Layout, ctx: Mapping[str, str]) -> None:
    """Put everything that is there from the start on the stage; `ctx`: of a mapping, by its name."""
    for name in layout.mms:
        stage.mm(name)
    for uffd in scenario.uffd:
        stage.uffd(uffd.name, stage.mm(uffd.mm or MAIN), uffd.features)
    _name_tables(stage, layout)
    for vma in scenario.vma:
        if vma.mapped:
            _Mapping(stage, vma, layout.places[vma.name]).furnish(ctx.get(vma.name, ""))
    for name in layout.mms:
        mm = stage.mm(name)
        mapped = [v for v in scenario.vma if v.mapped and (v.mm or MAIN) == name]
        places = sorted((layout.places[v.name] for v in mapped), key=lambda p: p.start)
        stage.world[mm.tree] = Tree(tuple((p.start, p.end, p.name) for p in places))
    stage.free_ranges.extend(
        (p.start, p.end, p.name) for p in layout.places.values() if not p.mapped
    )


def _name_tables(stage: Stage, layout: Layout) -> None:
    """Call each page table by the first page of a mapping in it; those of mappings first."""
    for place in sorted(layout.places.values(), key=lambda p: (not p.mapped, p.start)):
        first = place.start
        while first < place.end:
            name = page_name(place.name, (first - place.start) // PAGE_SIZE)
            stage.mm(place.mm).name_table(first, name)
            first = (first // TABLE_SIZE + 1) * TABLE_SIZE


class _Mapping:
    """One mapping while its record and its pages are made."""

    def __init__(self, stage: Stage, vma: VmaTable, place: Place) -> None:
        self.stage = stage
        self.vma = vma
        self.place = place
        self.mm: Mm = stage.mm(place.mm)
        self.pages = {key: frozenset(numbers(getattr(vma, key))) for key in LISTS}
        anonymous = vma.backing == "anon"
        here = (
            self.pages["present"]
            | self.pages["swapped"]
            | self.pages["pinned"]
            | self.pages["large"]
        )
        prepared = vma.anon_vma
        if prepared is None:
            prepared = anonymous and bool(here | self.pages["not_exclusive"])
        self.file = "" if anonymous else vma.file or vma.name
        self.anon_vma = vma.name if prepared else ""
        self.cached = not anonymous and (vma.shared or not prepared)

    def furnish(self, ctx: str) -> None:
        """Make the record, the anon_vma, the pages and their entries."""
        vma, place = self.vma, self.place
        self.stage.world[self.stage.vma(vma.name, self.mm).rec] = VmaRecord(
            mm=place.mm,
            start=place.start,
            end=place.end,
            prot=vma.prot,
            shared=vma.shared,
            backing=vma.backing,
            file=self.file,
            pgoff=place.start // PAGE_SIZE if vma.backing == "anon" else 0,
            ctx=ctx,
            modes=vma.uffd.modes if vma.uffd else (),
            anon_vma=self.anon_vma,
            lock_seq=0 if vma.falsely_locked else -1,
        )
        if self.anon_vma:
            self.stage.world[self.stage.anon_vma(self.anon_vma).rec] = 1
        if self.file and vma.file_pages is not None:
            cache = self.stage.file(self.file).cache
            self.stage.world[cache] = PageCache(size=vma.file_pages)
        used = sorted(frozenset().union(*self.pages.values()))
        self._fill({page: self._pte(page) for page in used})

    def _is(self, key: str, page: int) -> bool:
        return page in self.pages[key]

    def _pte(self, page: int) -> Pte:
        wp = self._is("wp", page)
        if self._is("zero", page):
            return Pte(kind="zero", write=False, wp=wp)
        exclusive = not self._is("not_exclusive", page)
        writable = "w" in self.vma.prot and exclusive and not wp
        if self._is("swapped", page):
            # As after MADV_PAGEOUT: the page is unmapped, but the swap cache still has it.
            name = self._folio(page)
            self.stage.world[self.stage.folio(name).swap_cache] = 1
            return Pte(kind="swap", folio=name, write=writable, wp=wp)
        if any(self._is(key, page) for key in ("present", "pinned", "not_exclusive", "large")):
            writable = writable and (self.vma.shared or not self.cached)
            return Pte(folio=self._folio(page), write=writable, wp=wp)
        if self._is("poisoned", page):
            return Pte(kind="poison", write=False)
        return Pte(kind="wp_marker", write=False, wp=True)

    def _folio(self, page: int) -> str:
        """The page of memory behind a page: one of the file's, or the mapping's own."""
        name = page_name(self.file if self.cached else self.vma.name, page)
        folio = self.stage.folio(name)
        old = self.stage.world.get(folio.rec)
        self.stage.world[folio.rec] = Folio(
            anon_vma="" if self.cached else self.anon_vma,
            file=self.file if self.cached else "",
            index=page if self.cached else self.place.start // PAGE_SIZE + page,
            refs=old.refs + 1 if old else 1 + self.cached,
            pins=int(self._is("pinned", page)) + (old.pins if old else 0),
            exclusive=not self.cached and not self._is("not_exclusive", page),
            large=self._is("large", page),
            poisoned=self._is("poisoned", page) or bool(old and old.poisoned),
        )
        if self.cached:
            self._cache(page, name)
        return name

    def _cache(self, page: int, name: str) -> None:
        obj = self.stage.file(self.file).cache
        cache: PageCache = self.stage.world.get(obj, obj.initial)
        pages = {**dict(cache.pages), page: name}
        self.stage.world[obj] = PageCache(tuple(sorted(pages.items())), cache.size)

    def _fill(self, ptes: Mapping[int, Pte]) -> None:
        """Put entries into the page tables that cover them; such a table is linked."""
        first = self.place.start // PAGE_SIZE
        for addr, group in groupby(ptes, lambda page: (first + page) * PAGE_SIZE // TABLE_SIZE):
            table = self.mm.table(addr * TABLE_SIZE)
            old: PageTable = self.stage.world.get(table, table.initial)
            entries = {**dict(old.entries), **{first + page: ptes[page] for page in group}}
            self.stage.world[table] = PageTable(linked=True, entries=tuple(sorted(entries.items())))
