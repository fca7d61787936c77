"""Each shipped scenario of one operation takes the steps in the order of the reference, in every era.

The table is written from the reference's numbered steps, not from the code. Steps that are no step
here, because nobody else can see them: arguments and results (P3, P4, P9, P11, V8, A12, A14, AO,
c3, c4, m13, m14). Left out with huge pages: A6, A10, m8, m9; with the levels above the page table:
m7. Alternatives that a scenario does not take (V3 to V9, T4 to T9, q5, q6, s1) are in the scenarios
that take them. Nothing else may be missing, come twice or come in another place.
"""

import pytest

from tests.step_order import locks_of, steps_of
from uffdviz.run.setting import load_setting

IOCTL = "P1 P2 P5 P6 {} P7 P8"
WOKEN = IOCTL + " P10 ->{}"
FAILED = IOCTL + " ->{}"
A = "A1 A2 A3 A4 A7 A8 {} AU"
BC = "B1 F1 V1 V2 F2 B2 B3 B4 A4 A7 {} BU"
V2_REVISION = "B1 V1 F2 B2 B3 B4 A4 A7 A8 {} BU"  # anon_vma with the mapping's lock only
V3_REVISION = "B1 F1 V1 F2 B2 B3 B4 A4 A7 {} BU"  # V2: not looked for in private shmem
FILL_LOCKS = {
    "v6.1": A, "v6.8": A, "v6.9": BC, "v6.12": BC, "v6.18": BC, "series-v2": V2_REVISION,
    "series-v3": V3_REVISION, "series-v4": BC, "series-v5": BC, "series-v6": BC,
}  # fmt: skip
INSTALL = "c6 c7 c8 c9 c10 c11"
COPY = f"A9 A11 c1 c2 c5 {INSTALL} A13"
ZERO = "A9 A11 c6 c7 c8 c10 c11 A13"
POISON = ZERO
CONTINUE = f"A9 A11 n1 n2 n3 {INSTALL} n4 A13"
ERAS = list(FILL_LOCKS)
SERIES = [era for era in ERAS if era.startswith("series")]
MOVE_LOCKS = {
    "v6.8": "m1 m3 m4 m5",
    **dict.fromkeys(
        ["v6.9", "v6.12", "v6.18", "series-v5", "series-v6"], "m1 T1 V1 V2 T2 T3 m2 m3 m4 m5"
    ),
    "series-v2": "m1 T1 T3 m2 m3 m4 m5",  # the one, then the other, both only tried
    "series-v3": "m1 T1 V1 T3 V1 m2 m3 m4 m5",  # blocks for both, one after the other
    "series-v4": "m1 T1 V1 V2 T3 V1 V2 m2 m3 m4 m5",
}
SAME_MAPPING = {
    "v6.8": "m1 m3 m4 m5",
    **dict.fromkeys(
        ["v6.9", "v6.12", "v6.18", "series-v5", "series-v6"], "m1 T1 V1 V2 T2 m2 m3 m4 m5"
    ),
}
TRY_PAGE = "m6 m10 m11 q1 q3 q4"
PAGE = f"{TRY_PAGE} q7 q8 q9 q10 q11 q12 q13"
MOVED = f"{PAGE} q14 q15 q16 q17 m12"
BATCH_OF_TWO = f"{PAGE} q14 q15 q14 q15 q16 q17 m12"
NEWER = ["v6.8", "v6.9", "v6.12", "v6.18"]
WP = {"v6.1": "w1 w3", "v6.8": "w1 w3"} | dict.fromkeys(
    [era for era in ERAS if era not in {"v6.1", "v6.8"}], "w1 w2 w3"
)
SLEEP = "h1 h2 h4 h5 h6 h7 h8 h9 h10"
READ = "d1 d2 d3 d4 d1 d2"
SEND = "e1 e2 e3 e2 e4 e6 e7"


def faults(era: str, result: str) -> str:
    """A fault that sleeps once: with the mapping's lock first, then with mmap_lock."""
    first = f"f5 f6 {SLEEP}" if era == "v6.1" else f"f1 f2 f3 {SLEEP} f4"
    return f"{first} f5 f6 ->{result}"


def fills(era: str, pages: str, result: str = "4096") -> str:
    """A fill with the locks of the era around the steps of its pages."""
    return WOKEN.format(FILL_LOCKS[era].format(pages), result)


def moves(era: str, pages: str, result: str, *, same: bool = False) -> str:
    """A move with the locks of the era around the steps of its pages."""
    body = f"{(SAME_MAPPING if same else MOVE_LOCKS)[era]} {pages} mU"
    return (FAILED if result.startswith("-") else WOKEN).format(body, result)


def protects(era: str, *, wakes: bool) -> str:
    """A write-protection of one mapping; only lifting it wakes. Without a result field no P8."""
    return f"P1 P2 P5 P6 {WP[era]} w4 w5 w6 wU P7{' P10' * wakes} ->0"


def munmaps(*, split: bool, sends: bool) -> str:
    """One munmap()."""
    steps = ["1", *["2"] * split, "3", "4", "5", "6", "7", *["8"] * sends]
    return " ".join(f"munmap.{n}" for n in steps) + f" {SEND}" * sends + " ->0"


def mremaps(era: str, *, sends: bool) -> str:
    """One mremap() to another place: no step 2 where mappings have no locks."""
    first = [n for n in "12345" if n != "2" or era != "v6.1"]
    steps = [f"mremap.{n}" for n in (*first, "6")]
    steps += ["munmap.3", "munmap.4", "munmap.6", "mremap.7", *["mremap.8"] * sends]
    return " ".join(steps) + f" {SEND}" * sends + " ->0"


def first_page(era: str) -> str:
    """COPY into a mapping without anon_vma: with mmap_lock for as long as it takes to lock it."""
    if era in {"v6.1", "v6.8"}:
        return fills(era, COPY)
    seen = " V2 V3" if era in {"v6.12", "v6.18"} else ""  # until v6.11 V1 itself refuses
    slow = BC.replace("V1 V2", f"V1{seen} V4 V5 V6 V7 V9")
    return WOKEN.format(slow.format(COPY), "4096")


def copied_twice(era: str) -> str:
    """COPY whose source has to be faulted in: everything is released and asked again."""
    short = FILL_LOCKS[era].format("A9 A11 c1 c2")
    again = FILL_LOCKS[era].format(f"A9 A11 c5 {INSTALL} A13")
    return WOKEN.format(f"{short} r2 f5 f6 {again}", "4096")


def swapped(era: str) -> str:
    """MOVE of a page that is swapped out; from v6.14 on with an eye on the swap cache."""
    late = era == "v6.18"
    page = f"{TRY_PAGE} s1 s2{' s3' * late} s4 q13 s5{' q17' * late} m12"
    return moves(era, page, "4096")


def holes(era: str) -> str:
    """MOVE of a page and a hole, then with the hole allowed."""
    refused = moves(era, f"{MOVED} {TRY_PAGE} m12", "4096")
    return f"{refused} {moves(era, f'{TRY_PAGE} m12 {MOVED}', '8192')}"


def every(era: str) -> dict[tuple[str, str], str]:
    """The steps of each scenario and task under an era."""
    missing = FAILED.format(FILL_LOCKS[era].format("A9 A11 n1"), "-EFAULT")
    sigbus = "f5 f6 h1" if era == "v6.1" else "f1 f2 f3 h1 f4"
    removes = "madvise.1 madvise.2 madvise.3 madvise.4 madvise.5 madvise.6"
    drops = "1278" if era == "v6.18" else "12378"
    found = {
        ("copy", "gc"): fills(era, f"{COPY} {COPY}", "8192"),
        ("zeropage", "gc"): fills(era, f"{ZERO} {ZERO}", "8192"),
        ("continue", "gc"): f"{fills(era, CONTINUE)} {missing}",
        ("writeprotect", "gc"): f"{protects(era, wakes=False)} {protects(era, wakes=True)}",
        ("fault-missing", "app"): faults(era, "1"),
        ("fault-missing", "monitor"): f"->0 d1 d2 d5 {fills(era, COPY)}",
        ("fault-minor", "app"): faults(era, "1"),
        ("fault-minor", "monitor"): f"{READ} d5 {fills(era, CONTINUE)}",
        ("fault-wp", "app"): faults(era, "0"),
        ("fault-wp", "monitor"): f"{READ} d5 {protects(era, wakes=True)}",
        ("fault-sigbus", "app"): f"{sigbus} {fills(era, COPY)} ->1",
        ("mmap", "app"): "mmap.1 munmap.3 munmap.4 munmap.6 mmap.2 mmap.3 ->0",
        ("munmap", "app"): munmaps(split=True, sends=False),
        ("mprotect", "app"): "mprotect.1 mprotect.2 mprotect.3 mprotect.4 ->0",
        ("mremap", "app"): mremaps(era, sends=False),
        ("madvise-dontneed", "app"): " ".join(f"madvise.{n}" for n in drops) + " ->0",
        ("fork", "app"): "fork.1 fork.2 fork.3 fork.4 ->0",
        ("event-fork", "app"): f"fork.1 fork.2 fork.3 fork.4 fork.5 {SEND} ->0",
        ("event-fork", "monitor"): f"{READ} d3 d5 d6 ->32",
        ("event-remap", "app"): mremaps(era, sends=True),
        ("event-remap", "monitor"): f"{READ} d3 d5 ->32",
        ("event-remove", "app"): f"{removes} {SEND} madvise.7 madvise.8 ->0",
        ("event-remove", "monitor"): f"{READ} d3 d5 ->32",
        ("event-unmap", "app"): munmaps(split=False, sends=True),
        ("event-unmap", "monitor"): f"{READ} d3 d5 ->32",
        ("copy-source-missing", "gc"): copied_twice(era),
    }
    if era not in SERIES:
        found["copy-first-page", "gc"] = first_page(era)
    return found | moving(era)


def moving(era: str) -> dict[tuple[str, str], str]:
    """The steps of what v6.1 does not know: there it is refused at once."""
    names = ("move", "move-same-mapping", "move-pinned", "move-swapped")
    if era == "v6.1":
        return dict.fromkeys([(name, "gc") for name in names], "->-EINVAL")
    two = BATCH_OF_TWO if era == "v6.18" else f"{MOVED} {MOVED}"
    found = {
        ("move", "gc"): moves(era, two, "8192"),
        ("move-pinned", "gc"): moves(era, f"{PAGE} q16 q17 m12", "-EBUSY"),
    }
    if era in SAME_MAPPING:
        found["move-same-mapping", "gc"] = moves(era, two, "8192", same=True)
    if era in NEWER:
        marked = f"{fills(era, POISON)} f1 f2 f3 f4 ->SIGBUS"
        found |= {("move-hole", "gc"): holes(era), ("poison", "gc"): marked}
        found["move-swapped", "gc"] = swapped(era)
    return found


@pytest.mark.parametrize(
    ("era", "scenario", "task"), [(era, *which) for era in ERAS for which in every(era)]
)
def test_the_numbered_steps_are_taken_in_the_order_of_the_reference(
    era: str, scenario: str, task: str
) -> None:
    steps = steps_of(load_setting(scenario, era))[task]
    assert " ".join(steps) == every(era)[scenario, task]


SEQ = ["v6.8", "v6.9"]
SEQCOUNT = ["v6.12", "v6.18"]
FAULTS = "+fault_pending_wqh.lock gc w|wake app|-fault_pending_wqh.lock gc w"
SENDERS = "+event_wqh.lock gc w|-event_wqh.lock gc w"
POLLERS = "+fd_wqh.lock gc w|-fd_wqh.lock gc w"
QUEUED = (
    "+event_wqh.lock gc w|-event_wqh.lock gc w|+fd_wqh.lock gc w|wake monitor|-fd_wqh.lock gc w"
)
ANSWERED = "+event_wqh.lock gc w|-event_wqh.lock gc w|ctx refcount"


def writes(era: str, *steps: str, end: str = "-mmap_lock w") -> str:
    """What is done with mmap_lock held for writing, and how mm_lock_seq moves with it."""
    inner = [s for s in steps if s != "SW" or era != "v6.1"]
    begin = ["seq"] * (era in SEQCOUNT)
    moved = ["seq"] * (era != "v6.1")
    return "|".join(["+mmap_lock w", *begin, *inner, *moved, end])


def raises(era: str) -> list[str]:
    """RAISE: since v6.9 the counter goes up under map_changing_lock."""
    counted = ["+map_changing_lock gc w", "-map_changing_lock gc w"]
    return ["ctx refcount", *(counted if era not in {"v6.1", "v6.8"} else [])]


def in_words(era: str) -> dict[tuple[str, str], str]:
    """What the reference says in sentences: register, unregister, close, wake, and the writers."""
    registers = f"mm_users|{writes(era, 'SW')}|mm_users|->0"
    unregisters = f"mm_users|{writes(era, 'SW', 'SW', 'SW')}|mm_users|->0"  # splits: both halves
    closes = f"released|mm_users|{writes(era, 'SW')}|mm_users"
    removes = "|".join(["+mmap_lock r", *raises(era), "-mmap_lock r"])
    unmaps = writes(era, "SW", *raises(era), end="~mmap_lock r")
    child = writes(era, "SW", "SW", end="-mmap_lock child w").replace(
        "+mmap_lock", "+mmap_lock child"
    )
    seq, begin = "|seq" * (era != "v6.1"), "|seq" * (era in SEQCOUNT)
    return {
        ("register-unregister", "gc"): f"{registers}|{unregisters}",
        ("close", "monitor"): f"{closes}|{FAULTS}|{SENDERS}|{POLLERS}|ctx refcount|->0",
        ("mmap", "app"): writes(era, "SW", "SW") + "|->0",
        ("mprotect", "app"): writes(era, "SW") + "|->0",
        ("munmap", "app"): writes(era, *["SW"] * 3, end="~mmap_lock r") + "|-mmap_lock r|->0",
        ("fork", "app"): f"+mmap_lock w{begin}|{child}{seq}|-mmap_lock w|->0",
        ("event-unmap", "app"): f"{unmaps}|-mmap_lock r|{QUEUED}|{ANSWERED}|->0",
        ("event-remove", "app"): f"{removes}|{QUEUED}|{ANSWERED}|+mmap_lock r|-mmap_lock r|->0",
    }


KERNELS = ["v6.1", *SEQ, *SEQCOUNT]


@pytest.mark.parametrize(
    ("era", "scenario", "task"), [(era, *which) for era in KERNELS for which in in_words(era)]
)
def test_what_has_no_numbers_is_done_in_the_order_of_the_sentences(
    era: str, scenario: str, task: str
) -> None:
    assert "|".join(locks_of(load_setting(scenario, era))[task]) == in_words(era)[scenario, task]


@pytest.mark.parametrize("era", KERNELS)
def test_a_wake_up_looks_at_the_queues_under_the_lock_of_the_first(era: str) -> None:
    assert "|".join(locks_of(load_setting("wake", era))["monitor"]).startswith(f"{FAULTS}|->0")
