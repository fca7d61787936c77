"""The first world of a scenario holds what the file says."""

from typing import Any

from uffdviz.kernel.memory import Folio, PageTable, Pte, VmaRecord
from uffdviz.run.read_scenario import parse_scenario
from uffdviz.run.setting import Setting

TASK = '[[task]]\nname = "a"\ncalls = [ { op = "fork" } ]\n'


def setting(text: str) -> Setting:
    return Setting(parse_scenario(text + TASK, "test.toml"))


def state(made: Setting, name: str) -> Any:
    return made.initial_snapshot().objects[name]


def entries(made: Setting, table: str) -> dict[int, Pte]:
    found: PageTable = state(made, f"page table {table}")
    return {page % 512: pte for page, pte in found.entries}


def test_a_mapping_has_a_record_and_a_place_in_the_tree() -> None:
    made = setting(
        '[[uffd]]\nname = "gc"\n[[vma]]\nname = "dst"\npages = 2\nuffd = { modes = ["wp"] }\n'
    )
    record: VmaRecord = state(made, "mapping dst")
    assert (record.ctx, record.modes, record.anon_vma) == ("gc", ("wp",), "")
    assert state(made, "mm tree").entries == ((record.start, record.end, "dst"),)


def test_a_present_page_is_mapped_and_known_to_rmap() -> None:
    made = setting('[[vma]]\nname = "src"\npages = 2\npresent = [1]\n')
    assert entries(made, "src") == {1: Pte(folio="src+1")}
    page: Folio = state(made, "page src+1")
    record: VmaRecord = state(made, "mapping src")
    assert (page.anon_vma, page.index, page.exclusive) == ("src", record.start // 4096 + 1, True)
    assert record.anon_vma == "src"


def test_each_kind_of_page_has_its_entry() -> None:
    text = (
        '[[vma]]\nname = "m"\npages = 7\npresent = [0, 1, 2]\nwp = [0]\npinned = [1]\n'
        "not_exclusive = [2]\nswapped = [3]\nzero = [4]\npoisoned = [5]\n"
    )
    made = setting(text)
    found = entries(made, "m")
    assert found[0] == Pte(folio="m", write=False, wp=True)
    assert state(made, "page m+1").pins == 1
    assert not found[2].write
    assert not state(made, "page m+2").exclusive
    assert found[3].kind == "swap"
    assert found[4] == Pte(kind="zero", write=False)
    assert found[5].kind == "poison"
    assert 6 not in found


def test_mappings_of_one_file_share_its_pages() -> None:
    vma = '[[vma]]\nname = "{}"\npages = 2\nbacking = "shmem"\nshared = true\nfile = "f"\npresent = [{}]\n'
    made = setting(vma.format("one", "0, 1") + vma.format("two", "1"))
    assert state(made, "page cache f").pages == ((0, "f"), (1, "f+1"))
    assert {pte.folio for pte in entries(made, "one").values()} == {"f", "f+1"}


def test_a_page_table_is_called_by_the_first_page_of_a_mapping_in_it() -> None:
    text = '[[vma]]\nname = "m"\npages = 600\nstart = 0x7f0000100000\npresent = [0, 599]\n'
    objects = setting(text).initial_snapshot().objects
    assert {"ptl m", "ptl m+256"} <= set(objects)


def test_all_machines_of_a_setting_begin_alike() -> None:
    made = setting('[[vma]]\nname = "src"\npages = 2\npresent = [1]\n')
    first, second = made.machine(), made.machine()
    assert first.start == second.start
    assert first.world.keys() == second.world.keys()
