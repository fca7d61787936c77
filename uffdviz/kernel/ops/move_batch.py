"""UFFDIO_MOVE of many pages under one hold of the page-table locks (v6.18).

Kernel: mm/userfaultfd.c, move_present_ptes(). Step numbers: reference, section 4.2.
"""

from typing import TYPE_CHECKING

import msgspec

from uffdviz.kernel.memory import Pte, look
from uffdviz.kernel.objects import PAGE_SIZE, FolioRef
from uffdviz.kernel.ops.move_pte import Held, Move, Result
from uffdviz.kernel.steps import Step, Work

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
    folio = None if err else held.folio
    done = 0
    now: Pte | None = pte
    while folio is not None and now is not None:
        err = await k.move_anon_pte(move.at(done, PAGE_SIZE), now, folio)  # q14
        if err:
            break
        done += PAGE_SIZE
        held = await k.move_next_in_batch(folio, held)  # q15
        folio, now = None, None
        if done < move.length:
            folio, now = await k.check_ptes_for_batched_move(move.at(done, PAGE_SIZE), held)  # q15
    if folio is not None and done:
        await k.folio_unlock(folio.lock)  # q16
    if done:
        await Work("tlb_flush")  # q16
    await k.double_pt_unlock(mm, move.dst, move.src)  # q16
    return done or err, held


async def move_next_in_batch(k: "Kernel", folio: FolioRef, held: Held) -> Held:
    """Let go of the page that was moved; only the first one had a reference of its own.

    Returns: what is still held.
    """
    await k.folio_unlock(folio.lock)  # q15
    if folio is held.folio:
        await k.folio_put(folio)  # q15
    return msgspec.structs.replace(held, folio=None, pte=None)


async def check_ptes_for_batched_move(
    k: "Kernel", move: Move, held: Held
) -> tuple[FolioRef | None, Pte | None]:
    """Lock the next page if it can be moved without any wait, under the locks that are held.

    Kernel: mm/userfaultfd.c, check_ptes_for_batched_move().
    Returns: the page, locked, and its entry; or none.
    """
    mm = move.src_vma.mm
    pte: Pte | None = await k.ptep_get(mm, move.src)  # q15
    if pte is None or pte.kind != "page" or await k.ptep_get(mm, move.dst) is not None:  # q15
        return None, None
    folio = k.stage.folio(pte.folio)
    large, exclusive, anon_vma = await Step(
        folio.rec, look, "large", "exclusive", "anon_vma"
    )  # q15
    mine = held.anon_vma is None or held.anon_vma.name == anon_vma
    if large or not exclusive or not anon_vma or not mine:
        return None, None
    if not await k.folio_trylock(folio.lock):  # q15
        return None, None
    return folio, pte
