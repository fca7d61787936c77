"""Filling one page.

Kernel: mm/userfaultfd.c, mm/shmem.c. Step numbers are those of the reference, sections 2.3 to 2.6.
Left out: the LRU, rss counters, swap accounting, the copied bytes; a mapping's own reference to a
page, which is its page-table entry.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EEXIST, EFAULT, EIO, ENOMEM
from uffdviz.kernel.memory import Folio, Pte, VmaRecord, look, pte_at
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef, Mm, Vma
from uffdviz.kernel.page_cache import filemap_add, filemap_get, filemap_remove, inside
from uffdviz.kernel.steps import Outcome, Step, Work
from uffdviz.kernel.vma_tree import linear_pgoff, whole_record
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def rmap_anon(s: Folio, task: str, name: str, anon_vma: str, index: int) -> Outcome:
    """folio_add_new_anon_rmap(): the page belongs to this anon_vma, at this index."""
    after = msgspec.structs.replace(s, anon_vma=anon_vma, index=index, exclusive=True)
    return after, None, Fact("Changed", detail=f"gives {name} to anon_vma {anon_vma or 'none'}")


def rmap_file(s: Folio, task: str, name: str, file: str, index: int) -> Outcome:
    """The page is the file's, at this index."""
    after = msgspec.structs.replace(s, file=file, index=index, exclusive=False)
    return after, None, Fact("Changed", detail=f"gives {name} to file {file}")


async def user_page_present(k: "Kernel", addr: int) -> bool:
    """Whether the processor can read the page at `addr` of the task without a fault."""
    pte = await Step(k.current.mm.table(addr), pte_at, addr // PAGE_SIZE)
    return pte is not None and pte.kind in {"page", "zero"}


async def alloc_fill_folio(k: "Kernel", dst: int) -> FolioRef | int:
    """Allocate a page. Kernel: mm/userfaultfd.c, vma_alloc_folio(). Returns: it, or -ENOMEM."""
    if await Work("alloc_page", errno=ENOMEM):
        return ENOMEM
    k.fresh += 1
    return k.stage.folio(f"{k.stage.where(dst)}@{k.current.name}.{k.fresh}")


async def mfill_atomic_pte_copy(
    k: "Kernel", mm: Mm, vma: Vma, dst: int, src: int, folio: FolioRef | None, *, wp: bool
) -> int | FolioRef:
    """Copy one page into a private mapping.

    Faults are disabled while copying: a fault here would wait for mmap_lock behind a writer that
    waits for us.
    Kernel: mm/userfaultfd.c, mfill_atomic_pte_copy().
    Returns: 0, a negative errno, or the page that is still to be copied into.
    """
    if folio is None:
        new = await k.alloc_fill_folio(dst)  # c1
        if isinstance(new, int):
            return new
        if not await k.copy_from_user_inatomic(src):  # c2
            return new
        folio = new
    if await Work("mem_cgroup_charge", errno=ENOMEM):  # c5
        return ENOMEM
    return await k.mfill_atomic_install_pte(mm, vma, dst, folio, page_in_cache=False, wp=wp)  # c6


async def mfill_file_over(k: "Kernel", vma: Vma, addr: int) -> bool:
    """Whether `addr` lies behind the end of the mapping's file.

    Kernel: mm/userfaultfd.c, mfill_file_over_size().
    """
    file, start, pgoff = await Step(vma.rec, look, "file", "start", "pgoff")
    if not file:
        return False
    index = pgoff + (addr - start) // PAGE_SIZE
    return not await Step(k.stage.file(file).cache, inside, index)


async def mfill_atomic_install_pte(
    k: "Kernel", mm: Mm, vma: Vma, addr: int, folio: FolioRef, *, page_in_cache: bool, wp: bool
) -> int:
    """Map a page where nothing is mapped yet.

    Kernel: mm/userfaultfd.c, mfill_atomic_install_pte().
    Returns: 0, -EAGAIN (the page table vanished), -EFAULT (end of file) or -EEXIST.
    """
    if not await k.pte_offset_map_lock(mm, addr):  # c6
        return EAGAIN
    err = EFAULT
    if not await k.mfill_file_over(vma, addr):  # c7
        pte = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)  # c8
        err = 0 if pte is None or pte.kind in {"poison", "wp_marker"} else EEXIST
    if not err:
        rec: VmaRecord = await Step(vma.rec, whole_record)  # c9
        if not page_in_cache:
            index = linear_pgoff(rec) + (addr - rec.start) // PAGE_SIZE
            step = Step(folio.rec, rmap_anon, folio.name, rec.anon_vma, index, cost="rmap")
            await step  # c9
        writable = "w" in rec.prot and not wp and (rec.shared or not page_in_cache)
        pte = Pte(folio=folio.name, write=writable, wp=wp)
        await k.set_pte_at(vma, addr, pte)  # c10
    await k.spin_unlock(mm.ptl(addr))  # c11
    return err


async def mfill_set_empty_pte(k: "Kernel", mm: Mm, vma: Vma, addr: int, pte: Pte) -> int:
    """Set an entry that needs no page of its own, where it is none (a marker is something).

    Kernel: the common part of mfill_atomic_pte_zeropage() and mfill_atomic_pte_poison().
    Returns: 0, -EAGAIN, -EFAULT or -EEXIST.
    """
    if not await k.pte_offset_map_lock(mm, addr):  # c6
        return EAGAIN
    err = EFAULT
    if not await k.mfill_file_over(vma, addr):  # c7
        old = await Step(mm.table(addr), pte_at, addr // PAGE_SIZE)  # c8
        err = 0 if old is None else EEXIST
    if not err:
        await k.set_pte_at(vma, addr, pte)  # c10
    await k.spin_unlock(mm.ptl(addr))  # c11
    return err


async def mfill_atomic_pte_zeropage(k: "Kernel", mm: Mm, vma: Vma, dst: int) -> int:
    """Map the shared zero page. Kernel: mm/userfaultfd.c."""
    return await k.mfill_set_empty_pte(mm, vma, dst, Pte("zero", write=False))


async def mfill_atomic_pte_poison(k: "Kernel", mm: Mm, vma: Vma, dst: int) -> int:
    """Set a poison marker. Kernel: mm/userfaultfd.c."""
    return await k.mfill_set_empty_pte(mm, vma, dst, Pte("poison", write=False))


async def mfill_atomic_pte_continue(k: "Kernel", mm: Mm, vma: Vma, dst: int, *, wp: bool) -> int:
    """Map the page that the page cache has already.

    Kernel: mm/userfaultfd.c, mfill_atomic_pte_continue().
    Returns: 0, -EFAULT (no page), -EIO (a poisoned one), or what installing it says.
    """
    file, start, pgoff = await Step(vma.rec, look, "file", "start", "pgoff")
    index = pgoff + (dst - start) // PAGE_SIZE
    name = await Step(k.stage.file(file).cache, filemap_get, index, cost="page_cache")  # n1
    if not name:
        return EFAULT
    folio = k.stage.folio(name)
    await k.folio_lock(folio.lock)  # n1
    if await Step(folio.rec, look, "poisoned"):  # n2
        err = EIO
    else:
        err = await k.mfill_atomic_install_pte(mm, vma, dst, folio, page_in_cache=True, wp=wp)  # n3
    await k.folio_unlock(folio.lock)  # n4
    return err


async def shmem_mfill_atomic_pte(
    k: "Kernel",
    mm: Mm,
    vma: Vma,
    dst: int,
    src: int,
    mode: str,
    folio: FolioRef | None,
    *,
    wp: bool,
) -> int | FolioRef:
    """Copy or clear a new page for the page cache of a shared mapping, and map it.

    Kernel: mm/shmem.c, shmem_mfill_atomic_pte().
    Returns: 0, a negative errno, or the page that is still to be copied into.
    """
    if await Work("shmem_inode_acct_blocks", cost="mark", errno=ENOMEM):
        return ENOMEM
    if folio is None:
        new = await k.alloc_fill_folio(dst)  # c1
        if isinstance(new, int):
            return new
        if mode == "zeropage":
            await Work("zero_page")  # c2
        elif not await k.copy_from_user_inatomic(src):  # c2
            return new
        folio = new
    if await k.mfill_file_over(vma, dst):  # c7
        return EFAULT
    if await Work("mem_cgroup_charge", errno=ENOMEM):  # c5
        return ENOMEM
    return await k.shmem_install_folio(mm, vma, dst, folio, wp=wp)


async def shmem_install_folio(
    k: "Kernel", mm: Mm, vma: Vma, dst: int, folio: FolioRef, *, wp: bool
) -> int:
    """Put a locked page into the page cache, then map it; take it out again if that fails.

    Kernel: mm/shmem.c, the end of shmem_mfill_atomic_pte().
    Returns: 0, -ENOMEM, -EEXIST, or what installing it says.
    """
    file, start, pgoff = await Step(vma.rec, look, "file", "start", "pgoff")
    index = pgoff + (dst - start) // PAGE_SIZE
    cache = k.stage.file(file).cache
    if await Work("shmem_add_to_page_cache", cost="mark", errno=ENOMEM):
        return ENOMEM
    await k.folio_trylock(folio.lock)
    await Step(folio.rec, rmap_file, folio.name, file, index, cost="rmap")  # c9
    err = EEXIST
    if await Step(cache, filemap_add, index, folio.name, cost="page_cache"):
        err = await k.mfill_atomic_install_pte(mm, vma, dst, folio, page_in_cache=True, wp=wp)  # c6
        if err:
            await Step(cache, filemap_remove, index, cost="page_cache")
    await k.folio_unlock(folio.lock)
    return err
