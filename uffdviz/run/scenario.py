"""What a scenario is: mappings, userfaultfds and tasks, each task as calls.

The tables are the file format; `read_scenario.py` reads a file into them and refuses what does not
fit, `setting.py` makes a first world of them.
"""

from typing import Annotated, Final, Literal

from uffdviz.errors import ScenarioError
from uffdviz.light import msgspec

NAME: Final = r"[A-Za-z_][A-Za-z0-9_.]*"
MAX_PAGES: Final = 1 << 18
Backing = Literal["anon", "shmem", "file"]
Prot = Literal["none", "r", "rw", "rx", "rwx"]
RegisterMode = Literal["missing", "wp", "minor"]
Feature = Literal["fork", "remap", "remove", "unmap", "sigbus"]
Advice = Literal["dontneed", "free", "dontfork", "dofork", "remove"]
Using = Literal["copy", "zeropage", "continue", "move", "writeprotect"]
Pages = Annotated[int, msgspec.Meta(ge=1, le=MAX_PAGES)]
Count = Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
Natural = Annotated[int, msgspec.Meta(ge=0, le=1 << 62)]
PageList = tuple[int | str, ...]
Result = int | str
SCHEDULE_WORDS: Final = frozenset(
    {"deadline", "done", "enters", "everyone", "fail", "for", "holds", "kill", "leaves", "read"}
    | {"returns", "sees", "sleeps", "spin", "to", "until", "waits", "with", "write"}
)


class Table(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A table of the file: an unknown key is an error."""


class MmTable(Table, frozen=True, kw_only=True):
    """A second address space."""

    name: str


class UffdTable(Table, frozen=True, kw_only=True):
    """A userfaultfd, its features, and whose memory it watches."""

    name: str
    features: tuple[Feature, ...] = ()
    mm: str = ""


class Registered(Table, frozen=True, kw_only=True):
    """With which userfaultfd a mapping is registered, and for what."""

    ctx: str = ""
    modes: tuple[RegisterMode, ...] = ("missing",)


class VmaTable(Table, frozen=True, kw_only=True):
    """A mapping, and what its pages are at the start.

    `anon_vma` left out means: prepared if an anonymous page is there from the start. `large` pages
    are present. `falsely_locked`: its sequence number equals the address space's by chance.
    `file_pages`: where the file ends; left out, it has no end.
    """

    name: str
    pages: Pages
    backing: Backing = "anon"
    shared: bool = False
    prot: Prot = "rw"
    uffd: Registered | None = None
    anon_vma: bool | None = None
    present: PageList = ()
    swapped: PageList = ()
    pinned: PageList = ()
    poisoned: PageList = ()
    zero: PageList = ()
    wp: PageList = ()
    not_exclusive: PageList = ()
    large: PageList = ()
    falsely_locked: bool = False
    file_pages: Pages | None = None
    gap: bool = False
    start: Natural | None = None
    mapped: bool = True
    file: str = ""
    mm: str = ""


class CursorTable(Table, frozen=True, kw_only=True):
    """Page numbers that several tasks take in turn, each once."""

    name: str
    pages: Pages
    order: Literal["rising", "random"] = "rising"
    seed: Natural = 0


class Fail(Table, frozen=True, kw_only=True):
    """This step of the call fails; it has one errno, which may be said."""

    function: str
    errno: str = ""


class Call(Table, frozen=True, kw_only=True, tag_field="op"):
    """What every call may say: `step` moves its addresses each repetition, `after` holds it back.

    `fail` and `kill` happen; `may_fail` and `may_kill` are left open to a search.
    """

    step: int | dict[str, int] = 0
    returns: Result | None = None
    after: str = ""
    fail: Fail | None = None
    kill: str = ""
    may_fail: bool = False
    may_kill: bool = False


class Copy(Call, frozen=True, kw_only=True, tag="UFFDIO_COPY"):
    dst: str
    src: str
    pages: Pages
    wp: bool = False
    dontwake: bool = False
    ctx: str = ""


class Move(Call, frozen=True, kw_only=True, tag="UFFDIO_MOVE"):
    dst: str
    src: str
    pages: Pages
    allow_src_holes: bool = False
    dontwake: bool = False
    ctx: str = ""


class _Ranged(Call, frozen=True, kw_only=True):
    at: str
    pages: Pages
    ctx: str = ""


class Zeropage(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_ZEROPAGE"):
    dontwake: bool = False


class Continue(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_CONTINUE"):
    wp: bool = False
    dontwake: bool = False


class Poison(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_POISON"):
    dontwake: bool = False


class Wake(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_WAKE"):
    pass


class Unregister(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_UNREGISTER"):
    pass


class Writeprotect(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_WRITEPROTECT"):
    protect: bool = True
    dontwake: bool = False


class Register(_Ranged, frozen=True, kw_only=True, tag="UFFDIO_REGISTER"):
    modes: tuple[RegisterMode, ...]


class ReadEvent(Call, frozen=True, kw_only=True, tag="read_event", rename={"bind": "as"}):
    ctx: str = ""
    bind: str = ""


class Poll(Call, frozen=True, kw_only=True, tag="poll"):
    ctx: str = ""


class Close(Call, frozen=True, kw_only=True, tag="close"):
    ctx: str = ""


class Resolve(Call, frozen=True, kw_only=True, tag="resolve"):
    ctx: str = ""
    src: str = ""
    using: Using = "copy"


class Touch(Call, frozen=True, kw_only=True, tag="touch"):
    at: str
    write: bool = False


class Pin(Call, frozen=True, kw_only=True, tag="pin"):
    at: str
    write: bool = False


class Mmap(Call, frozen=True, kw_only=True, tag="mmap"):
    name: str
    pages: Pages
    at: str = ""
    fixed: bool = False
    backing: Backing = "anon"
    shared: bool = False
    prot: Prot = "rw"
    uffd: Registered | None = None
    anon_vma: bool = False
    present: PageList = ()
    file: str = ""


class Munmap(Call, frozen=True, kw_only=True, tag="munmap"):
    at: str
    pages: Pages


class Mprotect(Call, frozen=True, kw_only=True, tag="mprotect"):
    at: str
    pages: Pages
    prot: Prot


class Madvise(Call, frozen=True, kw_only=True, tag="madvise"):
    at: str
    pages: Pages
    advice: Advice


class Mremap(Call, frozen=True, kw_only=True, tag="mremap"):
    at: str
    pages: Pages
    new_pages: Pages | None = None
    to: str = ""
    dontunmap: bool = False
    fixed: bool = False


class Fork(Call, frozen=True, kw_only=True, tag="fork"):
    pass


class Exit(Call, frozen=True, kw_only=True, tag="exit"):
    pass


class Compute(Call, frozen=True, kw_only=True, tag="compute"):
    ns: Natural


AnyCall = (
    Copy
    | Move
    | Zeropage
    | Continue
    | Poison
    | Wake
    | Unregister
    | Writeprotect
    | Register
    | ReadEvent
    | Poll
    | Close
    | Resolve
    | Touch
    | Pin
    | Mmap
    | Munmap
    | Mprotect
    | Madvise
    | Mremap
    | Fork
    | Exit
    | Compute
)


class TaskTable(Table, frozen=True, kw_only=True):
    """A task: its calls, how often, and how it fits beside the others.

    With a `cursor`, or `order = "random"` over `span` numbers, the number that `step` and `{rep}`
    use is not the repetition's own but one drawn.
    """

    name: str
    calls: tuple[AnyCall, ...] = ()
    repeat: Count | None = None
    count: Annotated[int, msgspec.Meta(ge=1, le=64)] | None = None
    background: bool = False
    setup: tuple[AnyCall, ...] = ()
    cleanup: tuple[AnyCall, ...] = ()
    on_sigbus: tuple[AnyCall, ...] = ()
    every_ns: Natural = 0
    order: Literal["rising", "random"] = "rising"
    seed: Natural = 0
    span: Count | None = None
    cursor: str = ""
    mm: str = ""


class Mutate(Table, frozen=True, kw_only=True):
    """Mistakes that are put into the era, like `--mutate`."""

    ids: tuple[str, ...] = ()


class Scenario(Table, frozen=True, kw_only=True):
    """A scenario as it stands in the file."""

    title: str = ""
    era: str = "v6.9"
    cpus: Annotated[int, msgspec.Meta(ge=1, le=1024)] | None = None
    uffd: tuple[UffdTable, ...] = ()
    mm: tuple[MmTable, ...] = ()
    vma: tuple[VmaTable, ...] = ()
    cursor: tuple[CursorTable, ...] = ()
    task: tuple[TaskTable, ...] = ()
    costs: dict[str, Natural] = msgspec.field(default_factory=dict)
    mutate: Mutate = Mutate()


def wrong(text: str) -> ScenarioError:
    """What is raised for a scenario that cannot be read or makes no sense."""
    return ScenarioError(text)


def numbers(pages: PageList) -> tuple[int, ...]:
    """The page numbers of a list that may hold ranges as text, each once, rising."""
    found: set[int] = set()
    for item in pages:
        if isinstance(item, int):
            found.add(item)
        else:
            first, _, last = item.partition("-")
            found.update(range(int(first), int(last or first) + 1))
    return tuple(sorted(found))
