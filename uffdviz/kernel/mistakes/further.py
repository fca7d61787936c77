"""Mistakes of the same kinds that the reference has no row for; the numbers go on after its own."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mistakes.events import DOWN_READ
from uffdviz.kernel.mistakes.sleeping import (
    down_write_killable_leaving_quietly,
    up_read_waking_nobody,
)
from uffdviz.kernel.mutations import Edit, Mistake

SECOND_PTL: Final = """    if mm.ptl(one) is not mm.ptl(other):
        await k.spin_lock(mm.ptl(max(one, other)))
"""
SECOND_UNLOCK: Final = """    if mm.ptl(one) is not mm.ptl(other):
        await k.spin_unlock(mm.ptl(other))
"""
PINNED: Final = """    if await Step(folio.rec, look, "pins"):  # q14
        await k.set_pte_at(move.src_vma, move.src, pte)  # q14
        return EBUSY
"""
LOOK_UP: Final = """        name = await Step(mm.tree, tree_walk, start, cost="tree_walk")  # 6
        if not name:
            return ENOMEM, end
        vma = k.stage.vma(name)
"""
FREE: Final = """    for vma in vmas:
        await k.vm_area_free(mm, vma)  # 6
"""
UNMAP: Final = "    await k.unmap_region(mm, vmas)  # 6\n"
DEQUEUE: Final = """    if await Step(k.current.state, look, "linked"):  # h9
        await k.dequeue_userfault(ctx, entry)  # h9
"""
WAKE_ONE: Final = (
    "            await k.userfaultfd_wake_function(ctx.fault_pending_wqh, "
    '"fault_pending_wqh", entry)\n'
)
WAKE_ACTIVE: Final = (
    '                await k.userfaultfd_wake_function(ctx.fault_wqh, "fault_wqh", entry)\n'
)

MISTAKES: Final = (
    Mistake(
        "M61",
        "mmap_write_unlock() releases the rwsem before the sequence number moves",
        ("S1",),
        ("v6.8", *B, *C),
        "fault-between-two-mprotects",
        (
            Edit("mmap_write_unlock", "    await k.vma_end_write_all(mm)\n", "\n"),
            Edit(
                "mmap_write_unlock",
                "    await k.up_write(mm.lock)\n",
                "    await k.up_write(mm.lock); await k.vma_end_write_all(mm)\n",
            ),
        ),
        why="the mark of the next writer is wiped out",
    ),
    Mistake(
        "M62",
        "the slow path drops mmap_lock before it locks the mapping",
        ("S1", "S2"),
        (*B, *C),
        "copy-meets-munmap-of-half",
        (
            Edit("lock_vma", "    await k.mmap_read_unlock(mm)  # V9\n", "\n"),
            Edit(
                "lock_vma",
                "    vma = await k.find_vma_and_prepare_anon(mm, addr)  # V5\n",
                "    vma = await k.find_vma_and_prepare_anon(mm, addr); "
                "await k.mmap_read_unlock(mm)  # V5\n",
            ),
        ),
    ),
    Mistake(
        "M63",
        "joining mappings locks none of them for writing",
        ("S1", "S3"),
        (*B, *C),
        "copy-meets-merge",
        (
            Edit(
                "commit_merge",
                "        await k.vma_start_write(k.stage.vma(name))\n",
                "        pass\n",
            ),
        ),
    ),
    Mistake(
        "M64",
        "a move does not take map_changing_lock",
        ("S4",),
        (*B, *C),
        "move-meets-dontneed",
        (
            Edit("move_pages", "    await k.down_read(ctx.map_changing_lock)  # m2\n", "\n"),
            Edit("move_pages", "    await k.up_read(ctx.map_changing_lock)  # mU\n", "\n"),
        ),
    ),
    Mistake(
        "M65",
        "write protection does not take map_changing_lock",
        ("S4",),
        (*B, *C),
        "writeprotect-meets-dontneed",
        (
            Edit(
                "mwriteprotect_range", "    await k.down_read(ctx.map_changing_lock)  # w2\n", "\n"
            ),
            Edit("mwriteprotect_range", "    await k.up_read(ctx.map_changing_lock)  # wU\n", "\n"),
        ),
    ),
    Mistake(
        "M66",
        "the counter is tested before map_changing_lock is taken",
        ("S4",),
        (*B, *C),
        "copy-meets-dontneed",
        (
            Edit(
                "mfill_atomic",
                DOWN_READ,
                "        changing = await k.read_once(ctx.mmap_changing)\n",
            ),
            Edit(
                "mfill_atomic",
                "        if not await k.read_once(ctx.mmap_changing):  # B3\n",
                "        await k.down_read(ctx.map_changing_lock)\n        if not changing:  # B3\n",
            ),
        ),
    ),
    Mistake(
        "M67",
        "MADV_DONTNEED does not look its mapping up again after the event",
        ("S13",),
        (*A, *B, *C),
        "dontneed-meets-munmap",
        (Edit("madvise_dontneed_free", LOOK_UP, "\n\n\n\n"),),
    ),
    Mistake(
        "M68",
        "a copy that starts again forgets what it has done",
        ("S12",),
        (*A, *B, *C),
        "copy-second-source-missing",
        (
            Edit(
                "mfill_atomic",
                "        folio = err\n",
                "        folio, at, copied = err, copied, 0\n",
            ),
            Edit(
                "mfill_atomic",
                "if await k.copy_from_user(src_start + copied):",
                "if await k.copy_from_user(src_start + at):",
            ),
        ),
    ),
    Mistake(
        "M69",
        "the page that was copied without locks is mapped for the next address, too",
        ("S8",),
        (*A, *B, *C),
        "copy-first-source-missing",
        (
            Edit(
                "mfill_atomic",
                "copied, folio = copied + PAGE_SIZE, None",
                "copied = copied + PAGE_SIZE",
            ),
        ),
    ),
    Mistake(
        "M70",
        "an operation wakes who waits for its first page only",
        ("L2",),
        (*A, *B, *C),
        "fault-meets-copy-of-two",
        (
            Edit(
                "userfaultfd_done",
                "await k.wake_userfault(ctx, start, done)",
                "await k.wake_userfault(ctx, start, 4096)",
            ),
        ),
    ),
    Mistake(
        "M71",
        "a wake-up wakes one fault of each queue",
        ("L2",),
        (*A, *B, *C),
        "two-faults-one-copy",
        (
            Edit("do_wake_userfault", WAKE_ONE, f"{WAKE_ONE[:-1]}; break\n"),
            Edit("do_wake_userfault", WAKE_ACTIVE, f"{WAKE_ACTIVE[:-1]}; break\n"),
        ),
    ),
    Mistake(
        "M72",
        "a fault that nobody woke leaves its entry in the queue",
        ("S13",),
        (*A, *B, *C),
        "fault-meets-copy",
        (Edit("handle_userfault", DEQUEUE, "\n\n"),),
        why="the entry lies on its stack",
    ),
    Mistake(
        "M73",
        "a move locks the lower page table only",
        ("S8",),
        ("v6.8", *B, *C),
        "moves-across-page-tables",
        (
            Edit("double_pt_lock", SECOND_PTL, "\n\n"),
            Edit("double_pt_unlock", SECOND_UNLOCK, "\n\n"),
            Edit(
                "double_pt_unlock",
                "await k.spin_unlock(mm.ptl(one))",
                "await k.spin_unlock(mm.ptl(min(one, other)))",
            ),
        ),
    ),
    Mistake(
        "M74",
        "two page tables are locked the destination's first",
        ("L1", "S11"),
        ("v6.8", *B, *C),
        "moves-across-page-tables",
        (
            Edit("double_pt_lock", "mm.ptl(min(one, other))", "mm.ptl(one)"),
            Edit("double_pt_lock", "mm.ptl(max(one, other))", "mm.ptl(other)"),
        ),
    ),
    Mistake(
        "M75",
        "a move does not look for pins after it has cleared the entry",
        ("S9",),
        ("v6.8", *B, *C),
        "move-meets-pin",
        (Edit("move_anon_pte", PINNED, "\n\n\n"),),
    ),
    Mistake(
        "M76",
        "a move does not take the lock of the page's anon_vma",
        ("S9",),
        ("v6.8", *B, *C),
        "move",
        (
            Edit(
                "move_lock_anon_vma",
                "    anon_vma = k.stage.anon_vma(name)\n",
                "    anon_vma = k.stage.anon_vma(name); return 0, held\n",
            ),
        ),
        why="harmless from v6.19 on, where every rmap walk holds the page's lock: N17",
    ),
    Mistake(
        "M77",
        "a missing page is mapped over what came in meanwhile",
        ("S8",),
        (*A, *B, *C),
        "two-touches",
        (Edit("do_anonymous_page", 'if now is None or now.kind == "wp_marker":', "if True:"),),
    ),
    Mistake(
        "M78",
        "munmap() frees its mappings before their pages",
        ("S13",),
        (*A, *B, *C),
        "munmap",
        (
            Edit("do_vmi_align_munmap", UNMAP, "\n"),
            Edit("do_vmi_align_munmap", FREE, f"{FREE}{UNMAP}"),
        ),
    ),
    Mistake(
        "M79",
        "a writer that dies at the head of the queue does not let in the readers behind it",
        ("L1",),
        (*A, *B, *C),
        "writer-killed-in-the-queue",
        functions=(("down_write_killable", down_write_killable_leaving_quietly),),
    ),
    Mistake(
        "M80",
        "the last reader that leaves a rwsem wakes nobody",
        ("L1",),
        (*A, *B, *C),
        "writeprotect-meets-mprotect",
        functions=(("up_read", up_read_waking_nobody),),
    ),
    Mistake(
        "M81",
        "fork() leaves the parent's pages writable",
        ("S14",),
        (*A, *B, *C),
        "fork",
        (
            Edit(
                "copy_pte_range",
                "protect = (*protect, entry[0]) if cow else protect",
                "protect = protect",
            ),
        ),
    ),
    Mistake(
        "M82",
        "UNREGISTER wakes nobody",
        ("L1", "L2"),
        (*A, *B, *C),
        "unregister-wakes-a-sleeper",
        (Edit("unregister_vma", '    if "missing" in old.modes:\n', "    if False:\n"),),
    ),
)
