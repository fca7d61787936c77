import pytest

from uffdviz.errors import ScheduleError
from uffdviz.kernel.locks.exclusive import Exclusive
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.memory import PageTable, Pte, VmaRecord
from uffdviz.trace.events import Event
from uffdviz.trace.landmark import (
    check_lock,
    expected,
    is_called,
    parse_landmark,
    reached,
    sayings,
)
from uffdviz.trace.snapshot import Snapshot, first_snapshot

DST = 0x7F0000000000
TABLE = PageTable(linked=True, entries=((DST // 4096 + 1, Pte(folio="src+1")),))


@pytest.fixture
def snapshot() -> Snapshot:
    """Two mappings in one page table, with the source's second page moved to the destination."""
    return first_snapshot(
        {
            "mmap_lock": RwSem(),
            "mmap_lock child": RwSem(),
            "map_changing_lock gc": RwSem(),
            "vma dst": RwSem(),
            "vma src": RwSem(),
            "mapping dst": VmaRecord("mm", DST, DST + 0x4000),
            "mapping src": VmaRecord("mm", DST + 0x4000, DST + 0x8000),
            "ptl dst": Exclusive(),
            "folio src+1": Exclusive(),
            "page table dst": TABLE,
        },
        {"gc": ("", "")},
    )


def event(fact: str, task: str = "gc", **parts: object) -> Event:
    whole = {"n": 1, "function": "", "step": "", "start": 0, "end": 1, "text": "", "choice": "gc"}
    return Event(task=task, fact=fact, **{**whole, **parts})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("mmap_lock", "mmap_lock"),
        ("map_changing_lock gc", "map_changing_lock"),
        ("ptl dst", "ptl dst+1"),
        ("ptl dst", "ptl src+3"),
        ("ptl dst", "ptl"),
        ("folio src+1", "folio src+1"),
        ("folio src+1", "folio dst+1"),
    ],
)
def test_a_lock_is_called_by_what_it_belongs_to(lock: str, said: str, snapshot: Snapshot) -> None:
    assert is_called(lock, said, snapshot)


@pytest.mark.parametrize(
    ("lock", "said"),
    [
        ("mmap_lock child", "mmap_lock"),
        ("vma dst", "vma src"),
        ("folio src+1", "folio dst+2"),
        ("ptl dst", "ptl dst+512"),
        ("vma dst", "ptl dst"),
    ],
)
def test_a_lock_is_not_called_by_another_s_name(lock: str, said: str, snapshot: Snapshot) -> None:
    assert not is_called(lock, said, snapshot)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("holds vma", "'vma' may be vma dst, vma src: say which"),
        ("holds mmap_lok", "no lock 'mmap_lok'; locks are mmap_lock, "),
        ("waits for mmap_lok to read", "(did you mean 'mmap_lock'?)"),
    ],
)
def test_a_lock_that_is_not_clear_is_refused(words: str, message: str, snapshot: Snapshot) -> None:
    with pytest.raises(ScheduleError) as error:
        check_lock(parse_landmark(words), snapshot)
    assert message in str(error.value)


def test_a_lock_that_may_come_to_be_is_not_refused(snapshot: Snapshot) -> None:
    check_lock(parse_landmark("holds folio dst+3"), snapshot)
    check_lock(parse_landmark("holds vma dst+2 for write"), snapshot)


@pytest.mark.parametrize(
    "said",
    [
        "mapping dst start 1, ctx gc",
        "mapping dst ctx gc",
        "mapping ctx gc",
        "start 1",
    ],
)
def test_what_was_seen_can_be_said_in_several_ways(said: str) -> None:
    assert said in sayings(event("Saw", object="mapping dst", detail="start 1, ctx gc"))


def test_entering_and_leaving_are_read_from_the_calls(snapshot: Snapshot) -> None:
    one = event("Saw", calls=(("leave", "lock_vma", "NULL"), ("enter", "mfill_atomic")))
    for words, there in (
        ("enters mfill_atomic", True),
        ("enters lock_vma", False),
        ("leaves lock_vma", True),
        ("leaves lock_vma with NULL", True),
        ("leaves lock_vma with dst", False),
    ):
        assert reached(parse_landmark(words), "gc", one, snapshot) is there


def test_another_task_s_doing_is_not_this_one_s(snapshot: Snapshot) -> None:
    one = event("Returned", task="app", detail="0")
    assert not reached(parse_landmark("returns 0"), "gc", one, snapshot)


def test_what_a_setup_call_returned_does_not_count(snapshot: Snapshot) -> None:
    setup = event("Returned", mode="setup", detail="0")
    assert not reached(parse_landmark("returns"), "gc", setup, snapshot)
    assert snapshot.after(setup).tasks["gc"].results == ()


def test_a_fact_about_returning_is_about_the_last_call(snapshot: Snapshot) -> None:
    events = [event("Returned", detail="-EAGAIN"), event("Returned", n=2, detail="0")]
    for one in events:
        snapshot = snapshot.after(one)
    assert expected(parse_landmark("returns 0"), "gc", events, snapshot)
    assert not expected(parse_landmark("returns -EAGAIN"), "gc", events, snapshot)
