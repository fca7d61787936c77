"""The page cache of a file: which page of memory holds which page of the file.

Kernel: mm/filemap.c, mm/shmem.c. `size` is in pages; a file of size -1 has no end.
Left out: the lock of the tree inside (i_pages), shadow entries, swapped pages of shmem.
"""

from bisect import bisect_left

from uffdviz.kernel.steps import Obj, Outcome
from uffdviz.light import msgspec
from uffdviz.trace.events import Fact


class PageCache(msgspec.Struct, frozen=True, tag="page_cache", omit_defaults=True):
    """The cached pages of a file by their index."""

    pages: tuple[tuple[int, str], ...] = ()
    size: int = -1


class File:
    """A file that mappings share: its page cache."""

    __slots__ = ("cache", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self.cache = Obj("page_cache", f"page cache {name}", PageCache())

    def __repr__(self) -> str:
        return f"<file {self.name}>"


def filemap_get(s: PageCache, task: str, index: int) -> Outcome:
    """Look a page up; the answer is its name, or empty."""
    name = next((name for at, name in s.pages if at == index), "")
    return s, name, Fact("Saw", detail=f"{name or 'nothing'} at {index}")


def filemap_add(s: PageCache, task: str, index: int, name: str) -> Outcome:
    """Put a page in if the place is free; the answer says whether it was."""
    at = bisect_left(s.pages, (index,))
    if at < len(s.pages) and s.pages[at][0] == index:
        return s, False, Fact("Saw", detail=f"{s.pages[at][1]} at {index}")
    pages = (*s.pages[:at], (index, name), *s.pages[at:])
    after = msgspec.structs.replace(s, pages=pages)
    return after, True, Fact("Changed", detail=f"puts {name} into the page cache at {index}")


def filemap_remove(s: PageCache, task: str, index: int) -> Outcome:
    """Take a page out."""
    pages = tuple(page for page in s.pages if page[0] != index)
    after = msgspec.structs.replace(s, pages=pages)
    return after, None, Fact("Changed", detail=f"takes {index} out of the page cache")


def inside(s: PageCache, task: str, index: int) -> Outcome:
    """Compare with the size of the file; the answer: `index` is before its end."""
    return s, s.size < 0 or index < s.size, Fact("Saw", detail=f"size {s.size}")
