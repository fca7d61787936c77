"""Mistakes in unmapping and forking, with pages of files, and where something fails on the way."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

UNLOCK: Final = "        await k.mmap_write_unlock(mm)\n"
DOWNGRADE: Final = "        await k.mmap_write_downgrade(mm)  # 5\n"
ANNOUNCE: Final = "            err, uf = await k.userfaultfd_unmap_prep(vma, start, end, uf)  # 3\n"
UNMAP: Final = "    await k.unmap_region(mm, vmas)  # 6\n"
LOCK_PAGE: Final = "    await k.folio_lock(folio.lock)  # n1\n"
UNLOCK_PAGE: Final = "    await k.folio_unlock(folio.lock)  # n4\n"

MISTAKES: Final = (
    Mistake(
        "M120",
        "munmap() of a range where nothing is keeps mmap_lock",
        ("S10",),
        (*A, *B, *C),
        "munmap-of-nothing",
        (Edit("do_vmi_munmap", UNLOCK, "        pass\n"),),
    ),
    Mistake(
        "M121",
        "munmap() drops mmap_lock, and takes it again to drop the pages",
        ("S3",),
        (*A, *B, *C),
        "munmap-meets-mmap-in-its-place",
        (
            Edit(
                "do_vmi_align_munmap",
                DOWNGRADE,
                "        await k.mmap_write_unlock(mm); await k.mmap_read_lock(mm)  # 5\n",
            ),
        ),
        why="somebody may have mapped something there meanwhile",
    ),
    Mistake(
        "M122",
        "munmap() announces its event after it has downgraded mmap_lock",
        ("S5",),
        (*A, *B, *C),
        "event-unmap",
        (
            Edit("vms_gather_munmap_vmas", ANNOUNCE, "\n"),
            Edit(
                "do_vmi_align_munmap",
                UNMAP,
                "    for vma in vmas: err, uf = await k.userfaultfd_unmap_prep(vma, start, end, uf)\n"
                f"{UNMAP}",
            ),
        ),
    ),
    Mistake(
        "M123",
        "fork() lets the child have a page that is pinned",
        ("S8",),
        (*A, *B, *C),
        "fork-of-a-pinned-page",
        (
            Edit(
                "copy_present_pte",
                'if await Step(folio.rec, share, pte.folio, cost="rmap"):',
                'if await Step(folio.rec, share, pte.folio, cost="rmap") or True:',
            ),
        ),
    ),
    Mistake(
        "M124",
        "a mapping whose start goes to a neighbour keeps its old border",
        ("S3",),
        (*A, *B, *C),
        "copy-meets-merge",
        (
            Edit(
                "commit_merge",
                "        await k.trim_vma(plan.trimmed, plan.trim_start, plan.trim_end)\n",
                "        pass\n",
            ),
        ),
    ),
    Mistake(
        "M125",
        "a mapping that is cut in two counts as one user of its anon_vma",
        ("S7",),
        (*A, *B, *C),
        "copy-meets-split",
        (Edit("anon_vma_clone", "    await k.atomic_add(anon_vma.rec, 1)\n", "\n"),),
        why="it is freed with the first of the two",
    ),
    Mistake(
        "M126",
        "UFFDIO_CONTINUE does not lock the page that it maps",
        ("S13",),
        (*A, *B, *C),
        "continue",
        (
            Edit("mfill_atomic_pte_continue", LOCK_PAGE, "\n"),
            Edit("mfill_atomic_pte_continue", UNLOCK_PAGE, "\n"),
        ),
        why="it may be truncated meanwhile",
    ),
    Mistake(
        "M127",
        "a fault does not look again whether somebody has brought the page of a file",
        ("S8",),
        (*A, *B, *C),
        "two-touches-of-a-private-file",
        (Edit("finish_fault", 'if now is None or now.kind == "wp_marker":', "if True:"),),
    ),
    Mistake(
        "M128",
        "a swap entry is moved with one of two page tables locked",
        ("S8",),
        ("v6.8", *B, *C),
        "move-swapped-across-page-tables",
        (
            Edit(
                "move_swap_pte",
                "await k.double_pt_lock(mm, move.dst, move.src)",
                "await k.spin_lock(mm.ptl(move.src))",
            ),
            Edit(
                "move_swap_pte",
                "await k.double_pt_unlock(mm, move.dst, move.src)",
                "await k.spin_unlock(mm.ptl(move.src))",
            ),
        ),
    ),
    Mistake(
        "M129",
        "a page whose protection nobody lifted becomes writable again, though it was dropped meanwhile",
        ("S8",),
        A,
        "touch-after-close-meets-dontneed",
        (
            Edit(
                "handle_mm_fault",
                "unchanged = await Step(mm.table(vmf.addr), pte_at, page) == pte",
                "unchanged = True",
            ),
        ),
    ),
    Mistake(
        "M130",
        "munmap() that fails does not attach again what it has detached",
        ("S2",),
        ("v6.8", *B, *C),
        "munmap-may-fail",
        (
            Edit(
                "vms_gather_munmap_vmas",
                "            await k.reattach_vmas(listed)  # 3\n",
                "\n",
            ),
        ),
    ),
    Mistake(
        "M131",
        "munmap() that fails keeps mmap_lock",
        ("S10",),
        (*A, *B, *C),
        "munmap-may-fail",
        (Edit("sys_munmap", UNLOCK, "        pass\n"),),
    ),
    Mistake(
        "M132",
        "munmap() goes on without mmap_lock when a fatal signal ends the wait for it",
        ("S10", "S13"),
        ("v6.8", *B, *C),
        "writers-killed",
        (Edit("sys_munmap", "        return err\n", "        pass\n"),),
    ),
    Mistake(
        "M133",
        "a fault goes on without mmap_lock when a fatal signal ends the wait for it",
        ("S10", "S13"),
        (*A, *B, *C),
        "faults-killed",
        (
            Edit(
                "lock_mm_and_find_vma",
                "if not locked and await k.mmap_read_lock_killable(mm):  # f5",
                "if not locked and await k.mmap_read_lock_killable(mm) and False:  # f5",
            ),
        ),
    ),
    Mistake(
        "M134",
        "madvise() sets a flag of a mapping without locking it for writing",
        ("S1",),
        ("v6.8", *B, *C),
        "dontfork-meets-fault",
        (Edit("madvise_update_vma", "    await k.vma_start_write(mine)\n", "\n"),),
    ),
    Mistake(
        "M135",
        "fork() goes on though a mapping's anon_vma could not be doubled",
        ("S3", "S7"),
        (*A, *B, *C),
        "fork-may-fail",
        (
            Edit(
                "dup_vma",
                "    if err:\n        await k.vm_area_free(mm, tmp)\n        return err, fcs\n",
                "\n\n\n",
            ),
        ),
    ),
    Mistake(
        "M136",
        "UFFDIO_COPY goes on though there is no memory for an anon_vma",
        ("S7",),
        (*B, *C),
        "copy-may-fail",
        (Edit("find_vma_and_prepare_anon", "        return ENOMEM\n", "        pass\n"),),
    ),
    Mistake(
        "M137",
        "UFFDIO_COPY takes a page table that has vanished for a page that is mapped",
        ("S12",),
        (*A, *B, *C),
        "copy-may-fail",
        (Edit("mfill_atomic_install_pte", "        return EAGAIN\n", "        return 0\n"),),
    ),
    Mistake(
        "M138",
        "a mapping that a neighbour swallows is not marked as detached",
        ("S2", "S13"),
        ("v6.12", *C),
        "copy-meets-merge-of-all",
        (
            Edit(
                "commit_merge",
                "        await k.vma_mark_detached(k.stage.vma(name))\n",
                "        pass\n",
            ),
        ),
    ),
    Mistake(
        "M139",
        "a move sleeps for the lock of an anon_vma with its page tables mapped",
        ("S11",),
        ("v6.8", *B, *C),
        "two-moves-of-neighbours",
        (Edit("move_lock_anon_vma", "    held = await k.move_unmap(held)  # q11\n", "\n"),),
    ),
    Mistake(
        "M146",
        "rmap is not told of a page that is filled",
        ("S9",),
        (*A, *B, *C),
        "copy",
        (Edit("mfill_atomic_install_pte", "            await step  # c9\n", "\n"),),
    ),
    Mistake(
        "M147",
        "munmap() tells the first of two monitors only",
        ("S10",),
        (*A, *B, *C),
        "munmap-tells-two-monitors",
        (Edit("userfaultfd_unmap_complete", "for unmap in uf:", "for unmap in uf[:1]:"),),
    ),
    Mistake(
        "M148",
        "close() wakes the last of those who wait for their events to be read",
        ("L6",),
        (*A, *B, *C),
        "close-meets-two-dontneeds",
        (Edit("wake_up_all_senders", "peek))[::-1]:", "peek))[-1:]:"),),
    ),
)
