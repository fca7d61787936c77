from typing import Any

from uffdviz.kernel.locks.base import Waiter
from uffdviz.kernel.locks.rwsem import RwSem
from uffdviz.kernel.memory import VmaRecord
from uffdviz.tui.render.line import plain
from uffdviz.tui.render.locks import lock_lines


def board(objects: dict[str, Any], changed: str = "") -> str:
    return plain(lock_lines(objects, 100, changed))


def test_holders_mode_and_queue_are_in_one_row() -> None:
    sem = RwSem(readers=("gc", "ui"), queue=(Waiter("app", "write"), Waiter("io", "read")))
    assert board({"mmap_lock": sem}) == " mmap_lock  R gc ui  queue app(w), io(r)"


def test_a_lock_that_somebody_waits_for_comes_first() -> None:
    rows = board(
        {
            "mmap_lock": RwSem(),
            "vma a": RwSem(),
            "ptl a": RwSem(writer="gc", queue=(Waiter("app"),)),
        }
    ).splitlines()
    assert rows[0].startswith(" ptl a")


def test_a_free_lock_without_a_part_in_the_story_has_no_row() -> None:
    assert "folio" not in board({"mmap_lock": RwSem(), "folio a": RwSem()})


def test_a_mapping_shows_its_number_beside_that_of_the_address_space() -> None:
    objects = {"vma a": RwSem(), "mapping a": VmaRecord(lock_seq=4), "mm_lock_seq": 5}
    assert board(objects) == " vma a  free  seq 4 ≠ 5"


def test_a_mapping_locked_by_its_number_names_the_writer() -> None:
    objects = {
        "mmap_lock": RwSem(writer="app"),
        "vma a": RwSem(),
        "mapping a": VmaRecord(lock_seq=5),
        "mm_lock_seq": 5,
    }
    assert " vma a      W by number, by app  seq 5 = 5" in board(objects)


def test_the_counter_stands_beside_its_lock() -> None:
    objects = {"map_changing_lock gc": RwSem(writer="app"), "mmap_changing gc": 1}
    assert board(objects) == " map_changing_lock gc  W app  mmap_changing 1"


def test_what_the_last_step_changed_is_marked() -> None:
    assert board({"mmap_lock": RwSem(writer="app")}, "mmap_lock").startswith("*mmap_lock")
