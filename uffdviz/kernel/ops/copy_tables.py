"""Moving page-table entries to another place (mremap), and to another address space (fork).

Kernel: mm/mremap.c, mm/memory.c.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import ENOMEM
from uffdviz.kernel.memory import Entry, Folio, VmaRecord, look
from uffdviz.kernel.objects import PAGE_SIZE, Vma
from uffdviz.kernel.ops.page_table import pmd_addr_end
from uffdviz.kernel.page_tables import (
    Entries,
    forbid_write,
    is_linked,
    look_range,
    put_range,
    read_only,
    share,
    shift_range,
    take_range,
)
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.kernel.vma_tree import linear_pgoff, whole_record
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


def copied_for(s: Folio, task: str, name: str, anon_vma: str, index: int) -> Outcome:
    """A page of a child's own, with the contents of a pinned one."""
    after = msgspec.structs.replace(s, anon_vma=anon_vma, index=index, exclusive=True)
    return after, None, Fact("Changed", detail=f"copies a pinned page to {name}")


async def move_page_tables(
    k: "Kernel", vma: Vma, old_addr: int, new_vma: Vma, new_addr: int, length: int
) -> int:
    """Move the pages of a range to another range, page table by page table.

    Kernel: mm/mremap.c, move_page_tables().
    Left out: moving a whole page table by its link (both ends aligned to 2 MiB), rmap locks.
    Returns: the bytes that were gone over; fewer than `length` for want of a page table.
    """
    mm = vma.mm
    done = 0
    while done < length:
        old, new = old_addr + done, new_addr + done
        room = pmd_addr_end(new, new_addr + length) - new
        extent = min(pmd_addr_end(old, old_addr + length) - old, room)
        if await Step(mm.table(old), is_linked):
            if await k.pte_alloc(mm, new):
                break
            await k.move_ptes(vma, old, old + extent, new_vma, new)
        done += extent
    return done


async def move_ptes(k: "Kernel", vma: Vma, old: int, end: int, new_vma: Vma, new: int) -> None:
    """Move entries from one page table to another one, with both locked.

    Kernel: mm/mremap.c, move_ptes(). mmap_lock for writing makes the order of the two free.
    """
    mm = vma.mm
    await k.spin_lock(mm.ptl(old))
    first, last = old // PAGE_SIZE, end // PAGE_SIZE - 1
    by = (new - old) // PAGE_SIZE
    units = last - first + 1
    where, there = k.stage.where(old), k.stage.where(new)
    if mm.ptl(new) is mm.ptl(old):
        table = mm.table(old)
        await Step(table, shift_range, (first, last), by, there, cost="set_pte", units=units)
    else:
        await k.spin_lock(mm.ptl(new))
        found: Entries = await Step(
            mm.table(old), take_range, first, last, where, cost="clear_pte", units=units
        )
        moved = tuple((page + by, pte) for page, pte in found)
        await Step(mm.table(new), put_range, moved, there, cost="set_pte", units=len(moved))
        await k.spin_unlock(mm.ptl(new))
    await k.spin_unlock(mm.ptl(old))


async def copy_page_range(k: "Kernel", dst_vma: Vma, src_vma: Vma) -> int:
    """Let a child's mapping have the pages of its parent's; what can be faulted in is not copied.

    Kernel: mm/memory.c, copy_page_range() with vma_needs_copy().
    Returns: 0, or -ENOMEM.
    """
    modes = await Step(dst_vma.rec, look, "modes")
    anon_vma, start, end = await Step(src_vma.rec, look, "anon_vma", "start", "end")
    if not anon_vma and "wp" not in modes:
        return 0
    while start < end:
        upto = pmd_addr_end(start, end)
        if await Step(src_vma.mm.table(start), is_linked):
            if await k.pte_alloc(dst_vma.mm, start):
                return ENOMEM
            await k.copy_pte_range(dst_vma, src_vma, start, upto)
        start = upto
    return 0


async def copy_pte_range(k: "Kernel", dst_vma: Vma, src_vma: Vma, start: int, end: int) -> None:
    """Copy entries to the child and write-protect both sides: the next write makes a copy.

    Kernel: mm/memory.c, copy_pte_range(). Left out: locks dropped on the way to reschedule, or to
    allocate the copy of a pinned page.
    """
    dst_mm, src_mm = dst_vma.mm, src_vma.mm
    shared, modes = await Step(dst_vma.rec, look, "shared", "modes")
    await k.spin_lock(dst_mm.ptl(start))
    await k.spin_lock(src_mm.ptl(start))
    first, last = start // PAGE_SIZE, end // PAGE_SIZE - 1
    found: Entries = await Step(src_mm.table(start), look_range, first, last)
    copies: Entries = ()
    protect: tuple[int, ...] = ()
    for entry in found:
        copy, cow = entry, False
        if not shared:
            copy, cow = await k.copy_present_pte(dst_vma, entry)
        if kept := for_child(copy, modes):
            copies = (*copies, kept)
        protect = (*protect, entry[0]) if cow else protect
    where = k.stage.where(start)
    await Step(src_mm.table(start), forbid_write, protect, where, cost="change_pte")
    units = max(len(copies), 1)
    await Step(dst_mm.table(start), put_range, copies, where, cost="copy_pte", units=units)
    await k.spin_unlock(src_mm.ptl(start))
    await k.spin_unlock(dst_mm.ptl(start))


async def copy_present_pte(k: "Kernel", dst_vma: Vma, entry: Entry) -> tuple[Entry, bool]:
    """Decide what the child gets for one entry: the same page, or a copy of a pinned one.

    Kernel: mm/memory.c, copy_present_pte(); copy_nonpresent_pte() for swapped pages.
    Returns: the child's entry, and whether the parent's must be write-protected.
    """
    page, pte = entry
    if not pte.folio:
        return entry, False
    folio = k.stage.folio(pte.folio)
    if await Step(folio.rec, share, pte.folio, cost="rmap"):
        return (page, read_only(pte)), pte.write
    rec: VmaRecord = await Step(dst_vma.rec, whole_record)
    index = linear_pgoff(rec) + page - rec.start // PAGE_SIZE
    k.fresh += 1
    name = f"{k.stage.where(page * PAGE_SIZE)}@{k.current.name}.{k.fresh}"
    await Step(k.stage.folio(name).rec, copied_for, name, rec.anon_vma, index, cost="copy_page")
    return (page, msgspec.structs.replace(pte, folio=name)), False


def for_child(entry: Entry, modes: tuple[str, ...]) -> Entry | None:
    """Drop the userfaultfd's protection if the child's mapping is not registered for it."""
    page, pte = entry
    if "wp" in modes:
        return entry
    if pte.kind == "wp_marker":
        return None
    return (page, msgspec.structs.replace(pte, wp=False))
