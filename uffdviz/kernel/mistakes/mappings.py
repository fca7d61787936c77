"""Mistakes with mappings, their anon_vma and their address space; the reference has no row for them."""

from typing import Final

from uffdviz.kernel.mistakes.eras import INT, A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

LATE: Final = ("v6.12", *C)
"""Those in which a fault prepares the anon_vma with its mapping locked."""

MISTAKES: Final = (
    Mistake(
        "M90",
        "a fault sleeps for mmap_lock, to prepare an anon_vma, with its mapping locked",
        ("L1", "S11"),
        LATE,
        "touch-meets-mprotect",
        (
            Edit(
                "vmf_anon_prepare",
                "    if vmf.vma_lock and not await k.mmap_read_trylock(vma.mm):\n",
                "    if vmf.vma_lock and await k.mmap_read_lock(vma.mm):\n",
            ),
        ),
    ),
    Mistake(
        "M91",
        "a fault prepares the anon_vma under the mapping's lock alone",
        ("S7",),
        LATE,
        "touch-meets-mprotect",
        (
            Edit(
                "vmf_anon_prepare",
                "    if vmf.vma_lock and not await k.mmap_read_trylock(vma.mm):\n",
                "    if False:\n",
            ),
            Edit(
                "vmf_anon_prepare", "        await k.mmap_read_unlock(vma.mm)\n", "        pass\n"
            ),
        ),
        why="neighbours, whose anon_vma may be adopted, are not locked",
    ),
    Mistake(
        "M92",
        "an anon_vma is set without a look whether somebody else has set one",
        ("S9",),
        (*A, *B, *C),
        "two-first-copies",
        (
            Edit(
                "anon_vma_publish",
                '    free = not await Step(vma.rec, look, "anon_vma")\n',
                "    free = True\n",
            ),
        ),
    ),
    Mistake(
        "M93",
        "a new mapping can be found before it is locked for writing",
        ("S8",),
        (*B, *C),
        "copy-meets-mremap-onto-it",
        (Edit("vma_link", "    await k.vma_start_write(vma)\n", "\n"),),
        why="a page is copied to where mremap() is about to move one",
    ),
    Mistake(
        "M94",
        "mmap_write_unlock() does not move the sequence number",
        ("S1",),
        INT,
        "copy-between-two-mprotects",
        (Edit("mmap_write_unlock", "    await k.vma_end_write_all(mm)\n", "\n"),),
        why="the next writer takes the mapping for its own already",
    ),
    Mistake(
        "M95",
        "a copy lets go of the address space before it works on it",
        ("S1", "S2", "S3", "S13"),
        (*A, *B, *C),
        "copy-into-an-address-space-that-ends",
        (
            Edit("userfaultfd_copy", "    await k.mmput(ctx.mm)  # P7\n", "\n"),
            Edit(
                "userfaultfd_copy",
                "    done = await k.mfill_atomic(",
                "    await k.mmput(ctx.mm); done = await k.mfill_atomic(",
            ),
        ),
    ),
    Mistake(
        "M96",
        "a copy does not mind that nobody uses the address space any more",
        ("S1", "S2", "S3", "S13"),
        (*A, *B, *C),
        "copy-into-an-address-space-that-ends",
        (
            Edit(
                "userfaultfd_copy",
                "    if not await k.mmget_not_zero(ctx.mm):  # P5\n",
                "    if await k.mmget_not_zero(ctx.mm) is None:  # P5\n",
            ),
        ),
    ),
)
