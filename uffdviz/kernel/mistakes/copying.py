"""Mistakes in copying with a source page that is not there: reference, invariants, 3.3."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

UP_READ: Final = "        await k.up_read(ctx.map_changing_lock)  # BU\n"

MISTAKES: Final = (
    Mistake(
        "M35",
        "after relocking, the kind of the mapping is the one from before",
        ("S3", "S7", "S14"),
        (*A, *B, *C),
        "copy-source-meets-remap-of-kind",
        (
            Edit(
                "mfill_atomic_pte",
                'shared = await Step(vma.rec, look, "shared")',
                'shared = folio is None and await Step(vma.rec, look, "shared")',
            ),
        ),
        why="real shape: 7.1 cycle",
    ),
    Mistake(
        "M36",
        "faults are not disabled while copying under the locks",
        ("L1", "S11"),
        (*A, *B, *C),
        "copy-source-meets-mprotect",
        (
            Edit(
                "copy_from_user_inatomic",
                "if not await k.user_page_present(src):",
                "if await k.copy_from_user(src):",
            ),
            Edit(
                "copy_from_user_inatomic",
                "if not await k.user_page_present(src) and not await k.user_page_present(src):",
                "if await k.copy_from_user(src):",
            ),
        ),
    ),
    Mistake(
        "M37",
        "map_changing_lock is kept while the source page is faulted in",
        ("L1", "S11"),
        (*B, *C),
        "copy-source-meets-fork",
        (
            Edit(
                "mfill_atomic",
                UP_READ,
                UP_READ.replace("await", "_ = isinstance(err, FolioRef) or await"),
            ),
            Edit(
                "mfill_atomic",
                """        if await k.copy_from_user(src_start + copied):  # r2
            return copied or EFAULT
""",
                """        late = await k.copy_from_user(src_start + copied)  # r2
        await k.up_read(ctx.map_changing_lock)
        if late: return copied or EFAULT
""",
            ),
        ),
    ),
)
