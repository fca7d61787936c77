"""Mistakes with page tables, pages and anon_vmas: reference, invariants, 3.5."""

from typing import TYPE_CHECKING, Final

from uffdviz.kernel.errno import EAGAIN
from uffdviz.kernel.memory import look, tree_walk
from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake
from uffdviz.kernel.objects import Mm, Vma
from uffdviz.kernel.ops import move, move_pte, move_swap
from uffdviz.kernel.steps import Step

if TYPE_CHECKING:
    from uffdviz.kernel.kernel import Kernel


async def lock_vma_looks_first(k: "Kernel", mm: Mm, addr: int) -> Vma | int:
    """Look for an anon_vma before the mapping is locked, and not after."""
    name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")
    shared, anon_vma = False, ""
    if name:
        shared, anon_vma = await Step(k.stage.vma(name).rec, look, "shared", "anon_vma")
    if shared or anon_vma:
        vma = await k.lock_vma_under_rcu(mm, addr)
        if vma is not None:
            return vma
    await k.mmap_read_lock(mm)
    found = await k.find_vma_and_prepare_anon(mm, addr)
    if isinstance(found, Vma) and not await lock_found_vma(k, found):
        found = EAGAIN
    await k.mmap_read_unlock(mm)
    return found


async def lock_found_vma(k: "Kernel", vma: Vma) -> bool:
    """Lock a mapping with mmap_lock held, in the era's way."""
    if hasattr(k, "vma_start_read_locked"):
        return bool(await k.vma_start_read_locked(vma))
    await k.down_read(vma.lock)
    return True


MISTAKES: Final = (
    Mistake(
        "M45",
        "an entry is set without a look that it is none",
        ("S8",),
        (*A, *B, *C),
        "two-copies",
        (
            Edit(
                "mfill_atomic_install_pte",
                'err = 0 if pte is None or pte.kind in {"poison", "wp_marker"} else EEXIST',
                "err = 0",
            ),
        ),
    ),
    Mistake(
        "M46",
        "only anonymous mappings get an anon_vma",
        ("S7",),
        (*B, *C),
        "copy-into-private-file",
        (
            Edit(
                "find_vma_and_prepare_anon",
                'if not await Step(vma.rec, look, "shared") and',
                'if await Step(vma.rec, look, "backing") == "anon" and',
            ),
            Edit(
                "lock_vma", 'look, "shared", "anon_vma")  # V2', 'look, "file", "anon_vma")  # V2'
            ),
        ),
        why="real: revision 3",
    ),
    Mistake(
        "M47",
        "the anon_vma is prepared under the mapping's lock alone",
        ("S7",),
        (*B, *C),
        "copy-into-private-file",
        (
            Edit(
                "lock_vma",
                "        await k.vma_end_read(vma)  # V3\n",
                "        return ENOMEM if await k.anon_vma_prepare(vma) else vma\n",
            ),
        ),
        why="real: revisions 1 and 2",
    ),
    Mistake(
        "M48",
        "whether there is an anon_vma is asked before the mapping is locked, not after",
        ("S7",),
        (*B, *C),
        "copy-meets-mremap-dontunmap",
        (
            Edit(
                "lock_vma_under_rcu",
                'if backing == "anon" and not anon_vma:',
                "if False:",
            ),
        ),
        (("lock_vma", lock_vma_looks_first),),
    ),
    Mistake(
        "M50",
        "both page-table locks are taken even if they are one",
        ("L1", "S11"),
        ("v6.8", *B, *C),
        "move",
        (
            Edit("double_pt_lock", "    if mm.ptl(one) is not mm.ptl(other):", "    if True:"),
            Edit("double_pt_unlock", "    if mm.ptl(one) is not mm.ptl(other):", "    if True:"),
        ),
    ),
    Mistake(
        "M51",
        "a move that waited for the page does not look at its entry again",
        ("S8",),
        ("v6.8", *B, *C),
        "two-moves",
        (
            Edit(
                "move_pte_try",
                "pte: Pte | None = await k.ptep_get_locked(mm, move.src)  # q4",
                "pte = held.pte or await k.ptep_get_locked(mm, move.src)",
            ),
            Edit(
                "move_ptes_stable", "if await k.ptep_get(mm, move.src) != pte:  # q13", "if False:"
            ),
        ),
    ),
    Mistake(
        "M52",
        "a move sleeps for a page with its page tables mapped",
        ("S11",),
        ("v6.8", *B, *C),
        "two-moves",
        (Edit("move_lock_folio", "    held = await k.move_unmap(held)  # q8\n", "\n"),),
    ),
    Mistake(
        "M53",
        "rmap is told of the new place before the last look for pins",
        ("S9",),
        ("v6.8", *B, *C),
        "move-meets-pin",
        (
            Edit("move_anon_pte", "    await k.folio_move_anon_rmap(move, folio)  # q15\n", "\n"),
            Edit(
                "move_anon_pte",
                "    await k.ptep_clear_flush(move.src_vma, move.src)  # q14\n",
                "    await k.folio_move_anon_rmap(move, folio); "
                "await k.ptep_clear_flush(move.src_vma, move.src)  # q14\n",
            ),
        ),
        why="real: CVE-2024-27007, fixed in 6.9-rc5",
    ),
    Mistake(
        "M54",
        "a swap entry is moved without a look at the swap cache",
        ("S9",),
        ("v6.8", *B, *C),
        "move-swapped-meets-fault",
        functions=(
            ("move_swap_entry", move_swap.move_swap_entry),
            ("move_swap_cache", move_swap.move_swap_cache_ignored),
        ),
        why="real: until 6.14, so it changes nothing before v6.18",
    ),
    Mistake(
        "M55",
        "a busy large page is waited for with a reference to it",
        ("L5", "L1"),
        ("v6.8", *B, *C),
        "two-moves-of-a-large-page",
        functions=(("move_gives_up_on", move_pte.move_waits_for_any),),
        why="real: until 6.14, so it changes nothing before v6.18",
    ),
    Mistake(
        "M56",
        "the error of a page that was busy once is not cleared when it has moved",
        ("S12",),
        ("v6.8", *B, *C),
        "move-swapped-meets-fault",
        functions=(("move_range", move.move_range_v6_18),),
        why="real: 6.18 to 7.0, so it changes nothing in v6.18",
    ),
    Mistake(
        "M57",
        "after locking, the checks of the mappings leave the error at 0",
        ("S12",),
        (*B, *C),
        "move-from-shared",
        (
            Edit(
                "move_pages",
                """        err = await k.move_ranges_fit(move)  # m4
        err = err or await k.validate_move_areas(ctx, move)  # m5
        if not err:
""",
                """        bad = await k.move_ranges_fit(move)  # m4
        err = 0 if bad else await k.validate_move_areas(ctx, move)  # m5
        if not bad and not err:
""",
            ),
        ),
        why="real: revision 4",
    ),
)
