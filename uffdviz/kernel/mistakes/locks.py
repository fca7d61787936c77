"""Mistakes in taking the locks of mappings: reference, invariants, 3.1."""

from typing import Final

from uffdviz.kernel.mistakes.eras import INT, B, C
from uffdviz.kernel.mutations import Edit, Mistake

SAME_VMA: Final = "    if start <= src < end:"
NOT_SAME: Final = "    if False:"
BLOCKING: Final = Edit(
    "uffd_move_lock",
    "src_vma = await k.lock_vma_under_rcu(mm, src)  # T3",
    "src_vma = await k.lock_vma(mm, src)  # T3",
)
SECOND_LOOK_B: Final = """    seq = await Step(vma.rec, look, "lock_seq")  # 3
    if seq == await Step(vma.mm.lock_seq, load):  # 3
        await k.up_read(vma.lock)  # 3
        return False
"""
SECOND_LOOK_C: Final = """    seq = await Step(vma.rec, look, "lock_seq")  # 4
    if seq == await Step(mm.lock_seq, load):  # 4
        await k.vma_refcount_put(vma)  # 4
        return None
"""


MISTAKES: Final = (
    Mistake(
        "M01",
        "MOVE takes the second mapping's lock with the blocking helper",
        ("L1", "S11"),
        (*B, *C),
        "opposite-moves",
        (BLOCKING,),
        why="real: revisions 3 and 4",
    ),
    Mistake(
        "M02",
        "the same, and nobody looks whether both ends are in one mapping",
        ("L1", "S11"),
        (*B, *C),
        "move-same-mapping-meets-mprotect",
        (
            BLOCKING,
            Edit("uffd_move_lock", SAME_VMA, NOT_SAME),
            Edit("uffd_move_unlock", "    if src_vma is not dst_vma:", "    if True:"),
        ),
        why="real: revisions 3 and 4",
    ),
    Mistake(
        "M03",
        "locking does not look whether both ends are in one mapping, unlocking does",
        ("S10",),
        (*B, *C),
        "move-same-mapping",
        (Edit("uffd_move_lock", SAME_VMA, NOT_SAME),),
    ),
    Mistake(
        "M05",
        "when src is refused, dst stays locked",
        ("S10",),
        C,
        "move-refused-beside-mprotect",
        (Edit("lock_both_vmas", "        await k.vma_end_read(dst_vma)  # T8\n", "\n"),),
    ),
    Mistake(
        "M06",
        "an early error exit after map_changing_lock was taken leaves both locks held",
        ("S10",),
        (*B, *C),
        "copy-wants-write-protection",
        (
            Edit(
                "mfill_atomic",
                "            err = await k.mfill_vma_suits(vma, mode, wp=wp)  # B4",
                "            if err := await k.mfill_vma_suits(vma, mode, wp=wp): return err  # B4",
            ),
        ),
        why='real: "fix lock leak in mfill_get_vma()"',
    ),
    Mistake(
        "M07",
        "the slow path takes the next mapping above an address",
        ("S3",),
        (*B, *C),
        "copy-below-the-mapping",
        (
            Edit(
                "find_vma_and_prepare_anon",
                'name = await Step(mm.tree, tree_walk, addr, cost="tree_walk")  # V5',
                'name = (*await Step(mm.tree, tree_overlap, addr, 1 << 62, cost="tree_walk"), "")[0]',
            ),
        ),
    ),
    Mistake(
        "M08",
        "the slow path compares sequence numbers as the fast one does",
        ("L4",),
        (*B, *C),
        "copy-falsely-locked",
        (
            Edit(
                "lock_vma",
                "        await k.down_read(vma.lock)  # V7",
                "        vma = vma if await k.vma_start_read(vma) else EAGAIN  # V7",
            ),
            Edit(
                "lock_vma",
                "not await k.vma_start_read_locked(vma):  # V7",
                "await k.vma_start_read(mm, vma) is not vma:  # V7",
            ),
        ),
        why="Liam's first sketch, Suren's objection",
    ),
    Mistake(
        "M09",
        "vma_start_read() does not compare the numbers a second time",
        ("S1",),
        ("v6.8", *B, *C),
        "fault-meets-mprotect",
        (
            Edit("vma_start_read", SECOND_LOOK_B, "\n\n\n\n"),
            Edit("vma_start_read", SECOND_LOOK_C, "\n\n\n\n"),
        ),
    ),
    Mistake(
        "M10",
        "nobody looks whether the mapping was detached before it was locked",
        ("S2",),
        ("v6.8", *B),
        "fault-meets-munmap",
        (
            Edit(
                "lock_vma_under_rcu",
                'if not await Step(vma.rec, look, "detached"):  # 4',
                "if True:",
            ),
        ),
    ),
    Mistake(
        "M11",
        "a count of zero may be counted up",
        ("S2",),
        C,
        "copy-meets-munmap",
        (Edit("vma_start_read", "count_up,", "count_up_anyhow,"),),
    ),
    Mistake(
        "M13",
        "nobody looks whether the locked mapping is of this address space",
        ("S2", "S3"),
        C,
        "two-address-spaces",
        (
            Edit(
                "vma_start_read", 'if await Step(vma.rec, look, "mm") != mm.name:  # 3', "if False:"
            ),
        ),
    ),
    Mistake(
        "M14",
        "another address space's mapping is counted down without keeping that space alive",
        ("S13",),
        C,
        "two-address-spaces-one-exits",
        (
            Edit("vma_put_stranger", "    await k.mmgrab(other)\n", "\n"),
            Edit("vma_put_stranger", "    await k.mmdrop(other)\n", "\n"),
        ),
        why="real: 9bbffee67ffd",
    ),
    Mistake(
        "M15",
        "the last reader wakes the writer only if the mapping was detached",
        ("L1",),
        C,
        "copy-meets-mprotect",
        (
            Edit(
                "vma_refcount_put",
                "if VMA_LOCK_OFFSET <= count <= VMA_LOCK_OFFSET + 1:",
                "if count == VMA_LOCK_OFFSET:",
            ),
        ),
    ),
    Mistake(
        "M16",
        "vma_end_read() is not under RCU",
        ("S13",),
        B,
        "copy-meets-munmap",
        (
            Edit("vma_end_read", "    await k.rcu_read_lock()\n", "\n"),
            Edit("vma_end_read", "    await k.rcu_read_unlock()\n", "\n"),
        ),
    ),
    Mistake(
        "M17",
        "mprotect() does not lock the mapping for writing",
        ("S1", "S14"),
        ("v6.8", *B, *C),
        "fault-meets-mprotect",
        (Edit("mprotect_fixup", "    await k.vma_start_write(mine)  # 3\n", "\n"),),
    ),
    Mistake(
        "M18",
        "fork() does not lock the parent's mappings for writing",
        ("S1",),
        ("v6.8", *B, *C),
        "touch-meets-fork",
        (Edit("dup_vma", "    await k.vma_start_write(mpnt)  # 3\n", "\n"),),
        why="real: until 6.4",
    ),
    Mistake(
        "M20",
        "downgrading mmap_lock does not move the sequence number",
        ("S1",),
        INT,
        "copy-meets-munmap-of-half",
        (Edit("mmap_write_downgrade", "    await k.vma_end_write_all(mm)\n", "\n"),),
    ),
    Mistake(
        "M145",
        "the sequence number moves before mmap_lock is there",
        ("S1",),
        ("v6.12", *C),
        "fault-between-two-mprotects",
        (
            Edit(
                "mmap_write_lock_killable",
                "    err = await k.down_write_killable(mm.lock)\n    if not err:\n"
                "        await k.mm_lock_seqcount_begin(mm)\n",
                "    await k.mm_lock_seqcount_begin(mm)\n\n"
                "    err = await k.down_write_killable(mm.lock)\n",
            ),
        ),
        why="the mappings of the writer that still has it look unlocked",
    ),
)
