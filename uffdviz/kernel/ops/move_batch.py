"""UFFDIO_MOVE of many pages under one hold of the page-table locks (v6.18).

Kernel: mm/userfaultfd.c, move_present_ptes(). Step numbers: reference, section 4.2.
"""

from typing import TYPE_CHECKING

from uffdviz.kernel.memory import Pte, look
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef
from uffdviz.kernel.ops.move_pte import Held, Move, Result
from uffdviz.kernel.steps import Step, Work
from uffdviz.light import msgspec

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def move_present_ptes(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Move a page, and those after it as long as that is as easy; one flush for all.

    Kernel: mm/userfaultfd.c, move_present_ptes().
    Returns: the bytes done, -EAGAIN or -EBUSY; and what is held.
    """
    mm = move.src_vma.mm
    await k.double_pt_lock(mm, move.dst, move.src)  # q12
    err = await k.move_folio_stable(move, pte, held)  # q13
    folio: FolioRef | None = held.folio
    now: Pte | None = pte
    done = 0
    while not err and folio is not None and now is not None:
        err = await k.move_anon_pte(move.at(done, PAGE_SIZE), now, folio)  # q14
        done += 0 if err else PAGE_SIZE
        if err or done == move.length:
            break
        await k.folio_unlock(folio.lock)  # q15
        folio, now = await k.check_ptes_for_batched_move(move.at(done, PAGE_SIZE), held)  # q15
    if done:
        await Work("tlb_flush")  # q16
    await k.double_pt_unlock(mm, move.dst, move.src)  # q16
    if folio is not None:
        await k.folio_unlock(folio.lock)  # q17
    if held.folio is not None:
        await k.folio_put(held.folio)  # q17
    return done or err, msgspec.structs.replace(held, folio=None, pte=None)


async def check_ptes_for_batched_move(
    k: "Kernel", move: Move, held: Held
) -> tuple[FolioRef | None, Pte | None]:
    """Lock the next page if it can be moved without any wait, under the locks that are held.

    Kernel: mm/userfaultfd.c, check_ptes_for_batched_move().
    Returns: the page, locked, and its entry; or none.
    """
    mm = move.src_vma.mm
    if await k.ptep_get(mm, move.dst) is not None:  # q15
        return None, None
    pte: Pte | None = await k.ptep_get(mm, move.src)  # q15
    if pte is None or pte.kind != "page":
        return None, None
    folio = k.stage.folio(pte.folio)
    if not await k.folio_trylock(folio.lock):  # q15
        return None, None
    step = Step(folio.rec, look, "large", "exclusive", "anon_vma")
    large, exclusive, anon_vma = await step  # q15
    if large or not exclusive or held.anon_vma is not k.stage.anon_vma(anon_vma):
        await k.folio_unlock(folio.lock)  # q15
        return None, None
    return folio, pte
