"""Mistakes in write protection: what userfaultfd protects must stay so until the monitor lifts it."""

from typing import Final

from uffdviz.kernel.mistakes.eras import A, B, C
from uffdviz.kernel.mutations import Edit, Mistake

NOT_FOR_WP: Final = """        if "wp" not in rec.modes:
            return ENOENT
"""

MISTAKES: Final = (
    Mistake(
        "M104",
        "lifting a range's protection wakes who waits for its first page only",
        ("L2",),
        (*A, *B, *C),
        "writeprotect-lifted-wakes-the-second-page",
        (
            Edit(
                "userfaultfd_writeprotect",
                "await k.wake_userfault(ctx, start, length)",
                "await k.wake_userfault(ctx, start, 4096)",
            ),
        ),
    ),
    Mistake(
        "M105",
        "lifting protection makes pages writable that their mapping forbids to write",
        ("S14",),
        ("v6.8", *B, *C),
        "writeprotect-lifted-from-what-is-read-only",
        (Edit("can_change_ptes_writable", 'if "w" not in prot:', "if False:"),),
    ),
    Mistake(
        "M106",
        "mprotect() makes pages writable that userfaultfd protects",
        ("S14",),
        (*A, *B, *C),
        "mprotect-of-protected-pages",
        (Edit("can_change_ptes_writable", ' or (pte.wp and "wp" in modes)', ""),),
    ),
    Mistake(
        "M107",
        "fork() drops the protection of a child's pages, though its mapping is registered",
        ("S14",),
        (*A, *B, *C),
        "fork-of-protected-pages",
        (Edit("copy_pte_range", "for_child(copy, modes)", "for_child(copy, ())"),),
    ),
    Mistake(
        "M108",
        "mremap() drops the protection of the pages that it takes along",
        ("S14",),
        (*A, *B, *C),
        "mremap-of-protected-pages",
        (
            Edit(
                "move_ptes",
                "(page + by, pte) for page",
                "(page + by, msgspec.structs.replace(pte, wp=False)) for page",
            ),
        ),
    ),
    Mistake(
        "M109",
        "a page that comes back from swap has lost its protection",
        ("S14",),
        (*A, *B, *C),
        "touch-of-a-swapped-protected-page",
        (Edit("map_swapped_folio", ", wp=old.wp))", "))"),),
    ),
    Mistake(
        "M110",
        "UFFDIO_COPY with MODE_WP maps a page that is not protected",
        ("S14",),
        (*A, *B, *C),
        "fills-that-protect",
        (
            Edit(
                "mfill_atomic_install_pte",
                "Pte(folio=folio.name, write=writable, wp=wp)",
                "Pte(folio=folio.name, write=writable)",
            ),
        ),
    ),
    Mistake(
        "M111",
        "UFFDIO_WRITEPROTECT does not look whether the mapping is registered for that",
        ("S3",),
        (*A, *B, *C),
        "writeprotect-refused",
        (Edit("mwriteprotect_vmas", NOT_FOR_WP, "\n\n"),),
    ),
    Mistake(
        "M112",
        "UFFDIO_COPY with MODE_WP does not look whether the mapping is registered for that",
        ("S3",),
        (*A, *B, *C),
        "copy-wants-write-protection",
        (Edit("mfill_vma_suits", 'if wp and "wp" not in', "if False and"),),
    ),
)
