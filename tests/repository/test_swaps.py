"""`benchmarks/swaps.py` picks its lines fairly, and its tests notice a change that matters."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.swaps import (
    Change,
    Outcome,
    Workshop,
    changes_of,
    kept,
    kernel_files,
    page,
    pick,
    pytest_collection_modifyitems,
)
from benchmarks.swaps_explained import EXPLAINED

RWSEM = Path("uffdviz/kernel/locks/rwsem.py")
SAMPLE = '''async def f(k, a):
    """What it does."""
    await k.lock(a)
    n = await k.look(a)
    one = 1
    two = 2
    if n:
        return two
    await Work("copy")
    await k.unlock(a)
    return one
'''


def found(root: Path, file: Path) -> list[Change]:
    return changes_of(file, (root / file).read_text(encoding="utf-8"))


@pytest.mark.parametrize("seed", [1, 2])
def test_no_file_with_a_line_to_change_is_left_out(root: Path, seed: int) -> None:
    picked = pick(root, seed, 60)
    assert len(picked) == 60
    assert {c.file for c in picked} == {f for f in kernel_files(root) if found(root, f)}
    assert {c.kind for c in picked} == {"delete", "swap"}
    for change in picked:
        compile(change.source, change.file, "exec")


def test_a_seed_picks_the_same_again_and_another_picks_others(root: Path) -> None:
    assert pick(root, 1, 60) == pick(root, 1, 60)
    assert pick(root, 1, 60) != pick(root, 2, 60)


def test_a_change_is_one_line_that_is_gone_or_two_that_changed_places(root: Path) -> None:
    for file in kernel_files(root):
        before = (root / file).read_text(encoding="utf-8").splitlines()
        for change in found(root, file):
            after = [line for line in change.changed if line.strip() != "pass"]
            if change.kind == "delete":
                assert after == before[: change.line - 1] + before[change.line :]
            else:
                assert sorted(after) == sorted(before)
                moved = [line for line, old in zip(after, before, strict=True) if line != old]
                assert len(moved) == 2


def test_what_could_only_crash_or_what_nobody_can_see_is_no_change() -> None:
    changes = changes_of(Path("ops", "f.py"), SAMPLE)
    assert [(c.kind, c.text) for c in changes] == [
        ("delete", "await k.lock(a)"),
        ("delete", 'await Work("copy")'),
        ("delete", "await k.unlock(a)"),
        ("swap", "await k.lock(a) / n = await k.look(a)"),
        ("delete", "return two"),
    ]


def test_every_explained_line_is_still_in_the_kernel(root: Path) -> None:
    keys = {change.key for file in kernel_files(root) for change in found(root, file)}
    assert set(EXPLAINED) <= keys


def test_what_is_red_on_the_page_is_kept_and_an_unexplained_survivor_is_tried_again() -> None:
    changes = changes_of(Path("uffdviz", "kernel", "ops", "f.py"), SAMPLE.replace("= 2", "= 2 | 1"))
    judged = {change: Outcome("tests/a.py::b[x]", 3) for change in changes}
    judged[changes[0]] = Outcome("", 9)
    lines = "\n".join(page(judged, "1", 4)).splitlines()
    assert [kept(change, lines) for change in changes] == [None, *list(judged.values())[1:]]


def test_a_test_that_compares_a_golden_file_does_not_count() -> None:
    golden, law = (SimpleNamespace(fixturenames=names) for names in (["root", "snapshot"], []))
    items: list[object] = [golden, law]
    pytest_collection_modifyitems(items)
    assert items == [law]


def test_without_its_wake_up_a_lock_turns_a_test_red_and_then_all_is_as_before(
    root: Path, tmp_path: Path
) -> None:
    change = next(
        c
        for c in found(root, RWSEM)
        if (c.function, c.kind) == ("up_write", "delete") and "wake" in c.text
    )
    workshop = Workshop(tmp_path, root)
    assert workshop.judge(change).red.startswith("tests/kernel/locks/")
    assert (workshop.tree / RWSEM).read_bytes() == (root / RWSEM).read_bytes()
    assert workshop.run(["tests/kernel/test_vma.py"]).red == ""
