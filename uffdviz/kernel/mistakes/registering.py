"""Mistakes in whose userfaultfd a mapping has, and whose address space is worked on."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

PUT: Final = "    await k.mmput(ctx.mm)  # P7\n"
FILL: Final = "    done = await k.mfill_atomic("
LET_GO: Final = "        await k.userfaultfd_release_new(k.stage.uffd(entry.ctx))  # e5\n"

MISTAKES: Final = (
    Mistake(
        "M113",
        "UNREGISTER wakes who waits for the first page of a range only",
        ("L1",),
        (*A, *B, *C),
        "unregister-wakes-the-second-page",
        (Edit("unregister_vma", "low, high - low)\n", "low, 4096)\n"),),
    ),
    Mistake(
        "M114",
        "REGISTER does not look whether another userfaultfd has the mapping",
        ("S3",),
        (*A, *B, *C),
        "register-of-anothers-mapping",
        (Edit("register_checks", 'if rec.ctx not in {"", ctx.name}:', "if False:"),),
    ),
    Mistake(
        "M115",
        "close() takes the mappings of every userfaultfd",
        ("S3",),
        (*A, *B, *C),
        "close-leaves-anothers-mapping",
        (Edit("userfaultfd_release_all", "old.ctx == ctx.name and", "old.ctx and"),),
    ),
    Mistake(
        "M116",
        "a fork whose event nobody read leaves the child registered",
        ("S13",),
        (*A, *B, *C),
        "close-meets-fork",
        (Edit("userfaultfd_event_wait_completion", LET_GO, "        pass\n"),),
    ),
    Mistake(
        "M117",
        "close() keeps the file's reference to the context",
        ("S10",),
        (*A, *B, *C),
        "close-meets-fork",
        (Edit("userfaultfd_release", "    await k.userfaultfd_ctx_put(ctx)\n", "\n"),),
    ),
    Mistake(
        "M118",
        "UFFDIO_ZEROPAGE lets go of the address space before it works on it",
        ("S3",),
        (*A, *B, *C),
        "fills-into-an-address-space-that-ends",
        (
            Edit("userfaultfd_zeropage", PUT, "\n"),
            Edit("userfaultfd_zeropage", FILL, f"    await k.mmput(ctx.mm);{FILL[3:]}"),
        ),
    ),
    Mistake(
        "M119",
        "UFFDIO_WRITEPROTECT does not mind that nobody uses the address space any more",
        ("S10",),
        (*A, *B, *C),
        "registering-in-an-address-space-that-ends",
        (
            Edit(
                "userfaultfd_writeprotect",
                "if not await k.mmget_not_zero(ctx.mm):  # P5",
                "if not await k.mmget_not_zero(ctx.mm) and False:  # P5",
            ),
        ),
        why="it lets go of a reference that it never had",
    ),
    Mistake(
        "M143",
        "UFFDIO_COPY does not look whether any userfaultfd has the mapping",
        ("S3",),
        (*A, *B, *C),
        "copy-where-nothing-is-registered",
        (
            Edit("uffd_mfill_lock", "<= end and ctx:", "<= end:"),
            Edit("find_dst_vma", "<= end and ctx else", "<= end else"),
        ),
    ),
    Mistake(
        "M144",
        "another address space's structure is kept for ever",
        ("S10",),
        C,
        "two-address-spaces",
        (Edit("vma_put_stranger", "    await k.mmdrop(other)\n", "\n"),),
    ),
)
