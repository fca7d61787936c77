"""Changes that look like mistakes and are none: reference, invariants, 4. They must not be reported.

N08, N11, N13, N14, N15, N19 and N21 are how the kernel is; N09, N12, N17 and N23 speak of what the
model has no step for, or has as it is. The reference has no row for N24.
"""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mistakes.events import DOWN_READ, UP_READ
from uffdviz.kernel.mutations import Edit, Mistake

FIRST_LOOK_B: Final = """    seq = await Step(vma.rec, look, "lock_seq")  # 1
    if seq == await Step(vma.mm.lock_seq, load):  # 1
        return False
"""
FIRST_LOOK_C: Final = """    seq = await Step(vma.rec, look, "lock_seq")  # 1
    if seq == await Step(mm.lock_seq, load):  # 1
        return None
"""
SAME_VMA: Final = "    if start <= src < end:"
START_WRITE: Final = "    await k.vma_start_write(mine)  # 3\n"


def benign(
    ident: str, change: str, eras: tuple[str, ...], scenario: str, *edits: Edit, why: str
) -> Mistake:
    """Make the record of a change that breaks nothing."""
    return Mistake(ident, change, (), eras, scenario, edits, why=why)


MISTAKES: Final = (
    benign(
        "N01",
        "the counter is not tested before the locks",
        (*A, *B, *C),
        "copy-meets-fork",
        Edit("userfaultfd_changing", "if await k.read_once(ctx.mmap_changing)", "if False"),
        Edit("userfaultfd_changing", "if not await k.read_once(ctx.mmap_changing):", "if True:"),
        why="the test under the locks decides",
    ),
    benign(
        "N02",
        "vma_start_read() does not compare the numbers a first time",
        ("v6.8", *B, *C),
        "fault-meets-mprotect",
        Edit("vma_start_read", FIRST_LOOK_B, "\n\n\n"),
        Edit("vma_start_read", FIRST_LOOK_C, "\n\n\n"),
        why="the second comparison decides",
    ),
    benign(
        "N03",
        "fills always go by mmap_lock to the mapping's lock",
        (*B, *C),
        "copy-meets-mprotect",
        Edit(
            "lock_vma",
            "vma: Vma | int | None = await k.lock_vma_under_rcu(mm, addr)  # V1",
            "vma = None",
        ),
        why="more traffic on mmap_lock, and nothing else",
    ),
    benign(
        "N05",
        "under mmap_lock, src is locked before dst",
        (*B, *C),
        "move-meets-mprotect",
        Edit(
            "uffd_move_lock",
            "await k.down_read(vmas[0].lock)  # T7",
            "await k.down_read(vmas[1].lock)",
        ),
        Edit(
            "uffd_move_lock",
            "await k.down_read(vmas[1].lock)  # T8",
            "await k.down_read(vmas[0].lock)",
        ),
        Edit(
            "lock_both_vmas",
            "if not await k.vma_start_read_locked(dst_vma):  # T7",
            "dst_vma, src_vma = src_vma, dst_vma\n    if not await k.vma_start_read_locked(dst_vma):",
        ),
        Edit("lock_both_vmas", "    return dst_vma, src_vma", "    return src_vma, dst_vma"),
        why="with mmap_lock read there is no writer of a mapping: the order is free",
    ),
    benign(
        "N06",
        "locking and unlocking both do not look whether the two mappings are one",
        B,
        "move-same-mapping-meets-mprotect",
        Edit("uffd_move_lock", SAME_VMA, "    if False:"),
        Edit("uffd_move_lock", "        if vmas[1] is not vmas[0]:", "        if True:"),
        Edit("uffd_move_unlock", "    if src_vma is not dst_vma:", "    if True:"),
        why="two holds and two releases; a writer that waits only makes the second try fail",
    ),
    benign(
        "N10",
        "operations do not take map_changing_lock, and no event of REMOVE is on",
        (*B, *C),
        "copy-meets-fork",
        Edit("mfill_atomic", DOWN_READ, "\n"),
        Edit("mfill_atomic", UP_READ, "\n"),
        why="the other events cannot complete before the mapping's readers have left",
    ),
    benign(
        "N12",
        "every reader that leaves wakes the writer",
        C,
        "copy-meets-mprotect",
        Edit(
            "vma_refcount_put",
            "if VMA_LOCK_OFFSET <= count <= VMA_LOCK_OFFSET + 1:",
            "if VMA_LOCK_OFFSET <= count:",
        ),
        why="it looks again at what it waits for",
    ),
    benign(
        "N16",
        "downgrading mmap_lock does not move the sequence number",
        ("v6.8", "v6.12", *C),
        "fault-meets-munmap",
        Edit("mmap_write_downgrade", "    await k.vma_end_write_all(mm)\n", "\n"),
        why="only faults use these locks (v6.8), or the next writer moves the number anyway",
    ),
    benign(
        "N20",
        "mprotect() locks the mapping for writing twice",
        (*A, *B, *C),
        "fault-meets-mprotect",
        Edit("mprotect_fixup", START_WRITE, START_WRITE + START_WRITE),
        why="the second time returns at once",
    ),
    benign(
        "N22",
        "munmap() raises its event before it locks the mapping for writing",
        (*B, *C),
        "copy-meets-munmap",
        Edit("vms_gather_munmap_vmas", "            await k.vma_start_write(vma)  # 3\n", "\n"),
        Edit(
            "vms_gather_munmap_vmas",
            "            await k.vma_mark_detached(vma)  # 3\n            listed = (*listed, vma)\n"
            "            err, uf = await k.userfaultfd_unmap_prep(vma, start, end, uf)  # 3\n",
            "            err, uf = await k.userfaultfd_unmap_prep(vma, start, end, uf)  # 3\n"
            "            await k.vma_start_write(vma); await k.vma_mark_detached(vma)  # 3\n"
            "            listed = (*listed, vma)\n",
        ),
        why="both come before the unlock, and nobody gets past both the lock and the test between",
    ),
    benign(
        "N24",
        "MADV_DONTNEED raises its event after it has dropped mmap_lock",
        (*B, *C),
        "copy-meets-dontneed",
        Edit(
            "userfaultfd_remove",
            "    await k.mmap_changing_raise(ctx)  # 4\n    await k.mmap_read_unlock(mm)  # 5\n",
            "    await k.userfaultfd_ctx_get(ctx); await k.mmap_read_unlock(mm)  # 5\n"
            "    await k.mmap_changing_raise(ctx); await k.userfaultfd_ctx_put(ctx)  # 4\n",
        ),
        why="it holds mmap_lock for reading and has dropped no page yet; map_changing_lock keeps operations out",
    ),
)
