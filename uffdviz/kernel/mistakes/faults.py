"""Mistakes in sleeping for a page and in waking: reference, invariants, 3.4."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake
from uffdviz.kernel.ops.handle_userfault import userfaultfd_admits

MUST_WAIT: Final = "must_wait = await k.userfaultfd_must_wait(vma.mm, vmf.addr, reason)"

MISTAKES: Final = (
    Mistake(
        "M39",
        "the entry is looked at before the fault is in the queue",
        ("L2",),
        (*A, *B, *C),
        "fault-meets-copy",
        (
            Edit("handle_userfault", f"    {MUST_WAIT}  # h6\n", "\n"),
            Edit(
                "handle_userfault",
                "    await k.spin_lock(ctx.fault_pending_lock)  # h5\n",
                f"    {MUST_WAIT}; await k.spin_lock(ctx.fault_pending_lock)  # h5\n",
            ),
        ),
    ),
    Mistake(
        "M41",
        "whoever wakes looks at both queues once, whatever a reader moves between them",
        ("L2",),
        (*A, *B, *C),
        "fault-read-and-resolved",
        (
            Edit(
                "userfault_waiters",
                "        await k.read_seqcount_begin(ctx.refile_seq)\n",
                "\n",
            ),
            Edit(
                "userfault_waiters",
                "        if not await k.read_seqcount_retry(ctx.refile_seq):\n",
                "        if True:\n",
            ),
        ),
    ),
    Mistake(
        "M42",
        "a fault sleeps with its lock held",
        ("L1", "S11"),
        (*A, *B, *C),
        "fault-meets-mprotect",
        (
            Edit("handle_userfault", "    await k.release_fault_lock(vma, vmf)  # h7\n", "\n"),
            Edit(
                "handle_userfault",
                "    await k.userfaultfd_ctx_put(ctx)  # h10\n",
                "    await k.release_fault_lock(vma, vmf); await k.userfaultfd_ctx_put(ctx)\n",
            ),
        ),
    ),
    Mistake(
        "M44",
        "a fault at a closed userfaultfd says 'done' and keeps its lock",
        ("L1",),
        (*A, *B, *C),
        "pin-meets-close",
        functions=(("userfaultfd_admits", userfaultfd_admits),),
        why="real: until 6.15 or so, so it changes nothing before v6.18",
    ),
)
