"""UFFDIO_MOVE of one page that is there.

Kernel: mm/userfaultfd.c, move_pages_pte() (move_pages_ptes() from v6.18). Step numbers: reference,
section 4.2. A page that is swapped out is in `move_swap.py`.
Left out: mmu notifiers; huge pages (q2); references to the anon_vma, whose mapping is locked.
"""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.errno import EAGAIN, EBUSY, EEXIST, ENOENT
from uffdviz.kernel.memory import Folio, Pte, VmaRecord, look
from uffdviz.kernel.objects import PAGE_SIZE, AnonVma, FolioRef, Mm, Vma
from uffdviz.kernel.steps import Outcome, Step
from uffdviz.kernel.vma_tree import linear_pgoff, whole_record
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel

RESTART: Final = 1
"""Not an errno: what was waited for is there now, begin again with the entries."""


class Move(msgspec.Struct, frozen=True):
    """What is to be moved, from mapping to mapping. `holes`: a missing source page is fine."""

    dst_vma: Vma
    src_vma: Vma
    dst: int
    src: int
    length: int
    holes: bool

    def at(self, offset: int, length: int) -> "Move":
        """The part of that length which begins `offset` further on."""
        dst, src = self.dst + offset, self.src + offset
        return msgspec.structs.replace(self, dst=dst, src=src, length=length)


class Held(msgspec.Struct, frozen=True):
    """What one page's move holds from one try to the next.

    `folio` is locked and has a reference; `pte`: its entry then; `mapped`: so are both page tables,
    and nobody may sleep.
    """

    folio: FolioRef | None = None
    pte: Pte | None = None
    anon_vma: AnonVma | None = None
    mapped: bool = False


Result = tuple[int, Held]


def add_refs(s: Folio, task: str, name: str, by: int) -> Outcome:
    """folio_get() and folio_put()."""
    verb = "takes a reference to" if by > 0 else "drops a reference to"
    after = msgspec.structs.replace(s, refs=s.refs + by)
    return after, None, Fact("Changed", detail=f"{verb} {name}")


def split(s: Folio, task: str, name: str) -> Outcome:
    """split_folio(): impossible while anybody else has a reference; the answer says whether."""
    if s.refs > 2 or s.pins:
        return s, False, Fact("Saw", detail=f"{s.refs} references")
    return msgspec.structs.replace(s, large=False), True, Fact("Changed", detail=f"splits {name}")


def move_anon_rmap(s: Folio, task: str, name: str, anon_vma: str, index: int) -> Outcome:
    """folio_move_anon_rmap(), and the index: rmap finds the page at its new place."""
    after = msgspec.structs.replace(s, anon_vma=anon_vma, index=index)
    return after, None, Fact("Changed", detail=f"moves {name} to anon_vma {anon_vma} at {index:#x}")


async def move_pages_pte(k: "Kernel", move: Move) -> int:
    """Move one page, as often begun anew as something has to be waited for.

    Kernel: mm/userfaultfd.c, move_pages_pte().
    Returns: the bytes done, or a negative errno.
    """
    err, held = RESTART, Held()
    while err == RESTART:
        err, held = await k.move_pte_try(move, held)
    await k.move_release(held)  # q17
    return err


async def move_pte_try(k: "Kernel", move: Move, held: Held) -> Result:
    """Look at both entries and move the page, or wait for what is in the way.

    Kernel: mm/userfaultfd.c, move_pages_pte() from its label `retry`.
    Returns: the bytes done, RESTART or a negative errno; and what is held now.
    """
    mm = move.src_vma.mm
    for addr in (move.dst, move.src):
        if not await k.pte_offset_map(mm, addr):  # q1
            return EAGAIN, held
        held = msgspec.structs.replace(held, mapped=True)
    if await k.ptep_get_locked(mm, move.dst) is not None:  # q3
        return EEXIST, held
    pte: Pte | None = await k.ptep_get_locked(mm, move.src)  # q4
    if pte is None:
        return PAGE_SIZE if move.holes else ENOENT, held
    if held.folio is not None and held.pte != pte:
        return EAGAIN, held
    result: Result
    if pte.kind in {"page", "zero"}:
        result = await k.move_present(move, pte, held)
    else:
        result = await k.move_swapped(move, pte, held)
    return result


async def ptep_get_locked(k: "Kernel", mm: Mm, addr: int) -> Pte | None:
    """Read an entry under the lock of its page table. Kernel: in move_pages_pte()."""
    await k.spin_lock(mm.ptl(addr))
    pte: Pte | None = await k.ptep_get(mm, addr)
    await k.spin_unlock(mm.ptl(addr))
    return pte


async def move_unmap(k: "Kernel", held: Held) -> Held:
    """Unmap both page tables; what is held besides stays."""
    if held.mapped:
        await k.pte_unmap()
    return msgspec.structs.replace(held, mapped=False)


async def move_release(k: "Kernel", held: Held) -> None:
    """Let go of everything. Kernel: mm/userfaultfd.c, move_pages_pte() from its label `out`."""
    if held.anon_vma is not None:
        await k.up_write(held.anon_vma.lock)  # q17
    if held.folio is not None:
        await k.folio_unlock(held.folio.lock)  # q17
        await k.folio_put(held.folio)  # q17
    await k.move_unmap(held)  # q17


async def folio_get(k: "Kernel", folio: FolioRef) -> None:
    """Keep a page from being freed. Kernel: include/linux/mm.h."""
    await Step(folio.rec, add_refs, folio.name, 1, cost="atomic")


async def folio_put(k: "Kernel", folio: FolioRef) -> None:
    """Drop a reference. Kernel: include/linux/mm.h."""
    await Step(folio.rec, add_refs, folio.name, -1, cost="atomic")


async def move_present(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Lock the page, then the anon_vma, then move.

    Kernel: mm/userfaultfd.c, the branch pte_present() of move_pages_pte().
    """
    if pte.kind == "zero":
        return await k.move_zeropage_pte(move, pte), held  # q6
    err = 0
    if held.folio is None:
        err, held = await k.move_lock_folio(move, pte, held)  # q7
    if not err and held.folio and await Step(held.folio.rec, look, "large"):  # q10
        err, held = await k.move_split_folio(held)  # q10
    if not err and held.anon_vma is None:
        err, held = await k.move_lock_anon_vma(held)  # q11
    if err:
        return err, held
    result: Result = await k.move_present_pte(move, pte, held)  # q12
    return result


async def move_zeropage_pte(k: "Kernel", move: Move, pte: Pte) -> int:
    """Move the entry of the shared zero page: it has no owner.

    Kernel: mm/userfaultfd.c, move_zeropage_pte() (v6.9).
    Returns: the bytes done, or -EAGAIN.
    """
    mm = move.src_vma.mm
    await k.double_pt_lock(mm, move.dst, move.src)  # q6
    err = await k.move_ptes_stable(move, pte)  # q6
    if not err:
        await k.ptep_clear_flush(move.src_vma, move.src)  # q6
        await k.set_pte_at(move.dst_vma, move.dst, Pte(kind="zero", write=False))  # q6
    await k.double_pt_unlock(mm, move.dst, move.src)  # q6
    return err or PAGE_SIZE


async def move_zeropage_pte_v6_8(k: "Kernel", move: Move, pte: Pte) -> int:
    """Refuse the zero page: it is no page of this mapping alone. Kernel: v6.8.

    Returns: -EBUSY, or -EAGAIN.
    """
    mm = move.src_vma.mm
    await k.spin_lock(mm.ptl(move.src))  # q7
    same = await k.ptep_get(mm, move.src) == pte  # q7
    await k.spin_unlock(mm.ptl(move.src))  # q9
    return EBUSY if same else EAGAIN


async def move_ptes_stable(k: "Kernel", move: Move, pte: Pte) -> int:
    """Whether both entries are as they were, with both locked. Returns: 0, or -EAGAIN.

    Kernel: mm/userfaultfd.c, is_pte_pages_stable().
    """
    mm = move.src_vma.mm
    if await k.ptep_get(mm, move.src) != pte:  # q13
        return EAGAIN
    return 0 if await k.ptep_get(mm, move.dst) is None else EAGAIN  # q13


async def move_lock_folio(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Find the page under the page-table lock and lock it; asleep, if somebody else has it.

    Kernel: mm/userfaultfd.c, in move_pages_pte().
    Returns: 0, RESTART, -EAGAIN or -EBUSY; and what is held now.
    """
    mm, folio = move.src_vma.mm, k.stage.folio(pte.folio)
    await k.spin_lock(mm.ptl(move.src))  # q7
    err = await k.move_folio_suits(move, pte, folio)  # q7
    if err:
        await k.spin_unlock(mm.ptl(move.src))  # q9
        return err, held
    locked = await k.folio_trylock(folio.lock)  # q8
    if not locked and await k.move_gives_up_on(folio):  # q8
        await k.spin_unlock(mm.ptl(move.src))  # q9
        return EAGAIN, held
    await k.folio_get(folio)  # q8
    await k.spin_unlock(mm.ptl(move.src))  # q9
    held = msgspec.structs.replace(held, folio=folio, pte=pte)
    if locked:
        return 0, held
    held = await k.move_unmap(held)  # q8
    await k.folio_lock(folio.lock)  # q8
    return RESTART, held


async def move_folio_suits(k: "Kernel", move: Move, pte: Pte, folio: FolioRef) -> int:
    """Whether the entry is as it was and the page is this mapping's alone.

    Returns: 0, -EAGAIN or -EBUSY.
    """
    if await k.ptep_get(move.src_vma.mm, move.src) != pte:  # q7
        return EAGAIN
    anon_vma, exclusive = await Step(folio.rec, look, "anon_vma", "exclusive")  # q7
    return 0 if anon_vma and exclusive else EBUSY


async def move_waits_for_any(k: "Kernel", folio: FolioRef) -> bool:
    """Wait for any busy page, with a reference to it that others may stumble on: until v6.13."""
    return False


async def move_gives_up_on_large(k: "Kernel", folio: FolioRef) -> bool:
    """Leave a busy large page alone: a reference to it would make its split fail (v6.14)."""
    return bool(await Step(folio.rec, look, "large"))  # q8


async def move_split_folio(k: "Kernel", held: Held) -> Result:
    """Split a large page and begin anew with the small one.

    Kernel: mm/huge_memory.c, split_folio(). Left out: what becomes of the other parts.
    Returns: RESTART or -EAGAIN, and what is held now.
    """
    folio = held.folio
    held = await k.move_unmap(held)  # q10
    if folio is None or not await Step(folio.rec, split, folio.name, cost="rmap"):  # q10
        return EAGAIN, held
    await k.folio_unlock(folio.lock)  # q10
    await k.folio_put(folio)  # q10
    return RESTART, msgspec.structs.replace(held, folio=None, pte=None)


async def move_lock_anon_vma(k: "Kernel", held: Held) -> Result:
    """Keep rmap walkers away from the page.

    Kernel: mm/userfaultfd.c, in move_pages_pte(); nobody needs that any more from v6.19.
    Returns: 0, RESTART or -EAGAIN; and what is held now.
    """
    name = await Step(held.folio.rec, look, "anon_vma") if held.folio else ""  # q11
    if not name:
        return EAGAIN, held
    anon_vma = k.stage.anon_vma(name)
    if await k.down_write_trylock(anon_vma.lock):  # q11
        return 0, msgspec.structs.replace(held, anon_vma=anon_vma)
    held = await k.move_unmap(held)  # q11
    await k.down_write(anon_vma.lock)  # q11
    return RESTART, msgspec.structs.replace(held, anon_vma=anon_vma)


async def move_present_pte(k: "Kernel", move: Move, pte: Pte, held: Held) -> Result:
    """Move the page if nothing has changed and nobody has pinned it.

    Kernel: mm/userfaultfd.c, move_present_pte().
    Returns: the bytes done, -EAGAIN or -EBUSY; and what is held.
    """
    mm = move.src_vma.mm
    await k.double_pt_lock(mm, move.dst, move.src)  # q12
    err = await k.move_folio_stable(move, pte, held)  # q13
    if not err and held.folio is not None:
        err = await k.move_anon_pte(move, pte, held.folio)  # q14
    await k.double_pt_unlock(mm, move.dst, move.src)  # q16
    return err or PAGE_SIZE, held


async def move_folio_stable(k: "Kernel", move: Move, pte: Pte, held: Held) -> int:
    """Whether entries and page are fit to be moved, with both page tables locked.

    Returns: 0, -EAGAIN or -EBUSY.
    """
    if await k.move_ptes_stable(move, pte) or held.folio is None:  # q13
        return EAGAIN
    large, pins, exclusive = await Step(held.folio.rec, look, "large", "pins", "exclusive")  # q13
    return EBUSY if large or pins or not exclusive else 0


async def move_anon_pte(k: "Kernel", move: Move, pte: Pte, folio: FolioRef) -> int:
    """Take the entry away, look for pins once more, then give the page its new place.

    Kernel: mm/userfaultfd.c, in move_present_pte().
    Returns: 0, or -EBUSY with everything as before.
    """
    await k.ptep_clear_flush(move.src_vma, move.src)  # q14
    if await Step(folio.rec, look, "pins"):  # q14
        await k.set_pte_at(move.src_vma, move.src, pte)  # q14
        return EBUSY
    await k.folio_move_anon_rmap(move, folio)  # q15
    await k.set_pte_at(move.dst_vma, move.dst, Pte(folio=folio.name))  # q15
    return 0


async def folio_move_anon_rmap(k: "Kernel", move: Move, folio: FolioRef) -> None:
    """Tell rmap where the page is from now on. Kernel: mm/rmap.c."""
    rec: VmaRecord = await Step(move.dst_vma.rec, whole_record)
    index = linear_pgoff(rec) + (move.dst - rec.start) // PAGE_SIZE
    await Step(folio.rec, move_anon_rmap, folio.name, rec.anon_vma, index, cost="rmap")
