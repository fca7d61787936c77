"""UFFDIO_MOVE of one page that is swapped out.

Kernel: mm/userfaultfd.c, move_swap_pte(). Step numbers: reference, section 4.2, s1 to s5.
An entry of kind `swap` names its page; the page's `swap cache` word says whether memory has it.
Left out: the lock of the swap cache, swap devices that go away (but `get_swap_device` can fail).
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.errno import EAGAIN, EBUSY, EFAULT
from uffdviz.kernel.memory import Pte, look
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef
from uffdviz.kernel.ops.move_pte import RESTART, Held, Move, Result
from uffdviz.kernel.steps import Step, Work
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def move_swapped(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Move a swap entry; wait for a page that is being migrated.

    Kernel: mm/userfaultfd.c, the last branch of move_pages_pte().
    """
    if pte.kind == "migration":
        held = await k.move_unmap(held)  # s1
        await k.migration_entry_wait(k.stage.folio(pte.folio))  # s1
        return EAGAIN, held
    if pte.kind != "swap":
        return EFAULT, held
    if not await Step(k.stage.folio(pte.folio).rec, look, "exclusive"):  # s1
        return EBUSY, held
    result: Result = await k.move_swap_entry(move, pte, held)  # s2
    return result


async def migration_entry_wait(k: "Kernel", folio: FolioRef) -> None:
    """Sleep until a page has arrived. Kernel: mm/migrate.c.

    Left out: the wait is for the page's lock alone, without taking it.
    """
    await k.folio_lock(folio.lock)  # s1
    await k.folio_unlock(folio.lock)  # s1


async def move_swap_entry(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Move the entry without a look at the swap cache.

    A page that is there already keeps its old place in rmap. Kernel: until v6.13.
    """
    return await k.move_swap_pte(move, pte, held), held  # s4


async def move_swap_entry_cached(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Lock the page that the swap cache has for the entry, then move both.

    Kernel: mm/userfaultfd.c, move_pages_ptes() (v6.14, and by v6.18 without its races).
    Returns: the bytes done, RESTART or a negative errno; and what is held now.
    """
    if await Work("get_swap_device", cost="check", errno=EAGAIN):  # s2
        return EAGAIN, held
    folio = k.stage.folio(pte.folio)
    if held.folio is None and await k.read_once(folio.swap_cache):  # s2
        if await Step(folio.rec, look, "large"):  # s2
            return EBUSY, held
        await k.folio_get(folio)  # s2
        held = msgspec.structs.replace(held, folio=folio, pte=pte)
        if not await k.folio_trylock(folio.lock):  # s2
            held = await k.move_unmap(held)  # s2
            await k.folio_lock(folio.lock)  # s2
            return RESTART, held
    if held.folio is not None and not await k.read_once(folio.swap_cache):  # s3
        return EAGAIN, held
    return await k.move_swap_pte(move, pte, held), held  # s4


async def move_swap_pte(k: "Kernel", move: Move, pte: Pte, held: Held) -> int:
    """Move the entry with both page tables locked, and the cached page's place with it.

    Kernel: mm/userfaultfd.c, move_swap_pte().
    Returns: the bytes done, or -EAGAIN.
    """
    mm = move.src_vma.mm
    await k.double_pt_lock(mm, move.dst, move.src)  # s4
    err = await k.move_ptes_stable(move, pte)  # s4
    if not err:
        err = await k.move_swap_cache(move, pte, held)  # s4
    if not err:
        await k.ptep_clear_flush(move.src_vma, move.src)  # s5
        await k.set_pte_at(move.dst_vma, move.dst, pte)  # s5
    await k.double_pt_unlock(mm, move.dst, move.src)  # s5
    return err or PAGE_SIZE


async def move_swap_cache_ignored(k: "Kernel", move: Move, pte: Pte, held: Held) -> int:
    """Do nothing about the swap cache. Kernel: until v6.13. Returns: 0."""
    return 0


async def move_swap_cache(k: "Kernel", move: Move, pte: Pte, held: Held) -> int:
    """Move the cached page along; one that came in only now has to be locked first.

    Kernel: mm/userfaultfd.c, in move_swap_pte().
    Returns: 0, or -EAGAIN.
    """
    if held.folio is not None:
        await k.folio_move_anon_rmap(move, held.folio)  # s5
        return 0
    return EAGAIN if await k.read_once(k.stage.folio(pte.folio).swap_cache) else 0  # s4
