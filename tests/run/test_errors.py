"""Every error that an operation returns is reached through a scenario, and what was undone is seen.

One row an error of the reference's table (section 9). After each of them no lock, folio lock or
reference is held, and pages that were done before the error stay done.
"""

import tomllib
from typing import NamedTuple

import pytest

from tests.left_behind import left_behind
from uffdviz.kernel.memory import PageTable, Tree
from uffdviz.kernel.objects import PAGE_SIZE
from uffdviz.run.interleaving import Interleaving
from uffdviz.run.read_scenario import scenario_of
from uffdviz.run.setting import Setting

FILLABLE = 'uffd = { ctx = "gc", modes = ["missing"] }\nanon_vma = true'
SHMEM = 'backing = "shmem"\nshared = true\nuffd = { ctx = "gc", modes = ["missing", "minor"] }'
PRESENT = "present = [0, 1]"
PEER = '[[vma]]\nname = "peer"\npages = 2\nbacking = "shmem"\nshared = true\nfile = "dst"\n'
READER = '[[task]]\nname = "monitor"\ncalls = [ { op = "read_event", ctx = "gc" } ]\n'
ALL = ("v6.1", "v6.8", "v6.9", "v6.12", "v6.18")
MOVERS = ALL[1:]
PER_VMA = ALL[2:]
EVERYONE = "everyone until done"
COPY = '{ op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 2 }'
ONE = '{ op = "UFFDIO_COPY", dst = "dst", src = "src", pages = 1 }'
MOVE = '{ op = "UFFDIO_MOVE", dst = "dst", src = "src", pages = 2 }'
ZEROPAGE = '{ op = "UFFDIO_ZEROPAGE", at = "dst", pages = 2 }'
POISON = '{ op = "UFFDIO_POISON", at = "dst", pages = 2 }'
CONTINUE = '{ op = "UFFDIO_CONTINUE", at = "dst", pages = 2 }'
PROTECT = '{ op = "UFFDIO_WRITEPROTECT", at = "dst", pages = 2 }'
REGISTER = '{ op = "UFFDIO_REGISTER", at = "dst", pages = 2, modes = ["missing"], ctx = "gc" }'
UNREGISTER = '{ op = "UFFDIO_UNREGISTER", at = "dst", pages = 2, ctx = "gc" }'
DONTNEED = '{ op = "madvise", at = "dst", pages = 2, advice = "dontneed" }'


class Case(NamedTuple):
    """A scenario in which the task `gc` makes `call`, and how it ends: the result, dst's pages."""

    call: str
    result: str
    pages: str = "none none"
    dst: str = FILLABLE
    src: str = PRESENT
    more: str = ""
    eras: tuple[str, ...] = ALL
    schedule: str = EVERYONE
    mm: str = ""
    step: str = ""


def fails(call: str, function: str) -> str:
    """The call, and in it a step that fails."""
    return call.replace(" }", f', fail = {{ function = "{function}" }} }}')


def killed(call: str, landmark: str) -> str:
    """The call, and a fatal signal in it."""
    return call.replace(" }", f', kill = "{landmark}" }}')


def sends(call: str = DONTNEED) -> str:
    """A task whose call sends an event to gc, and a monitor that reads it in the end."""
    return f'[[task]]\nname = "app"\ncalls = [ {call} ]\n{READER}'


def before_the_counter(function: str) -> str:
    """The schedule in which an event is announced after the fast exit and before the real test."""
    return f"gc until enters {function}\napp until sleeps\ngc until done\n{EVERYONE}"


EVENT_PENDING = f"app until sleeps\ngc until done\n{EVERYONE}"
AGAIN = {
    "EAGAIN: an event is pending when COPY begins": Case(
        ONE, "-EAGAIN", more=sends(), schedule=EVENT_PENDING, step="P1"
    ),
    "EAGAIN: an event is pending when ZEROPAGE begins": Case(
        ZEROPAGE, "-EAGAIN", more=sends(), schedule=EVENT_PENDING, step="P1"
    ),
    "EAGAIN: an event is pending when WRITEPROTECT begins": Case(
        PROTECT, "-EAGAIN", more=sends(), schedule=EVENT_PENDING, step="P1"
    ),
    "EAGAIN: an event is pending when MOVE begins": Case(
        MOVE, "-EAGAIN", more=sends(), schedule=EVENT_PENDING, step="P1", eras=MOVERS
    ),
    "EAGAIN: an event is announced while COPY is on its way to its locks": Case(
        ONE, "-EAGAIN", more=sends(), schedule=before_the_counter("mfill_atomic")
    ),
    "EAGAIN: an event is announced while WRITEPROTECT is on its way to its locks": Case(
        PROTECT, "-EAGAIN", more=sends(), schedule=before_the_counter("mwriteprotect_range")
    ),
    "EAGAIN: an event is announced while MOVE is on its way to its locks": Case(
        MOVE, "-EAGAIN", more=sends(), schedule=before_the_counter("move_pages"), eras=PER_VMA
    ),
    "EINVAL: the same MOVE in v6.8": Case(
        MOVE, "-EINVAL", more=sends(), schedule=before_the_counter("move_pages"), eras=("v6.8",)
    ),
    "EAGAIN: the page table has vanished": Case(fails(ONE, "pte_offset_map"), "-EAGAIN"),
    "EAGAIN: the page table has vanished under ZEROPAGE": Case(
        fails(ZEROPAGE, "pte_offset_map"), "-EAGAIN"
    ),
    "EAGAIN: too many readers of a mapping": Case(
        fails(ONE, "vma_start_read_locked"),
        "-EAGAIN",
        dst='uffd = { ctx = "gc", modes = ["missing"] }\nanon_vma = false',
        eras=("v6.18",),
    ),
    "EAGAIN: too many readers of the mapping that MOVE goes to": Case(
        fails(MOVE, "vma_start_read_locked"),
        "-EAGAIN",
        dst='uffd = { ctx = "gc", modes = ["missing"] }\nanon_vma = false',
        eras=("v6.18",),
    ),
}
PARTIAL = {
    "4096: the second page exists": Case(
        COPY, "4096", "page page", dst=f"{FILLABLE}\npresent = [1]"
    ),
    "4096: the second page of the source cannot be had": Case(
        COPY, "4096", "page none", src="prot = 'none'\npresent = [0]"
    ),
    "4096: a fatal signal after the first page of COPY": Case(
        killed(COPY, "enters mfill_atomic_install_pte"), "4096", "page none"
    ),
    "4096: the second page of MOVE is pinned": Case(
        MOVE, "4096", "page none", src=f"{PRESENT}\npinned = [1]", eras=MOVERS
    ),
    "4096: the second page of MOVE exists": Case(
        MOVE, "4096", "page page", dst=f"{FILLABLE}\npresent = [1]", eras=MOVERS
    ),
}
NO_ENTRY = {
    "ENOENT: COPY into what is not registered": Case(ONE, "-ENOENT", dst="anon_vma = true"),
    "ENOENT: COPY over the end of the mapping": Case(
        COPY.replace("pages = 2", "pages = 3"), "-ENOENT"
    ),
    "ENOENT: COPY where nothing is mapped": Case(ONE, "-ENOENT", dst="mapped = false"),
    "ENOENT: WRITEPROTECT where nothing is mapped": Case(PROTECT, "-ENOENT", dst="mapped = false"),
    "ENOENT: WRITEPROTECT of what is not registered for it": Case(PROTECT, "-ENOENT"),
    "ENOENT: MOVE to where nothing is mapped": Case(
        MOVE, "-ENOENT", dst="mapped = false", eras=PER_VMA
    ),
    "ENOENT: MOVE from where nothing is mapped": Case(
        MOVE, "-ENOENT", src="mapped = false", eras=PER_VMA
    ),
    "EINVAL: the same two in v6.8": Case(MOVE, "-EINVAL", src="mapped = false", eras=("v6.8",)),
    "ENOENT: MOVE of a hole": Case(MOVE, "-ENOENT", src="anon_vma = true", eras=MOVERS),
}
EXISTS = {
    "EEXIST: COPY over a page": Case(ONE, "-EEXIST", "page none", dst=f"{FILLABLE}\npresent = [0]"),
    "EEXIST: ZEROPAGE over a marker": Case(
        ZEROPAGE, "-EEXIST", "poison none", dst=f"{FILLABLE}\npoisoned = [0]"
    ),
    "EEXIST: POISON over a page": Case(
        POISON, "-EEXIST", "page none", dst=f"{FILLABLE}\npresent = [0]", eras=MOVERS
    ),
    "EEXIST: MOVE over a page": Case(
        MOVE, "-EEXIST", "page none", dst=f"{FILLABLE}\npresent = [0]", eras=MOVERS
    ),
    "EEXIST: COPY of what the page cache has": Case(
        ONE, "-EEXIST", dst=SHMEM, more=f"{PEER}present = [0]"
    ),
    "EEXIST: ZEROPAGE of what the page cache has": Case(
        ZEROPAGE, "-EEXIST", dst=SHMEM, more=f"{PEER}present = [0]"
    ),
}
INVALID = {
    "EINVAL: COPY write-protected into what is not registered for it": Case(
        ONE.replace(" }", ", wp = true }"), "-EINVAL"
    ),
    "EINVAL: WRITEPROTECT that protects and shall not wake": Case(
        PROTECT.replace(" }", ", dontwake = true }"), "-EINVAL"
    ),
    "EINVAL: COPY into a file": Case(
        ONE, "-EINVAL", dst='backing = "file"\nuffd = { ctx = "gc", modes = ["missing"] }'
    ),
    "EINVAL: CONTINUE in anonymous memory": Case(CONTINUE, "-EINVAL"),
    "EINVAL: MOVE into shared memory": Case(MOVE, "-EINVAL", dst=SHMEM, eras=MOVERS),
    "EINVAL: MOVE over the end of the source": Case(
        MOVE, "-EINVAL", src="present = [0]", eras=MOVERS, more="", dst=FILLABLE
    )._replace(call=MOVE.replace('src = "src"', 'src = "src+1"')),
    "EINVAL: MOVE between other protections": Case(
        MOVE, "-EINVAL", src=f'prot = "r"\n{PRESENT}', eras=MOVERS
    ),
    "EINVAL: MOVE to what is not registered": Case(
        MOVE, "-EINVAL", dst="anon_vma = true", eras=MOVERS
    ),
    "EINVAL: REGISTER of a file": Case(REGISTER, "-EINVAL", dst='backing = "file"'),
    "EINVAL: REGISTER where nothing is mapped": Case(REGISTER, "-EINVAL", dst="mapped = false"),
    "EINVAL: UNREGISTER of another's mapping": Case(
        UNREGISTER,
        "-EINVAL",
        dst='uffd = { ctx = "other", modes = ["missing"] }',
        more='[[uffd]]\nname = "other"\n',
        eras=("v6.18",),
    ),
    "0: the same before that was refused": Case(
        UNREGISTER,
        "0",
        dst='uffd = { ctx = "other", modes = ["missing"] }',
        more='[[uffd]]\nname = "other"\n',
        eras=ALL[:4],
    ),
    "EINVAL: MOVE in a kernel without it": Case(MOVE, "-EINVAL", eras=("v6.1",)),
    "EINVAL: POISON in a kernel without it": Case(POISON, "-EINVAL", eras=("v6.1",)),
}
NO_ANON_VMA = 'uffd = { ctx = "gc", modes = ["missing"] }\nanon_vma = false'
NO_MEMORY = {
    **{
        f"ENOMEM: COPY, {function}": Case(fails(ONE, function), "-ENOMEM", dst=dst)
        for function, dst in (
            ("alloc_page", FILLABLE),
            ("mem_cgroup_charge", FILLABLE),
            ("anon_vma_chain_alloc", NO_ANON_VMA),
            ("anon_vma_alloc", NO_ANON_VMA),
        )
    },
    **{
        f"ENOMEM: COPY into shared memory, {function}": Case(
            fails(ONE, function), "-ENOMEM", dst=SHMEM
        )
        for function in (
            "alloc_page",
            "mem_cgroup_charge",
            "shmem_inode_acct_blocks",
            "shmem_add_to_page_cache",
        )
    },
    "ENOMEM: COPY into a mapping without a page table": Case(
        fails(ONE, "pte_alloc"), "-ENOMEM", src=f"start = 0x7e0000000000\n{PRESENT}"
    ),
    "ENOMEM: MOVE to a mapping that gets no anon_vma": Case(
        fails(MOVE, "anon_vma_alloc"), "-ENOMEM", dst=NO_ANON_VMA, eras=MOVERS
    ),
    "ENOMEM: REGISTER cannot split": Case(
        fails(REGISTER.replace("pages = 2", "pages = 1"), "vm_area_dup"), "-ENOMEM", dst=""
    ),
}
FAULT = {
    "EFAULT: the source is not mapped": Case(ONE, "-EFAULT", src="mapped = false"),
    "EFAULT: beyond the end of the file": Case(
        COPY, "4096", "page none", dst=f"{SHMEM}\nfile_pages = 1"
    ),
    "EFAULT: the first page is beyond the end of the file": Case(
        ONE.replace('"dst"', '"dst+1"'), "-EFAULT", dst=f"{SHMEM}\nfile_pages = 1"
    ),
    "EFAULT: CONTINUE without a page": Case(CONTINUE, "-EFAULT", dst=SHMEM),
    "EFAULT: the argument cannot be read": Case(fails(ONE, "copy_from_user"), "-EFAULT", step="P2"),
    "EFAULT: the argument of WRITEPROTECT cannot be read": Case(
        fails(PROTECT, "copy_from_user"), "-EFAULT", step="P2"
    ),
    "EFAULT: the result cannot be written, and the work stays done": Case(
        fails(ONE, "put_user"), "-EFAULT", "page none", step="P8"
    ),
}
BUSY = {
    "EBUSY: MOVE of a pinned page": Case(
        MOVE, "-EBUSY", src=f"{PRESENT}\npinned = [0]", eras=MOVERS
    ),
    "EBUSY: MOVE of a page that is not exclusive": Case(
        MOVE, "-EBUSY", src=f"{PRESENT}\nnot_exclusive = [0]", eras=MOVERS
    ),
    "EBUSY: MOVE of a swapped page that is not exclusive": Case(
        MOVE, "-EBUSY", src="swapped = [0]\nnot_exclusive = [0]", eras=MOVERS
    ),
    "EBUSY: REGISTER of another's mapping": Case(
        REGISTER,
        "-EBUSY",
        dst='uffd = { ctx = "other", modes = ["missing"] }',
        more='[[uffd]]\nname = "other"\n',
    ),
    "EIO: CONTINUE on a broken page": Case(
        CONTINUE, "-EIO", dst=SHMEM, more=f"{PEER}present = [0]\npoisoned = [0]"
    ),
}
GONE = {
    "ESRCH: the address space is gone": Case(
        ONE,
        "-ESRCH",
        mm="other",
        more='[[mm]]\nname = "other"\n[[task]]\nname = "app"\nmm = "other"\n'
        'calls = [ { op = "exit" } ]\n',
        schedule=f"app until done\n{EVERYONE}",
    ),
    "EINTR: a fatal signal while the first page of MOVE is under way": Case(
        killed(MOVE.replace("pages = 2", "pages = 1"), "enters move_pages_pte"),
        "-EINTR",
        "page none",
        eras=("v6.8", "v6.9", "v6.12"),
    ),
    "EINTR: a fatal signal while munmap waits for mmap_lock": Case(
        killed('{ op = "munmap", at = "dst", pages = 2 }', "waits for mmap_lock to write"),
        "-EINTR",
        more='[[task]]\nname = "app"\ncalls = [ { op = "mprotect", at = "src", pages = 2,'
        ' prot = "r" } ]\n',
        schedule=f"app until holds mmap_lock for write\ngc until done\n{EVERYONE}",
    ),
}
CASES = {**AGAIN, **PARTIAL, **NO_ENTRY, **EXISTS, **INVALID, **NO_MEMORY, **FAULT, **BUSY, **GONE}
ROWS = [(name, era) for name, case in CASES.items() for era in case.eras]


def text_of(case: Case) -> str:
    """The scenario file of a case."""
    mm = f'\nmm = "{case.mm}"' if case.mm else ""
    return f"""
[[uffd]]
name = "gc"
features = ["remove"]{mm}
[[vma]]
name = "dst"
pages = 2
{case.dst}{mm}
[[vma]]
name = "src"
pages = 2
{case.src}
[[task]]
name = "gc"
calls = [ {case.call} ]
{case.more}"""


def pages_of(run: Interleaving, setting: Setting, name: str) -> str:
    """What each page of a mapping of the scenario is in the end."""
    place = setting.layout.places[name]
    table = setting.stage.mm(place.mm).table(place.start)
    state = run.machine.state(table)
    assert isinstance(state, PageTable)
    entries = dict(state.entries)
    pages = range(place.start // PAGE_SIZE, place.end // PAGE_SIZE)
    return " ".join(entries[page].kind if page in entries else "none" for page in pages)


@pytest.mark.parametrize(("name", "era"), ROWS, ids=[f"{name} ({era})" for name, era in ROWS])
def test_it_is_returned_and_nothing_is_left_held(name: str, era: str) -> None:
    case = CASES[name]
    setting = Setting(scenario_of(tomllib.loads(text_of(case)), name), era)
    run = Interleaving(setting)
    run.play(case.schedule)
    assert run.returns["gc"] == [case.result]
    assert pages_of(run, setting, "dst") == case.pages
    if not case.mm:
        assert left_behind(run.machine, setting.stage) == []
    if case.step:
        labels = [event.step for event in run.events if event.task == "gc" and event.step]
        assert labels[-1] == case.step


def test_every_errno_of_the_table_is_reached() -> None:
    reached = {case.result for case in CASES.values() if case.result.startswith("-")}
    table = "EAGAIN ENOENT EEXIST EINVAL ENOMEM EFAULT EBUSY EIO ESRCH EINTR"
    assert reached == {f"-{errno}" for errno in table.split()}


@pytest.mark.parametrize("era", ALL)
def test_a_munmap_that_cannot_announce_itself_puts_its_mapping_back(era: str) -> None:
    call = fails('{ op = "munmap", at = "dst", pages = 2 }', "munmap_sidetree")
    setting = Setting(scenario_of(tomllib.loads(text_of(Case(call, "-ENOMEM"))), "munmap"), era)
    run = Interleaving(setting)
    run.finish()
    tree = run.machine.state(setting.stage.mm("mm").tree)
    assert run.returns["gc"] == ["-ENOMEM"]
    assert isinstance(tree, Tree)
    assert "dst" in [name for _, _, name in tree.entries]
    assert left_behind(run.machine, setting.stage) == []
