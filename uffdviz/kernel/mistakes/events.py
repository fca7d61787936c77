"""Mistakes with the counter of layout changes and its events: reference, invariants, 3.2."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

TEST_B: Final = "if not await k.read_once(ctx.mmap_changing):  # B3"
TEST_A: Final = "if not await k.read_once(ctx.mmap_changing):  # A2"
DOWN_READ: Final = "        await k.down_read(ctx.map_changing_lock)  # B2\n"
UP_READ: Final = "        await k.up_read(ctx.map_changing_lock)  # BU\n"
DOWN_WRITE: Final = "    await k.down_write(ctx.map_changing_lock)\n"
UP_WRITE: Final = "    await k.up_write(ctx.map_changing_lock)\n"
LOWER: Final = "    await k.atomic_add(ctx.mmap_changing, -1)  # e6"

MISTAKES: Final = (
    Mistake(
        "M21",
        "the counter is tested before the locks only, not under them",
        ("S5",),
        (*A, *B, *C),
        "copy-meets-fork",
        (Edit("mfill_atomic", TEST_B, "if True:"), Edit("mfill_atomic", TEST_A, "if True:")),
    ),
    Mistake(
        "M23",
        "operations do not take map_changing_lock",
        ("S4",),
        (*B, *C),
        "copy-meets-dontneed",
        (Edit("mfill_atomic", DOWN_READ, "\n"), Edit("mfill_atomic", UP_READ, "\n")),
    ),
    Mistake(
        "M24",
        "events are raised without map_changing_lock",
        ("S4",),
        (*B, *C),
        "copy-meets-dontneed",
        (
            Edit("mmap_changing_raise", DOWN_WRITE, "\n"),
            Edit("mmap_changing_raise", UP_WRITE, "\n"),
        ),
    ),
    Mistake(
        "M25",
        "map_changing_lock is taken before the mapping's lock",
        ("L1", "S11"),
        (*B, *C),
        "copy-meets-fork",
        (
            Edit(
                "mfill_atomic",
                """        vma = await k.uffd_mfill_lock(ctx.mm, dst_start, length)  # B1
        if isinstance(vma, int):
            return copied or vma
        await k.down_read(ctx.map_changing_lock)  # B2
""",
                """        await k.down_read(ctx.map_changing_lock)  # B2
        vma = await k.uffd_mfill_lock(ctx.mm, dst_start, length)  # B1
        if isinstance(vma, int):
            await k.up_read(ctx.map_changing_lock); return copied or vma
""",
            ),
        ),
    ),
    Mistake(
        "M26",
        "map_changing_lock is held from the raising of an event until it is read",
        ("L1",),
        (*B, *C),
        "copy-by-the-reader-meets-fork",
        (
            Edit("mmap_changing_raise", UP_WRITE, "\n"),
            Edit(
                "userfaultfd_event_wait_completion",
                LOWER,
                "    await k.up_write(ctx.map_changing_lock); await k.atomic_add(ctx.mmap_changing, -1)",
            ),
        ),
    ),
    Mistake(
        "M27",
        "fork() waits for its event to be read before it drops mmap_lock",
        ("L1", "S11"),
        (*A, *B, *C),
        "copy-by-the-reader-meets-fork",
        (
            Edit("dup_mmap", "    await k.dup_userfaultfd_finish(fcs, err)  # 5\n", "\n"),
            Edit(
                "dup_mmap",
                '    await Work("flush_tlb_mm")  # 4\n',
                '    await Work("flush_tlb_mm"); await k.dup_userfaultfd_finish(fcs, err)  # 5\n',
            ),
        ),
    ),
    Mistake(
        "M29",
        "fork() raises the counter after it has dropped mmap_lock",
        ("S5",),
        (*A, *B, *C),
        "copy-meets-fork",
        (
            Edit("dup_userfaultfd", "        await k.mmap_changing_raise(octx)\n", "\n"),
            Edit(
                "dup_userfaultfd_complete",
                "        ctx = k.stage.uffd(fctx.orig)\n",
                "        ctx = k.stage.uffd(fctx.orig); await k.mmap_changing_raise(ctx)\n",
            ),
        ),
    ),
    Mistake(
        "M30",
        "the counter is a flag",
        ("S5",),
        (*A, *B, *C),
        "copy-meets-two-dontneeds",
        (
            Edit(
                "mmap_changing_raise",
                "await k.atomic_add(ctx.mmap_changing, 1)",
                "await k.write_once(ctx.mmap_changing, 1)",
            ),
            Edit(
                "userfaultfd_event_wait_completion",
                "await k.atomic_add(ctx.mmap_changing, -1)",
                "await k.write_once(ctx.mmap_changing, 0)",
            ),
        ),
        why="real: until 2021",
    ),
    Mistake(
        "M31",
        "a fork that fails leaves the counter raised",
        ("S6", "L4"),
        ("v6.12", *C),
        "copy-after-fork-failed",
        (
            Edit(
                "dup_userfaultfd_fail",
                "        await k.atomic_add(octx.mmap_changing, -1)\n",
                "\n",
            ),
        ),
    ),
    Mistake(
        "M32",
        "close() says that it has closed only after it has woken everybody",
        ("L6",),
        (*A, *B, *C),
        "close-meets-fork",
        (
            Edit("userfaultfd_release", "    await k.write_once(ctx.released, 1)\n", "\n"),
            Edit(
                "userfaultfd_release",
                "    await k.wake_up_poll(ctx)\n",
                "    await k.wake_up_poll(ctx); await k.write_once(ctx.released, 1)\n",
            ),
        ),
    ),
    Mistake(
        "M33",
        "after the copy without locks the counter is not tested again",
        ("S5",),
        (*A, *B, *C),
        "copy-source-meets-mremap",
        (
            Edit("mfill_atomic", TEST_B, TEST_B.replace("if ", "if folio is not None or ")),
            Edit("mfill_atomic", TEST_A, TEST_A.replace("if ", "if folio is not None or ")),
        ),
        why="real: hugetlb before 6.8-rc3",
    ),
)
