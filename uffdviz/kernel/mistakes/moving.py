"""Mistakes in moving pages that the reference has no row for."""

from typing import Final

from uffdviz.kernel.mistakes.eras import B, C
from uffdviz.kernel.mutations import Edit, Mistake

DST_LOOK: Final = """    if await k.ptep_get(mm, move.dst) is not None:  # q15
        return None, None
"""
LOCK_SRC: Final = "            await k.down_read(vmas[1].lock)  # T8\n"
LOCK_BOTH: Final = "        vmas = await k.lock_both_vmas(vmas[0], vmas[1])  # T7\n"
LOCK_DST: Final = """    if not await k.vma_start_read_locked(dst_vma):  # T7
        return EAGAIN
"""

SRC_SAME: Final = """    if await k.ptep_get(mm, move.src) != pte:  # q13
        return EAGAIN
"""

MISTAKES: Final = (
    Mistake(
        "M87",
        "a move does not look again at what it takes, with both page tables locked",
        ("S8",),
        ("v6.8", *B, *C),
        "move-meets-dontneed-of-source",
        (Edit("move_ptes_stable", SRC_SAME, "\n\n"),),
    ),
    Mistake(
        "M88",
        "a swap-in does not look again at the entry that it fills",
        ("S8", "S9"),
        ("v6.8", *B, *C),
        "move-swapped-meets-fault",
        (
            Edit(
                "map_swapped_folio",
                "same = mapped and await k.ptep_get(mm, addr) == old",
                "same = mapped",
            ),
        ),
    ),
    Mistake(
        "M97",
        "the slow path of a move drops mmap_lock before it locks the source",
        ("S1", "S2", "S13"),
        (*B, *C),
        "move-meets-mprotect-and-munmap-of-source",
        (
            Edit(
                "uffd_move_lock",
                LOCK_SRC,
                f"            await k.mmap_read_unlock(mm); {LOCK_SRC.split('  #')[0].strip()}; return vmas\n",
            ),
            Edit("uffd_move_lock", LOCK_BOTH, LOCK_BOTH.replace("vmas =", "return", 1)),
            Edit(
                "lock_both_vmas",
                LOCK_DST,
                """    locked = await k.vma_start_read_locked(dst_vma); await k.mmap_read_unlock(dst_vma.mm)
    if not locked: return EAGAIN
""",
            ),
        ),
    ),
    Mistake(
        "M98",
        "a move does not look where the destination's mapping ends",
        ("S3",),
        ("v6.8", *B, *C),
        "move-past-its-mapping",
        (
            Edit(
                "move_ranges_fit",
                "dst.shared or not inside(dst, move.dst, move.length)",
                "dst.shared",
            ),
        ),
    ),
    Mistake(
        "M100",
        "a move does not look whose userfaultfd watches the destination",
        ("S3",),
        ("v6.8", *B, *C),
        "move-into-another-userfaultfd",
        (Edit("validate_move_areas", "dst.ctx == ctx.name and ", ""),),
    ),
    Mistake(
        "M101",
        "a batch goes on over a page that lies at the destination already",
        ("S8",),
        C,
        "move-two-second-present",
        (Edit("check_ptes_for_batched_move", DST_LOOK, "\n\n"),),
    ),
    Mistake(
        "M102",
        "a batch goes on with a page that another address space has, too",
        ("S9", "S14"),
        C,
        "move-two-second-not-exclusive",
        (Edit("check_ptes_for_batched_move", "large or not exclusive or", "large or"),),
    ),
    Mistake(
        "M140",
        "the slow path of a move compares sequence numbers as the fast one does",
        ("L4",),
        (*B, *C),
        "move-source-falsely-locked",
        (
            Edit(
                "uffd_move_lock",
                LOCK_SRC,
                "            if not await k.vma_start_read(vmas[1]): await k.vma_end_read(vmas[0]); vmas = -11\n",
            ),
            Edit(
                "lock_both_vmas",
                "await k.vma_start_read_locked_nested(src_vma)",
                "await k.vma_start_read(dst_vma.mm, src_vma)",
            ),
        ),
    ),
)
